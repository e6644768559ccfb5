"""A request's offers in the plan: the portfolio with them on the table, and a session that answers every question."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from acreage.demand.futures import sample_futures
from acreage.domain.conflict import Conflict
from acreage.flow import planning
from acreage.flow.rfq_asking import with_portfolio
from acreage.flow.rfq_books import standing_of
from acreage.ledger.ledger import Ledger
from acreage.market.rfq.standing import Stage, Standing
from acreage.market.rfq.table import Table, table_of
from acreage.plan.planner import Wishes, session_of
from acreage.plan.session import Session
from acreage.units.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a request is planned on: where it stands, its portfolio as read, and the table of offers."""

    now: Standing
    read: planning.Read
    table: Table


def ground_of(ledger: Ledger, rfq: str, portfolio: Path | None, *, held: bool) -> Ground:
    """The request with its portfolio; with `held` what the books say is held takes the place of the file's leases."""
    now = standing_of(ledger, rfq)
    path = with_portfolio(now.rfq, portfolio)
    read = planning.portfolio_with_books(path, ledger) if held else planning.portfolio_at(path)
    if not now.live:
        raise InputError(f"{now.rfq.id} has no offer that can be accepted", fix="import answers first")
    return Ground(now=now, read=read, table=table_of(read.portfolio, now))


def wishes_of(options: Mapping[str, Any]) -> Wishes:
    """How the plan is to be made; walk-away prices are found for the offers of the request only."""
    return Wishes(gap_frac=options["gap_frac"], explain=False)


def session_on(ground: Ground, options: Mapping[str, Any]) -> Session:
    """A session on the table, over as many futures as asked for."""
    portfolio = ground.table.portfolio
    uncertainty = portfolio.uncertainty
    if options["futures"] is not None:
        uncertainty = replace(uncertainty, futures=options["futures"])
    if options["seed"] is not None:
        uncertainty = replace(uncertainty, seed=options["seed"])
    portfolio = replace(portfolio, uncertainty=uncertainty)
    demands = planning.base_demands(portfolio)
    return session_of(portfolio, sample_futures(portfolio), demands, wishes_of(options))


def check_open(now: Standing) -> None:
    """Raise `InputError` for a request that is over, before any planning is done."""
    if now.stage in (Stage.AWARDED, Stage.CANCELED):
        raise InputError(f"request {now.rfq.id} is {now.stage}", fix="create another one")


def no_plan(found: Conflict) -> InputError:
    """The error where no plan keeps every rule."""
    names = "; ".join(clash.name for clash in found.clashes)
    return InputError(f"no plan keeps every rule and promise: {names}", fix="see `acreage plan`, and relax one")
