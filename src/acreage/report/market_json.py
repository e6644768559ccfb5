"""A market's outcome as a document: figures as plain numbers, keys in a fixed order."""

from typing import Any

from acreage.domain.market_outcome import WORDS, Interval, MarketOutcome
from acreage.units.instants import iso


def market_document(outcome: MarketOutcome) -> dict[str, Any]:
    """The base, every change and the series; a null end is of a single replication."""
    world = outcome.world
    return {
        "market": world.name,
        "digest": world.digest,
        "from_at": iso(world.from_at),
        "ticks": world.ticks,
        "tick_months": world.tick_months,
        "seed": outcome.seed,
        "replications": outcome.replications,
        "audited": outcome.audited,
        "measures": {measure.value: words for measure, words in WORDS.items()},
        "base": [
            {"measure": measure.value, "subject": subject, **_interval(found)}
            for measure, subject, found in outcome.base
        ],
        "changes": [
            {
                "name": change.name,
                "words": change.words,
                "effects": [
                    {
                        "measure": effect.measure.value,
                        "subject": effect.subject,
                        "base": _interval(effect.base),
                        "changed": _interval(effect.changed),
                        "difference": _interval(effect.difference),
                    }
                    for effect in change.effects
                ],
            }
            for change in outcome.changes
        ],
        "series": outcome.series.to_dicts(),
    }


def _interval(found: Interval) -> dict[str, float | None]:
    return {"mean": found.mean, "low": found.low, "high": found.high}
