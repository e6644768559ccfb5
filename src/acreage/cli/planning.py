"""What the planning commands do: progress on the terminal, results shown, exit codes."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from acreage.cli.books import agree, change
from acreage.domain.conflict import Conflict
from acreage.domain.finding import Finding
from acreage.domain.plan import Plan
from acreage.flow import closing, comparing, evaluating, explaining, planning
from acreage.flow.books import open_books
from acreage.flow.books_leases import of_ids
from acreage.flow.crews import hired, solver_and_crew
from acreage.flow.examples import copy_example
from acreage.ledger.ledger import Ledger
from acreage.plan.planner import Step, Tell, Wishes
from acreage.report.plan_json import plan_document
from acreage.report.renderers.evaluation_screen import evaluation_screen
from acreage.report.renderers.terminal import compare_screen, conflict_screen, explanation_screen, plan_screen
from acreage.units.errors import InputError

PLANS = Path("plans")
EXIT_DIFFERS, EXIT_CONFLICT, EXIT_DEFECT = 1, 2, 70


@contextmanager
def progress() -> Iterator[Tell]:
    """A progress bar on stderr; plain lines where stderr is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain_tell()
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[news]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading", total=None, news="")

        def tell(step: Step) -> None:
            total = step.total if step.total > 1 else None
            bar.update(task, description=step.stage, completed=step.done, total=total, news=_news(step))

        yield tell


def _plain_tell() -> Tell:
    last = [""]

    def tell(step: Step) -> None:
        if step.stage != last[0]:
            last[0] = step.stage
            count = f" ({step.done + 1} of {step.total})" if step.total > 1 else ""
            click.echo(f"{step.stage}{count}", err=True)

    return tell


def _news(step: Step) -> str:
    if step.news is None:
        return ""
    gap = (step.news.objective - step.news.bound) / max(abs(step.news.objective), 1e-9)
    return f"cost {step.news.objective:,.1f}M USD, gap {min(gap, 9.99):.2%}"


def run_plan(
    portfolio: Path, out: Path | None, output: str, formats: tuple[str, ...], options: Mapping[str, Any]
) -> None:
    """Plan a file and keep the result."""
    if options.get("apply") and not options.get("ledger"):
        raise InputError("there are no books to write proposals to", fix="name them with --ledger ADDRESS")
    asked = _asked(options)
    solver, crew_name = solver_and_crew(options["engine"])
    ledger = open_books(options["ledger"]) if options.get("ledger") else None
    read = planning.portfolio_with_books(portfolio, ledger) if ledger else planning.portfolio_at(portfolio)
    _say_findings(read.findings)
    wishes = Wishes(engine=solver, gap_frac=options["gap_frac"], explain=not options["no_explain"])
    folder = out or PLANS / read.portfolio.name
    planning.check_writable(folder)
    with hired(crew_name, _say_note) as crew, progress() as tell:
        wishes = replace(wishes, crew=crew)
        found = planning.plan_portfolio(read.portfolio, wishes, tell, futures=options["futures"], seed=options["seed"])
        if isinstance(found, Conflict):
            tell(Step(stage="no plan", done=0, total=1))
        else:
            evaluation = evaluating.evaluate_plan(found, read.portfolio, asked, tell, crew=crew) if asked else None
            tell(Step(stage="auditing and writing the report", done=0, total=1))
            findings = planning.keep_plan(folder, found, read, formats, evaluation)
    if isinstance(found, Conflict):
        click.echo(conflict_screen(found), err=True)
        sys.exit(EXIT_CONFLICT)
    if output == "json":
        click.echo(json.dumps(plan_document(found, read.portfolio, evaluation), indent=2))
    else:
        click.echo(plan_screen(found, read.portfolio, findings))
        if evaluation is not None:
            click.echo(f"\n{evaluation_screen(evaluation)}")
        click.echo(f"report: {folder / planning.REPORT}")
    if options.get("apply") and ledger is not None and not findings:
        apply_plan(ledger, found, read, options, output)
    if findings:
        click.echo("error: the plan did not pass its audit; this is a defect of Acreage", err=True)
        sys.exit(EXIT_DEFECT)


def _asked(options: Mapping[str, Any]) -> evaluating.Asked | None:
    """How the plan is to be evaluated; None if it is not. Raises `InputError` where that is said without asking."""
    names = ("futures", "seed", "foreseen", "replications")
    said = {name: options[f"evaluate_{name}"] for name in names if options.get(f"evaluate_{name}") is not None}
    if not options.get("evaluate"):
        if said:
            raise InputError("nothing is to be evaluated", fix="add --evaluate, or leave out what only it needs")
        return None
    asked = evaluating.Asked(**said)
    evaluating.check_asked(asked)
    return asked


def apply_plan(ledger: Ledger, plan: Plan, read: planning.Read, options: Mapping[str, Any], output: str) -> None:
    """Propose what a plan signs as leases in the books."""
    works, ids, by_hand = closing.proposals(ledger, plan, read.portfolio)
    for line in by_hand:
        click.echo(f"note: {line}", err=True)
    asked = {"output": "text", "dry_run": False, "yes": options["yes"]}
    if works and output == "json":
        agree(asked, True, ids)
        for work in works:
            work()
    elif works:
        change(ledger, asked, works, lambda: of_ids(ledger, ids))


def _say_note(text: str) -> None:
    click.echo(f"note: {text}", err=True)


def _say_findings(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        where = ":".join(part for part in (finding.source, finding.row) if part)
        click.echo(f"{finding.severity}: {where}: {finding.subject}: {finding.message}", err=True)


def run_demo(name: str, out: Path, no_explain: bool) -> None:
    """Plan an example from a copy that can be edited, and say where the report is and what to try next."""
    options = {"engine": "decomposition", "gap_frac": None, "no_explain": no_explain, "futures": None, "seed": None}
    portfolio = copy_example(name, out)
    run_plan(portfolio, out / "plan", "text", ("parquet", "csv", "xlsx"), options)
    signed = planning.stored(out / "plan")[0].verdicts[0].offer
    click.echo(
        "\n".join(
            (
                "",
                "next:",
                f"  acreage explain {signed} --plan {out / 'plan'}",
                f"  edit a date and a price in {portfolio}, then",
                f"  acreage plan {portfolio} --out {out / 'changed'}",
                f"  acreage compare {out / 'plan'} {out / 'changed'}",
            )
        )
    )


def run_audit(folder: Path | None, output: str) -> None:
    """Audit a stored plan."""
    findings = planning.audit_stored(folder or newest_plan())
    if output == "json":
        rows = [{"rule": f.rule, "subject": f.subject, "message": f.message} for f in findings]
        click.echo(json.dumps({"passed": not findings, "findings": rows}, indent=2))
    else:
        for finding in findings:
            click.echo(f"{finding.rule}: {finding.subject}: {finding.message}")
        click.echo(f"{len(findings)} findings" if findings else "passed: cost, rules and shares recomputed, all agree")
    if findings:
        sys.exit(EXIT_DIFFERS)


def newest_plan() -> Path:
    """The newest plan under plans/, or the demo's."""
    places = (PLANS.glob("*/state.json"), Path().glob("*/state.json"), Path().glob("*/plan/state.json"))
    found = [file.parent for place in places for file in place]
    if not found:
        raise InputError("there is no plan here", fix="run `acreage plan PORTFOLIO` first, or name a plan's folder")
    return max(found, key=lambda folder: (folder / "state.json").stat().st_mtime)


def run_explain(subject: str, folder: Path | None, output: str) -> None:
    """Explain one subject of a plan."""
    plan, read = planning.stored(folder or newest_plan())
    explanation = explaining.explain(plan, read.portfolio, subject)
    if output == "json":
        click.echo(json.dumps({"title": explanation.title, "lines": explanation.lines}, indent=2))
    else:
        click.echo(explanation_screen(explanation))


def run_compare(folders: tuple[Path, ...], provider: str | None, output: str) -> None:
    """Compare two plans, or one with the best without a provider."""
    if len(folders) > 2 or (provider is None and len(folders) != 2):
        raise InputError("compare takes two plans, or one with --without PROVIDER", fix="name two folders")
    first = folders[0] if folders else newest_plan()
    plan, read = planning.stored(first)
    names = (str(first), f"without {provider}" if provider else str(folders[-1]))
    other: Plan
    if provider is None:
        other = planning.stored(folders[1])[0]
    else:
        with progress() as tell:
            found = comparing.without_provider(plan, read.portfolio, provider, tell)
        other = found.plan
        if found.set_aside:
            click.echo(f"note: without {provider} no plan keeps every rule: set aside are {found.set_aside}", err=True)
    if output == "json":
        click.echo(json.dumps(comparing.comparison(plan, other, names), indent=2))
    else:
        click.echo(compare_screen(plan, other, names))
