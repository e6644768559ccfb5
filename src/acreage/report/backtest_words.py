"""A backtest in words and tables of texts, for every rendering alike."""

import math

from acreage.domain.backtest import Backtest, BacktestPath, BacktestStep
from acreage.domain.evaluation import Estimate
from acreage.domain.plan import Range, Signing
from acreage.report.evaluation_words import FORESIGHT, NAMES
from acreage.report.renderers.page import TextTable
from acreage.report.words import count, date, money, signed_money

ONCE = "planned once"
ROLLING = "re-planned"
NUMBERS = frozenset({"cost", "hindsight cost", "on average", "dearer than re-planned by", "regret", ROLLING, ONCE})


def estimate_text(found: Estimate, sign: bool = False) -> str:
    """A mean and the half width of its interval, if it has one."""
    shown = signed_money(found.found) if sign else money(found.found)
    half = found.high - found.found
    return f"{shown} ±{money(half)}" if math.isfinite(half) else shown


def range_text(found: Range | None) -> str:
    """A figure with what it is proven to lie between, where that shows."""
    if found is None:
        return "not known yet"
    low, high, shown = (money(round(end)) for end in (found.low, found.high, found.found))
    return shown if low == high else f"{shown} ({low} to {high})"


def signings_text(signings: tuple[Signing, ...]) -> str:
    """What is signed: accelerators of each offer and from when."""
    each: dict[str, list[Signing]] = {}
    for signing in signings:
        each.setdefault(signing.offer, []).append(signing)
    return "; ".join(_of_offer(offer, mine) for offer, mine in each.items()) or "nothing"


def _of_offer(offer: str, signings: list[Signing]) -> str:
    starts = " and ".join(date(signing.starts_at) for signing in signings)
    return f"{count(sum(signing.accelerators for signing in signings))} of {offer} from {starts}"


def done_text(step: BacktestStep) -> str:
    """What a month did: signings, releases, ports."""
    parts = [signings_text(step.signed)] if step.signed else []
    parts += [f"leave {release.lease} on {date(release.ends_at)}" for release in step.released]
    parts += [f"port {port.workload} to {port.accelerator}" for port in step.ported]
    return "; ".join(parts) or "nothing"


def steps_table(path: BacktestPath) -> TextTable:
    """One row a planning day of a path."""
    rows = tuple(
        (
            date(step.at),
            done_text(step) + (" (caps set aside)" if step.set_aside else ""),
            signings_text(step.left_open),
            money(step.paid_usd),
            range_text(step.regret_usd),
        )
        for step in path.steps
    )
    return TextTable(
        columns=("day", "done", "left open", "cost", "hindsight cost"),
        rows=rows,
        numbers=NUMBERS,
        strong=frozenset({_worst(path)} if path.steps else ()),
        unbroken=frozenset({"day"}),
    )


def _worst(path: BacktestPath) -> int:
    """The number of the month that lost most."""
    lost = [step.regret_usd.found if step.regret_usd is not None else -math.inf for step in path.steps]
    return lost.index(max(lost))


def compared_table(found: Backtest) -> TextTable:
    """What each way to decide costs more than re-planning, over the finished paths."""
    assert found.means is not None, "no path was finished"
    means = found.means
    rows = [
        (FORESIGHT, _less(means.regret_usd)),
        (ONCE, estimate_text(means.replanning_usd, sign=True)),
    ]
    rows += [(NAMES[way], estimate_text(more, sign=True)) for way, more in means.others_usd.items()]
    return TextTable(
        columns=("decided by", "dearer than re-planned by"), rows=tuple(rows), numbers=NUMBERS, strong=frozenset({1})
    )


def _less(regret: Estimate) -> str:
    turned = Estimate(found=-regret.found, low=-regret.high, high=-regret.low)
    return estimate_text(turned, sign=True)


def paths_table(found: Backtest) -> TextTable:
    """One row a path."""
    rows = tuple(
        (
            path.name + ("" if path.rolling_usd is not None else " (cut short)"),
            money(path.rolling_usd) if path.rolling_usd is not None else "not known",
            money(path.once_usd) if path.once_usd is not None else "not known",
            range_text(path.regret_usd),
        )
        for path in found.paths
    )
    return TextTable(columns=("path", ROLLING, ONCE, "regret"), rows=rows, numbers=NUMBERS)


def conclusions(found: Backtest) -> list[str]:
    """What the paths say: what re-planning was worth, what was lost and when; doubts and what is missing."""
    lines = []
    if found.means is not None:
        lines = [_worth_text(found.means.replanning_usd, found.finished), _regret_text(found)]
    if found.finished < found.asked:
        lines.append(f"UNFINISHED: {found.finished} of {found.asked} paths were lived to the end.")
    lines += found.notes
    doubts = [f"{p.name}: {f.rule}: {f.subject}: {f.message}" for p in found.paths for f in p.findings]
    if doubts:
        lines.append(f"THE AUDIT DOUBTS IT in {len(doubts)} places: {doubts[0]}")
    return lines


def _worth_text(more: Estimate, paths: int) -> str:
    where = "on this path" if paths == 1 else f"on average over {paths} paths (95 %: {_between(more)})"
    if paths > 1 and more.low <= 0.0 <= more.high:
        return f"No gain of re-planning can be shown: it differs by {money(more.found)} {where}."
    if abs(more.found) < 0.5:
        return f"Re-planning decided as the first plan did {where}."
    how = "saved" if more.found > 0.0 else "COST"
    return f"Re-planning {how} {money(abs(more.found))} {where}, against the first plan kept to the end."


def _between(found: Estimate) -> str:
    return f"{signed_money(found.low)} to {signed_money(found.high)}"


def _regret_text(found: Backtest) -> str:
    means = found.means
    assert means is not None
    lost = [one.found for one in means.monthly_usd]
    worst = lost.index(max(lost))
    if means.regret_usd.found < 0.5:
        return "Nothing was lost to hindsight."
    return (
        f"Knowing the path would have saved {estimate_text(means.regret_usd)}; "
        f"{money(lost[worst])} of it was lost by the decision of {date(found.dates[worst])}."
    )
