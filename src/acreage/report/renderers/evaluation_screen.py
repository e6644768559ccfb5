"""A plan out of sample on the terminal: two tables and what may be concluded."""

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from acreage.domain.evaluation import Evaluation, Scores
from acreage.report.evaluation_words import (
    FORESIGHT,
    NAMES,
    conclusions,
    difference_within,
    money_within,
    share_within,
    tail_within,
)
from acreage.report.renderers.terminal import rendered, table


def evaluation_screen(evaluation: Evaluation) -> str:
    """How the plan fares beside its rivals, what these cost more, and whether it is a gain."""
    parts: list[RenderableType] = [
        f"OUT OF SAMPLE: {evaluation.futures} fresh futures (seed {evaluation.seed}), {evaluation.stresses} stresses; "
        "± is a 95 % interval",
        _fares(evaluation),
        "",
        "more than this plan, in the same futures",
        _differences(evaluation),
        "",
        *(Text(line) for line in conclusions(evaluation)),
    ]
    return rendered(parts)


def _fares(evaluation: Evaluation) -> Table:
    right = "right"
    found = table(
        ("", "left"), ("expected", right), ("CVaR", right), ("unmet", right), ("late", right), ("regret", right)
    )
    for trial in evaluation.trials:
        regret = money_within(trial.regret_usd) if trial.regret_usd is not None else "-"
        found.add_row(NAMES[trial.way] + ("*" if trial.breaks else ""), *_cells(trial.scores), regret)
    if evaluation.foresight is not None:
        found.add_row(FORESIGHT, *_cells(evaluation.foresight.scores), "")
    return found


def _cells(scores: Scores) -> tuple[str, ...]:
    return (
        money_within(scores.expected_usd),
        tail_within(scores, scores.cvar_usd),
        share_within(scores.unmet_frac),
        share_within(scores.late_frac),
    )


def _differences(evaluation: Evaluation) -> Table:
    right = "right"
    heads = (("objective", right), ("expected", right), ("CVaR", right), ("unmet", right), ("late", right))
    found = table(("", "left"), *heads)
    for trial in evaluation.trials[1:]:
        found.add_row(NAMES[trial.way] + ("*" if trial.breaks else ""), *_more(trial.against_plan))
    if evaluation.foresight is not None:
        found.add_row(FORESIGHT, *_more(evaluation.foresight.against_plan))
    return found


def _more(scores: Scores) -> tuple[str, ...]:
    return (
        tail_within(scores, scores.objective_usd, sign=True),
        difference_within(scores.expected_usd),
        tail_within(scores, scores.cvar_usd, sign=True),
        share_within(scores.unmet_frac, "+"),
        share_within(scores.late_frac, "+"),
    )
