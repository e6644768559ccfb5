"""The option of `acreage plan` that asks what-ifs in bulk."""

import click

KINDS = ("frontier", "concentration", "sensitivity", "information", "waiting", "all")

what_if_option = click.option(
    "--what-if",
    "what_if",
    multiple=True,
    type=click.Choice(KINDS),
    help="Ask in bulk, once for each kind or for all; Ctrl-C keeps what is answered so far.",
)
