"""Figures published by Topaloglu (2009): the problems with four spokes, and their bounds.

The numbers are those of the author's files rm_200_4_*.txt and rm_600_4_*.txt: per ordered pair of places the low
fare, the chance of its requests in the first of 200 periods, and that of its high-fare requests in the last, from
which the start of high-fare demand follows. The bounds are tables 1 and 2 of the paper's computational experiments.
"""

import numpy as np

from acreage.desk.network.hubs import published_network
from acreage.desk.network.problem import Network

ROUTES = (
    (0, 1, 24, 0.09960128709206886, 0.09909847592776491),
    (0, 2, 34, 0.041764450952859716, 0.04155430200126286),
    (0, 3, 67, 0.030921258465293217, 0.03076555664062241),
    (0, 4, 62, 0.01219439738640903, 0.01213290483699946),
    (1, 0, 24, 0.06939032495094886, 0.06904143613581071),
    (1, 2, 53, 0.03976943899547469, 0.03956949417032932),
    (1, 3, 47, 0.07307652515831342, 0.07270794365735242),
    (1, 4, 56, 5.284171054752357e-4, 5.257560808916811e-4),
    (2, 0, 34, 0.07823290752930079, 0.077839580488358),
    (2, 1, 53, 0.050655633778080494, 0.05040051282840838),
    (2, 3, 82, 0.06068437207819368, 0.06037920015000478),
    (2, 4, 96, 0.06554916702752828, 0.06521955642593352),
    (3, 0, 67, 0.0011235080191055581, 0.0011178590227922962),
    (3, 1, 47, 0.018723170455555178, 0.0186288754479506),
    (3, 2, 82, 0.1024024928693957, 0.10188744527101003),
    (3, 4, 93, 0.041485431687679854, 0.041276797842485745),
    (4, 0, 62, 0.045427229884404285, 0.04519875843234749),
    (4, 1, 56, 0.09357742045116131, 0.09310712086639941),
    (4, 2, 96, 0.062291017440145535, 0.06197711350111128),
    (4, 3, 93, 0.012601548672606428, 0.012538046467177223),
)

PUBLISHED = {
    (200, 1.0, 4): (21531, 20439, 20018),
    (200, 1.0, 8): (34571, 33305, 32226),
    (200, 1.2, 4): (19882, 18938, 18374),
    (200, 1.2, 8): (32922, 31737, 30852),
    (200, 1.6, 4): (17530, 16600, 15981),
    (200, 1.6, 8): (30570, 29413, 28381),
    (600, 1.0, 4): (32409, 30995, 30640),
    (600, 1.0, 8): (52086, 50444, 49862),
    (600, 1.2, 4): (29852, 28668, 28145),
    (600, 1.2, 8): (49529, 48054, 47162),
    (600, 1.6, 4): (26324, 25148, 24540),
    (600, 1.6, 8): (46001, 44555, 43547),
}
"""By periods, load and ratio: deterministic bound, Lagrangian bound, revenue simulated for the paper's policy."""

MIDDLE = {(3, 2): (110, 0.09812067149483159), (2, 0): (119, 0.0571234811911987), (0, 3): (118, 0.029968092879113378)}
"""A few low-fare probabilities from the middle of rm_200_4_1.0_4.0.txt: by route, period and probability."""


def published(periods: int, load: float, ratio: float) -> Network:
    """The published problem with four spokes."""
    chance = np.array([route[3] for route in ROUTES])
    low_share = 1 - np.array([route[4] for route in ROUTES]) / chance
    last_low = 1 / 200
    high = last_low * (1 / low_share - 1)
    start = 200 - 1 / (1 - high)
    return published_network(
        [(a, b) for a, b, *_ in ROUTES],
        [fare for _, _, fare, *_ in ROUTES],
        chance * (1.0 if periods == 200 else 0.5),
        start * periods / 200,
        load=load,
        ratio=ratio,
        periods=periods,
    )
