"""A tier's tariff and take-up curves as people write them."""

from collections.abc import Sequence
from itertools import pairwise

from acreage.domain.desk import TakeUpCurve
from acreage.domain.tariff import Discounting, PriceFactors, QuantityStep, TimeOfUse
from acreage.portfolio.desk_shape import WEEKDAYS, TakeUpShape, TariffShape
from acreage.portfolio.document import At
from acreage.portfolio.names import Names


def factors_of(names: Names, shape: TariffShape | None, at: At) -> PriceFactors | None:
    """What the list price is multiplied with; raises `InputError` for steps or hours out of order."""
    if shape is None:
        return None
    for i, (before, then) in enumerate(pairwise(shape.steps), 1):
        if then.from_accelerators <= before.from_accelerators:
            what = f"the step from {then.from_accelerators} is not above the one from {before.from_accelerators}"
            names.wrong(what, "list rising quantities", (*at, "steps", i, "from_accelerators"))
    for i, time in enumerate(shape.times):
        if time.until_hour <= time.from_hour:
            what = f"hours from {time.from_hour} until {time.until_hour}"
            names.wrong(what, "end after the start; cut a night at midnight", (*at, "times", i, "until_hour"))
    return PriceFactors(
        discounting=Discounting(shape.discounting),
        steps=tuple(QuantityStep(units_min=one.from_accelerators, price_frac=one.price_frac) for one in shape.steps),
        times=tuple(
            TimeOfUse(
                weekdays=tuple(WEEKDAYS.index(day) for day in one.weekdays),
                from_hour=one.from_hour,
                until_hour=one.until_hour,
                price_frac=one.price_frac,
            )
            for one in shape.times
        ),
    )


def take_up_of(names: Names, shapes: Sequence[TakeUpShape], at: At) -> tuple[TakeUpCurve, ...]:
    """The curves by pool; raises `InputError` for unknown pools, or two curves of one."""
    names.distinct_across("take-up of this tier in", [(one.pool, (*at, i)) for i, one in enumerate(shapes)])
    pools = [names.pool(one.pool, (*at, i, "pool")) for i, one in enumerate(shapes)]
    return tuple(
        TakeUpCurve(pool=pool, middle_usd=one.middle_usd, slope_per_usd=one.slope_per_usd)
        for pool, one in zip(pools, shapes, strict=True)
    )
