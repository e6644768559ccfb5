"""What `acreage backtest` does on the terminal: progress with the time to go, the result, exit codes."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from acreage.cli.planning import EXIT_DEFECT, say_findings
from acreage.flow import backtesting, planning
from acreage.plan.planner import Step, Tell
from acreage.report.renderers.backtest import backtest_screen
from acreage.units.errors import InputError

EXIT_INTERRUPTED = 130


@contextmanager
def _progress() -> Iterator[Tell]:
    """A bar with the time to go on stderr; a line a stage where stderr is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda step: click.echo(f"{step.stage} ({step.done + 1} of {step.total})", err=True)
        return
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def tell(step: Step) -> None:
            bar.update(task, description=step.stage, completed=step.done, total=step.total)

        yield tell


def run_backtest(portfolio: Path, out: Path | None, output: str, options: Mapping[str, Any]) -> None:
    """Backtest a file and show the result; what an interrupt leaves is shown and marked, exit code 130."""
    asked = _asked(options)
    if out is not None:
        backtesting.check_folder(out)
    read = planning.portfolio_at(portfolio)
    say_findings(read.findings)
    with _progress() as tell:
        found = backtesting.backtest(read.portfolio, asked, tell)
    page = backtesting.keep(out, found) if out is not None else None
    click.echo(backtesting.document_text(found) if output == "json" else backtest_screen(found))
    if page is not None and output == "text":
        click.echo(f"report: {page}")
    if any(path.findings for path in found.paths):
        click.echo("error: the backtest did not pass its audit; this is a defect of Acreage", err=True)
        sys.exit(EXIT_DEFECT)
    if found.finished < found.asked:
        click.echo("interrupted", err=True)
        sys.exit(EXIT_INTERRUPTED)


def _asked(options: Mapping[str, Any]) -> backtesting.Asked:
    """What the options ask for; raises `InputError` where they contradict each other."""
    drawn = {name: options[name] for name in ("seed", "paths") if options[name] is not None}
    if options["history"] is not None and drawn:
        raise InputError("a history is one path and is not drawn", fix="leave out --path and --paths, or --history")
    return backtesting.Asked(
        months=options["months"],
        every=options["every"],
        history=options["history"],
        futures=options["futures"],
        gap_frac=options["gap_frac"],
        spreadsheets=not options["no_spreadsheets"],
        **drawn,
    )
