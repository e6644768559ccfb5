"""The desk's calendar in a market: one of its days stands for one tick.

The desk plans in days within which nothing changes and its prices are per accelerator-hour, which are the same
however long such a day is. So a market whose finest step is a month or a quarter runs the desk's code as it is, on
a calendar in which tick n is the n-th day.
"""

from acreage.desk.horizon import Horizon
from acreage.units.instants import SECONDS_PER_DAY, Instant


def day_at(tick: int) -> Instant:
    """The instant at which a tick begins on the desk's calendar."""
    return Instant(tick * SECONDS_PER_DAY)


def horizon(tick: int, ticks: int) -> Horizon:
    """So many ticks from this one on."""
    return Horizon(day_at(tick), ticks)
