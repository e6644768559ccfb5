"""What nobody can beat: revenue of who knew a year's requests and the anchor's needs beforehand.

A linear programme: each firm request is leased in any part of it, each recallable one in any part of it
on each day by itself, within what the anchor leaves; leasing into the anchor's need costs its damages. Every
policy's books are a solution of it, without compensation or lost days, so that it is never below any.
"""

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from acreage.desk.arrivals import MadeYear
from acreage.desk.horizon import Counts
from acreage.desk.tables import HOURS
from acreage.desk.year import Ground


def clairvoyant_usd(ground: Ground, year: MadeYear) -> float:
    """The bound on the revenue of the measured days, in USD."""
    start, stop = ground.measured.start, ground.measured.stop
    asked = year.arrivals
    first = np.clip(asked.first, start, stop) - start
    end = np.clip(asked.end, start, stop) - start
    there = end > first
    firm = np.flatnonzero(there & asked.firm)
    recallable = np.flatnonzero(there & ~asked.firm)
    days = stop - start
    firm_columns = _windows(first[firm], end[firm])
    each = _windows(first[recallable], end[recallable])
    rows = np.concatenate((firm_columns[1], each[1], np.arange(days)))
    daily = len(each[0])
    columns = np.concatenate((firm_columns[0], len(firm) + np.arange(daily), len(firm) + daily + np.arange(days)))
    sizes = np.concatenate(
        (asked.accelerators[firm][firm_columns[0]], asked.accelerators[recallable][each[0]], np.full(days, -1.0))
    )
    count = len(firm) + daily + days
    gain = np.concatenate(
        (
            asked.bid_usd[firm] * asked.accelerators[firm] * (end[firm] - first[firm]),
            (asked.bid_usd * asked.accelerators)[recallable][each[0]],
            np.full(days, -ground.penalties_usd[0]),
        )
    )
    left = (ground.capacity - year.need)[start:stop]
    upper = np.concatenate((np.ones(len(firm) + daily), np.full(days, np.inf)))
    solved = linprog(
        -gain * HOURS,
        A_ub=csr_array((sizes, (rows, columns)), shape=(days, count)),
        b_ub=left,
        bounds=np.column_stack((np.zeros(count), upper)),
        method="highs",
    )
    assert solved.status == 0, solved.message
    return float(-solved.fun)


def _windows(first: Counts, end: Counts) -> tuple[Counts, Counts]:
    """For each window its number and each of its days, one after the other."""
    lengths = end - first
    which = np.repeat(np.arange(len(first)), lengths)
    offset = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return which, first[which] + offset
