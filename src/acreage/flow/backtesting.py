"""`acreage backtest` from file to file: dates, paths drawn or read, walked one after another, shown and kept."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from acreage import __version__
from acreage.demand.conditional import futures_knowing
from acreage.demand.futures import fresh_futures
from acreage.domain.backtest import Backtest, BacktestPath
from acreage.domain.evaluation import Way
from acreage.domain.future import Future
from acreage.domain.plan import Decision
from acreage.domain.portfolio import Portfolio
from acreage.flow.planning import base_demands, check_writable
from acreage.plan.backtest.auditing import audit_walk
from acreage.plan.backtest.comparing import costs_on, means_of, spreadsheet_plans
from acreage.plan.backtest.standing import first_standing, scene_at
from acreage.plan.backtest.walking import Course, Planned, Walked, plan_on, summed_up, walk
from acreage.plan.planner import Step, Tell
from acreage.portfolio.history_file import History, read_history
from acreage.report.backtest_json import backtest_document
from acreage.report.renderers.backtest import render_backtest
from acreage.units.errors import InputError, Place
from acreage.units.instants import Instant, add_days, add_months, iso_date

MONTHS, EVERY, PATHS, SEED, GAP_FRAC = 6, "1m", 1, 1, 2e-3
"""What is done if not asked otherwise; a plan that is made anew next month needs no finer gap."""

SOURCE = "backtest/"
"""Source of the draws of paths, which no plan is made on."""

REPORT, DOCUMENT = "report.html", "backtest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How to backtest: months to re-plan over, how often, on which paths, on how many futures, to which gap.

    `history` is a file that takes the place of paths drawn from `seed`; `futures` None means the portfolio's.
    """

    months: int = MONTHS
    every: str = EVERY
    paths: int = PATHS
    seed: int = SEED
    history: Path | None = None
    futures: int | None = None
    gap_frac: float = GAP_FRAC
    spreadsheets: bool = True


def planning_days(portfolio: Portfolio, months: int, every: str) -> tuple[int, ...]:
    """The periods that planning days begin: the first period on or after each date; raises `InputError`."""
    end = add_months(portfolio.as_of_at, months)
    horizon_at = portfolio.periods[-1].until_at
    if end > horizon_at:
        raise InputError(
            f"{months} months reach to {iso_date(end)}, beyond the horizon",
            fix=f"ask for fewer --months, or lengthen the grid, which ends on {iso_date(horizon_at)}",
            place=Place(file="--months"),
        )
    step = _step(every)
    found, count = [0], 1
    while (at := step(portfolio.as_of_at, count)) < end:
        day = next((i for i, period in enumerate(portfolio.periods) if period.from_at >= at), None)
        if day is not None and day > found[-1] and portfolio.periods[day].from_at < end:
            found.append(day)
        count += 1
    return tuple(found)


def _step(every: str) -> Callable[[Instant, int], Instant]:
    match = re.fullmatch(r"([1-9][0-9]{0,2})([mwd])", every)
    if match is None:
        raise InputError(
            f"{every!r} is no step", fix="write 1m for every month, 2w or 10d", place=Place(file="--every")
        )
    number, unit = int(match[1]), match[2]
    if unit == "m":
        return lambda at, count: add_months(at, number * count)
    return lambda at, count: add_days(at, number * count * (7 if unit == "w" else 1))


def backtest(
    portfolio: Portfolio, asked: Asked, tell: Tell, clock: Callable[[], float] = time.perf_counter
) -> Backtest:
    """Walk the paths asked for; Ctrl-C ends it with what is done so far. Raises `InputError`."""
    began = clock()
    days = planning_days(portfolio, asked.months, asked.every)
    if asked.futures is not None:
        portfolio = replace(portfolio, uncertainty=replace(portfolio.uncertainty, futures=asked.futures))
    course = Course(
        portfolio=portfolio,
        demand=base_demands(portfolio),
        days=days,
        foretell=futures_knowing,
        gap_frac=asked.gap_frac,
    )
    history = _history(course, asked)
    paths = (history.path,) if history is not None else drawn_paths(portfolio, asked.paths, asked.seed)
    found: list[BacktestPath] = []
    try:
        _walk_all(course, paths, asked, tell, found)
        notes = [] if history is None else _history_notes(portfolio, history)
    except KeyboardInterrupt:
        notes = ["It was interrupted: months and paths that were not lived through are missing."]
    finished = sum(path.rolling_usd is not None for path in found)
    return Backtest(
        portfolio_name=portfolio.name,
        as_of_at=portfolio.as_of_at,
        source=f"history {asked.history}" if asked.history is not None else f"seed {asked.seed}",
        dates=tuple(portfolio.periods[day].from_at for day in days),
        futures=portfolio.uncertainty.futures,
        asked=len(paths),
        finished=finished,
        paths=tuple(found),
        means=means_of(found),
        notes=tuple(notes),
        seconds=clock() - began,
    )


def _history(course: Course, asked: Asked) -> History | None:
    if asked.history is None:
        return None
    needed_at = add_months(course.portfolio.as_of_at, asked.months)
    return read_history(asked.history, course.portfolio, course.demand, needed_at)


def _history_notes(portfolio: Portfolio, history: History) -> list[str]:
    if history.until_at >= portfolio.periods[-1].until_at:
        return []
    return [
        f"The history ends on {iso_date(history.until_at)}: from there on what was seen last carries on, and nothing "
        "else happens."
    ]


def drawn_paths(portfolio: Portfolio, paths: int, seed: int) -> tuple[Future, ...]:
    """Paths drawn from the portfolio's own law, of a source of their own."""
    drawn = fresh_futures(portfolio, futures=paths, seed=seed, source=SOURCE)[1 : 1 + paths]
    return tuple(replace(path, name=f"path-{number + 1}", probability=1.0) for number, path in enumerate(drawn))


def _walk_all(course: Course, paths: tuple[Future, ...], asked: Asked, tell: Tell, found: list[BacktestPath]) -> None:
    """Walk every path; what is done so far is in `found` when a KeyboardInterrupt passes through."""
    total = len(paths) * len(course.days)
    scene = scene_at(course.portfolio, course.demand, paths[0], first_standing(course.portfolio))
    tell(Step(stage="the first plan", done=0, total=total))
    opening = plan_on(course, scene, lambda step: None)
    others: dict[Way, Decision] = {}
    if asked.spreadsheets:
        tell(Step(stage="spreadsheet plans", done=0, total=total))
        others = spreadsheet_plans(course, futures_knowing(scene.portfolio, scene.seen), lambda step: None)
    for number, path in enumerate(paths):
        _walk_one(course, path, opening, others, _counted(tell, course, path, number, total), found)


def _counted(tell: Tell, course: Course, path: Future, number: int, total: int) -> Tell:
    """Tells of months done in all, in place of those of one path."""

    def told(step: Step) -> None:
        if step.news is None:
            day = iso_date(course.portfolio.periods[course.days[step.done]].from_at)
            done = number * len(course.days) + step.done
            tell(Step(stage=f"{path.name}: planning anew on {day}", done=done, total=total))

    return told


def _walk_one(
    course: Course,
    path: Future,
    opening: Planned,
    others: dict[Way, Decision],
    tell: Tell,
    found: list[BacktestPath],
) -> None:
    walked: list[Walked] = []
    try:
        for one in walk(course, path, opening, tell):
            walked.append(one)
        costs = costs_on(course, path, opening, others)
        found.append(summed_up(course, path.name, walked, costs, audit_walk(course, path, walked)))
    except KeyboardInterrupt:
        if walked:
            kept = walked[:-1] if len(walked) == len(course.days) else walked
            found.append(summed_up(course, path.name, kept, {}, ()))
        raise


def check_folder(folder: Path) -> None:
    """Refuse a folder that cannot be written to before any work is done; raises `InputError`."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is not a folder", fix="choose another with --out")
    if not folder.exists():
        check_writable(folder)


def document_text(found: Backtest) -> str:
    """The backtest as JSON."""
    return json.dumps(backtest_document(found), indent=2)


def keep(folder: Path, found: Backtest) -> Path:
    """Write the page and the document into a folder; returns the page."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / REPORT).write_text(render_backtest(found, __version__), encoding="utf-8")
    (folder / DOCUMENT).write_text(document_text(found) + "\n", encoding="utf-8")
    return folder / REPORT
