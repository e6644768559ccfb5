"""Every rule, one line each, in the order of application: a row that is out is not doubted again."""

from acreage.catalog.rules import amounts, commitments, dates, repeats, shapes, spot
from acreage.catalog.rules.rule import Rule

RULES: tuple[Rule, ...] = (
    amounts.foreign_currency,
    amounts.not_positive,
    shapes.wrong_count,
    shapes.no_count,
    shapes.odd_count,
    amounts.too_large,
    amounts.outliers,
    amounts.flat_price,
    commitments.commitment_in_on_demand,
    spot.spot,
    dates.not_in_force,
    repeats.older,
    repeats.duplicates,
    repeats.contradictions,
    repeats.sizes,
    repeats.dated_by_year,
    shapes.differing_counts,
    shapes.other_accelerator,
    dates.stale,
    dates.undated,
)
