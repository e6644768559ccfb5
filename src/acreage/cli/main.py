"""The `acreage` command: a registry of commands loaded only when run, and the one place for errors.

A user never sees a traceback: mistakes of the caller are one line and exit code 2, failures of
the world one line and exit code 1, failures of ours a short message, a file with the details
and exit code 70.
"""

import difflib
import os
import sys
import tempfile
import traceback
from collections.abc import Callable

import click

from acreage import __version__
from acreage.cli.lazy import load
from acreage.units.errors import InputError, Permanent, Transient

COMMANDS = {
    "init": ("init", "Write a small commented portfolio to start from."),
    "demo": ("demo", "Plan the flagship example and say where the report is."),
    "calibrate": ("calibrate", "Estimate what a portfolio says about uncertainty from data."),
    "plan": ("plan", "Turn contracts, offers and demand into a plan worth signing."),
    "explain": ("explain", "Say why an offer, workload or provider is treated as it is."),
    "compare": ("compare", "Compare two plans, or a plan with one without a supplier or rule."),
    "backtest": ("backtest", "Re-plan month by month along a path, and see what each month cost."),
    "audit": ("audit", "Recompute a stored plan without a solver and check every rule."),
    "rfq": ("rfq", "Ask several vendors for quotes; compare, counter and award."),
    "auction": ("auction", "Hold an auction of your own lots, and audit its result."),
    "venue": ("venue", "Buy and sell accelerators x time on an order book in the books."),
    "lease": ("lease", "Propose, sign, amend, deliver and end leases."),
    "hold": ("hold", "Hold delivered accelerators for jobs; nothing is held twice."),
    "commitment": ("commitment", "Show spend commitments and what they will cost."),
    "invoice": ("invoice", "Import bills and say what is wrong with them."),
    "ledger": ("ledger", "Verify, export and ask the books."),
    "desk": ("desk", "Lease spare capacity beside an anchor tenant: quote, admit, simulate."),
    "simulate": ("simulate", "Simulate a market of labs and clouds, and what changes in it."),
    "prices": ("prices", "Show what an accelerator costs, cheapest first."),
    "check": ("check", "Report doubts about prices and portfolios."),
    "schema": ("schema", "Print a published JSON Schema."),
}
"""Commands: name -> (module in acreage.cli.commands and name of the command in it, one line of help)."""

EXIT_WORLD, EXIT_INPUT, EXIT_OURS, EXIT_INTERRUPTED = 1, 2, 70, 130


class Commands(click.Group):
    """A group whose commands are imported when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the registry."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(load(f"acreage.cli.commands.{module}"), module)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest command where there is none of the name."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the commands are {', '.join(COMMANDS)}"
            raise click.UsageError(f"no command {name!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line a command, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command("acreage", cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="acreage")
def acreage() -> None:
    """Plan, lease and run AI compute across many providers.

    Start with `acreage demo`, then `acreage init` for a portfolio of your own.
    """


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(guarded(lambda: acreage.main(standalone_mode=False)))


def guarded(work: Callable[[], object]) -> int:
    """Run `work` and turn whatever it raises into one message and an exit code."""
    try:
        result = work()
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except InputError as error:
        click.echo(f"error: {error}", err=True)
        return EXIT_INPUT
    except (Transient, Permanent) as error:
        click.echo(f"error: {error}", err=True)
        return EXIT_WORLD
    except Exception as error:
        return _ours(error)
    return result if isinstance(result, int) else 0


def _ours(error: Exception) -> int:
    """A defect of Acreage: keep the details in a file and say where."""
    with tempfile.NamedTemporaryFile("w", prefix="acreage-", suffix=".txt", delete=False) as file:
        traceback.print_exception(error, file=file)
    click.echo(f"error: this is a defect of Acreage: {type(error).__name__}: {error}", err=True)
    click.echo(f"please report it with the details in {file.name}", err=True)
    return EXIT_OURS


if __name__ == "__main__":
    main()
