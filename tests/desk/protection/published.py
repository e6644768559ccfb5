"""Published cases of one stock shared by nested tiers."""

from acreage.desk.protection.laws import NormalLaw, PoissonLaw
from acreage.desk.protection.tiers import Tier

MEANS = (17.3, 45.1, 39.6, 34.0)
SDS = (5.8, 15.0, 13.2, 11.3)


def talluri_van_ryzin(*fares_usd: float) -> tuple[Tier, ...]:
    """The demand of Talluri and van Ryzin (2004), section 2.2.3, at two published sets of fares."""
    return tuple(
        Tier(fare_usd=fare, law=NormalLaw(mean=mean, sd=sd))
        for fare, mean, sd in zip(fares_usd, MEANS, SDS, strict=True)
    )


STEEP = talluri_van_ryzin(1050.0, 567.0, 534.0, 520.0)
EVEN = talluri_van_ryzin(1050.0, 950.0, 699.0, 520.0)
GALLEGO = tuple(
    Tier(fare_usd=fare, law=PoissonLaw(mean=mean))
    for fare, mean in zip((100.0, 60.0, 40.0, 35.0, 15.0), (15.0, 40.0, 50.0, 55.0, 120.0), strict=True)
)
"""Five fares with Poisson demand: G. Gallego, Single Resource Revenue Management with Independent Demands, 2013."""
