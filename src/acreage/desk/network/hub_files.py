"""Reader of the hub-and-spoke problems as published: the text files rm_T_N_load_ratio.txt of Topaloglu (2009).

A file gives, between lines that start with #: the number of periods; flights as `from to seats`; itineraries
as `from to class fare`; and a line per period of `[ from to class ] probability`. Place 0 is the hub;
an itinerary without a flight of its own goes by way of it.
"""

import re

import numpy as np

from acreage.desk.network.problem import Network, Product, network_of
from acreage.units.errors import InputError, Place

CELL = re.compile(r"\[\s*(\d+)\s+(\d+)\s+(\d+)\s*\]\s+([0-9.eE+-]+)")


def read_hub_file(text: str, *, name: str) -> Network:
    """The problem in the file's text; `name` is said in errors.

    Raises `InputError` with the line for what cannot be read, and as `network_of` does for what makes no sense.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    lines = [(number, line) for number, line in lines if not line.lstrip().startswith("#")]
    number = lines[-1][0] if lines else 1
    try:
        rows = iter(lines)
        number, line = next(rows)
        periods = int(line)
        number, line = next(rows)
        capacity: dict[str, int] = {}
        for _ in range(int(line)):
            number, line = next(rows)
            start, end, seats = line.split()
            capacity[f"{start}-{end}"] = int(seats)
        number, line = next(rows)
        products: list[Product] = []
        for _ in range(int(line)):
            number, line = next(rows)
            products.append(_product(line, capacity))
        columns = {product.name: column for column, product in enumerate(products)}
        prob = np.zeros((periods, len(products)))
        for t in range(periods):
            number, line = next(rows)
            cells = CELL.findall(line)
            if len(cells) != len(products):
                raise ValueError(f"{len(cells)} probabilities for {len(products)} itineraries")
            for start, end, kind, chance in cells:
                prob[t, columns[f"{start}-{end}-{kind}"]] = float(chance)
    except (KeyError, StopIteration, ValueError) as error:
        what = "it ends too early" if isinstance(error, StopIteration) else str(error)
        raise InputError(
            f"the problem cannot be read: {what}",
            fix="give a file in the layout of the published rm_*.txt",
            place=Place(file=name, line=number),
        ) from None
    return network_of(capacity, products, prob)


def _product(line: str, capacity: dict[str, int]) -> Product:
    start, end, kind, fare = line.split()
    direct = f"{start}-{end}"
    flights = [direct] if direct in capacity else [f"{start}-0", f"0-{end}"]
    return Product(name=f"{direct}-{kind}", fare_usd=float(fare), units=dict.fromkeys(flights, 1))
