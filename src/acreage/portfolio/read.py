"""Reads a portfolio document: shape first, then meaning, then what only the whole can tell."""

from collections.abc import Mapping
from pathlib import Path

from acreage.domain.accelerator import Accelerator
from acreage.domain.finding import Finding, Severity
from acreage.domain.portfolio import (
    Budget,
    Period,
    Policy,
    Portfolio,
    Risk,
    ShareCap,
    ShareLevel,
)
from acreage.portfolio.check import check_portfolio
from acreage.portfolio.convert import portfolio_shape
from acreage.portfolio.document import Document, load_document, parse_document
from acreage.portfolio.limits import check_limits
from acreage.portfolio.names import Names
from acreage.portfolio.quantities import ListPrice, date_at
from acreage.portfolio.shape import GridShape, PolicyShape, PortfolioShape
from acreage.portfolio.supply import SupplyReader
from acreage.portfolio.uncertainty import UncertaintyReader
from acreage.portfolio.workloads import WorkloadReader
from acreage.units.errors import Place
from acreage.units.ids import AcceleratorName
from acreage.units.instants import Instant, add_days, add_months
from acreage.units.money import micro_usd

PERIODS_MAX = 600

Read = tuple[Portfolio, tuple[Finding, ...]]


def read_portfolio(path: Path, *, accelerators: Mapping[AcceleratorName, Accelerator], list_price: ListPrice) -> Read:
    """Read a portfolio file; raises `InputError` with file, line and column for whatever is wrong.

    `list_price` answers `price: catalog`; findings are doubts that do not keep it from being read.
    """
    return read_document(load_document(path), accelerators=accelerators, list_price=list_price)


def read_portfolio_text(
    text: str, file: str, *, accelerators: Mapping[AcceleratorName, Accelerator], list_price: ListPrice
) -> Read:
    """Read a portfolio from text; `file` is its name in errors."""
    return read_document(parse_document(text, file), accelerators=accelerators, list_price=list_price)


def price_sheets_of(path: Path) -> tuple[Path, ...]:
    """The contract price sheets a portfolio names, relative to itself."""
    shape = portfolio_shape(load_document(path))
    return tuple(path.parent / name for name in shape.price_sheets)


def read_document(
    document: Document, *, accelerators: Mapping[AcceleratorName, Accelerator], list_price: ListPrice
) -> Read:
    """Read a parsed document."""
    shape = portfolio_shape(document)
    names = Names(document=document, shape=shape, accelerators=accelerators)
    check_limits(document, names)
    findings: list[Finding] = []
    supply = SupplyReader(document=document, shape=shape, names=names, list_price=list_price)
    names.distinct_across(
        "lease or offer",
        [(lease.id, ("leases", i)) for i, lease in enumerate(shape.leases)]
        + [(offer.id, ("offers", i)) for i, offer in enumerate(shape.offers)],
    )
    providers, pools = supply.providers(), supply.pools()
    workloads = WorkloadReader(
        document=document,
        names=names,
        accelerators=accelerators,
        pools=pools,
        as_of_at=date_at(shape.as_of),
        findings=findings,
    ).workloads()
    unsure = UncertaintyReader(names=names, providers=providers, pools=pools, as_of_at=date_at(shape.as_of))
    portfolio = Portfolio(
        name=shape.name,
        description=shape.description,
        as_of_at=date_at(shape.as_of),
        periods=_periods(names, shape),
        accelerators={chip: accelerators[chip] for chip in sorted({p.accelerator for p in pools.values()})},
        effective_tflops=_effective_tflops(names, shape, {p.accelerator for p in pools.values()}, findings),
        providers=providers,
        pools=pools,
        leases=supply.leases(pools),
        commitments=supply.commitments(),
        offers=supply.offers(pools),
        workloads=workloads,
        policy=_policy(names, shape.policy, date_at(shape.as_of)),
        uncertainty=unsure.uncertainty(shape.uncertainty),
        stresses=unsure.stresses(shape.stresses),
        places=_places(document, shape),
    )
    findings += check_portfolio(portfolio, names)
    return portfolio, tuple(findings)


def _periods(names: Names, shape: PortfolioShape) -> tuple[Period, ...]:
    if sum(stretch.count for stretch in shape.grid) > PERIODS_MAX:
        names.wrong("the grid has too many periods", f"at most {PERIODS_MAX} in all", ("grid",))
    periods: list[Period] = []
    start = date_at(shape.as_of)
    for stretch in shape.grid:
        for i in range(stretch.count):
            begins, ends = _step(start, stretch, i), _step(start, stretch, i + 1)
            periods.append(Period(from_at=begins, until_at=ends))
        start = _step(start, stretch, stretch.count)
    return tuple(periods)


def _step(start: Instant, stretch: GridShape, count: int) -> Instant:
    return add_days(start, 7 * count) if stretch.every == "week" else add_months(start, count)


def _effective_tflops(
    names: Names, shape: PortfolioShape, chips: set[AcceleratorName], findings: list[Finding]
) -> dict[AcceleratorName, float]:
    """Peak x MFU x goodput of every chip, or what the document says of it."""
    own = {names.accelerator(chip, ("effective_tflops", chip)): v for chip, v in shape.effective_tflops.items()}
    found = {}
    for chip in sorted(chips):
        accelerator = names.accelerators[chip]
        peak = accelerator.peak_dense_bf16_tflops or accelerator.peak_dense_fp16_tflops
        if peak is None and accelerator.peak_dense_fp8_tflops is not None:
            peak = accelerator.peak_dense_fp8_tflops / 2
            if chip not in own:
                findings.append(_assumed_peak(names, chip))
        if chip in own:
            found[chip] = own[chip]
        elif peak is None:
            names.wrong(f"the peak FLOP/s of {chip} is not known", f"add effective_tflops: {{{chip}: …}}", ("pools",))
        else:
            found[chip] = peak * shape.planning_mfu_frac * shape.planning_goodput_frac
    return found


def _assumed_peak(names: Names, chip: str) -> Finding:
    return Finding(
        severity=Severity.NOTE,
        rule="assumed_peak",
        source=names.document.file,
        row="",
        subject=chip,
        message="its bf16 peak is not published: half the fp8 peak is taken for shares of firm capacity",
    )


def _policy(names: Names, shape: PolicyShape, as_of_at: Instant) -> Policy:
    for i, budget in enumerate(shape.budgets):
        names.in_order(budget.from_, budget.until, "until", "from", ("policy", "budgets", i, "until"))
    return Policy(
        discount_frac_per_year=shape.discount_frac_per_year,
        risk=Risk(weight_frac=shape.risk.weight_frac, tail_frac=shape.risk.tail_frac),
        share_caps=tuple(
            ShareCap(
                level=ShareLevel(cap.level),
                share_max_frac=cap.share_max_frac,
                from_at=date_at(cap.from_) if cap.from_ else as_of_at,
                member=cap.member,
            )
            for cap in shape.share_caps
        ),
        survive_loss_frac=shape.survive_loss_frac,
        budgets=tuple(
            Budget(from_at=date_at(b.from_), until_at=date_at(b.until), limit_micro_usd=micro_usd(b.limit_usd))
            for b in shape.budgets
        ),
        resale_frac=shape.resale_frac,
        gap_frac=shape.gap_frac,
    )


def _places(document: Document, shape: PortfolioShape) -> dict[str, Place]:
    """Where ids and sections stand, for messages that come later."""
    found = {"policy": document.place(("policy",)), "grid": document.place(("grid",))}
    for section in ("providers", "pools", "leases", "commitments", "offers"):
        for i, item in enumerate(getattr(shape, section)):
            found[item.id] = document.place((section, i))
    for i, workload in enumerate(shape.workloads):
        for kind in ("training_run", "serving_fleet", "research_share"):
            if kind in workload:
                found[str(workload[kind])] = document.place(("workloads", i))
    return found
