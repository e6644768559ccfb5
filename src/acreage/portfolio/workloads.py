"""Workloads from their shapes."""

from collections.abc import Mapping
from dataclasses import dataclass

from acreage.demand.readers.skypilot import Resources, read_resources
from acreage.domain.accelerator import Accelerator
from acreage.domain.finding import Finding, Severity
from acreage.domain.provider import Pool
from acreage.domain.workload import (
    Capability,
    DemandPoint,
    LoadBlock,
    PortState,
    ResearchShare,
    ServingFleet,
    TrainingRun,
    Workload,
)
from acreage.portfolio.convert import shaped
from acreage.portfolio.document import At, Document
from acreage.portfolio.names import Names
from acreage.portfolio.quantities import date_at
from acreage.portfolio.shape import (
    WORKLOADS,
    CapabilityShape,
    ResearchShape,
    ServingShape,
    TrainingShape,
    WorkloadShape,
    WorkShape,
)
from acreage.units.errors import InputError
from acreage.units.ids import AcceleratorName, PoolId, WorkloadId
from acreage.units.instants import Instant
from acreage.units.money import micro_usd

TERA = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadReader:
    """Reads the demand side of one document; doubts go to `findings`."""

    document: Document
    names: Names
    accelerators: Mapping[AcceleratorName, Accelerator]
    pools: Mapping[PoolId, Pool]
    as_of_at: Instant
    findings: list[Finding]

    def workloads(self) -> tuple[Workload, ...]:
        """All workloads of the document."""
        items = self.names.shape.workloads
        found = tuple(self._workload(item, ("workloads", i)) for i, item in enumerate(items))
        self.names.distinct("workload", "workloads", [w.id for w in found])
        return found

    def _workload(self, item: Mapping[str, object], at: At) -> Workload:
        kinds = [kind for kind in WORKLOADS if kind in item]
        if len(kinds) != 1:
            self.names.wrong(
                "a workload names exactly one of " + ", ".join(WORKLOADS),
                "begin it with for example `- serving_fleet: chat`",
                at,
            )
        shape = shaped(self.document, at, WORKLOADS[kinds[0]])
        if isinstance(shape, TrainingShape):
            return self._training(shape, at)
        if isinstance(shape, ServingShape):
            return self._serving(shape, at)
        assert isinstance(shape, ResearchShape)
        return self._research(shape, at)

    def _training(self, shape: TrainingShape, at: At) -> TrainingRun:
        self.names.in_order(shape.release, shape.deadline, "deadline", "release", (*at, "deadline"))
        work, unit = self._work(shape.work, (*at, "work"))
        capabilities, pools = self._capabilities(shape, at, "training")
        return TrainingRun(
            id=WorkloadId(shape.training_run),
            work=work,
            work_unit=unit,
            release_at=date_at(shape.release),
            deadline_at=date_at(shape.deadline),
            late_micro_usd_per_day=micro_usd(shape.late_usd_per_day),
            unfinished_micro_usd=micro_usd(shape.unfinished_usd),
            work_sd_frac=shape.work_sd_frac,
            must=shape.must,
            capabilities=capabilities,
            pools=pools,
        )

    def _work(self, shape: WorkShape, at: At) -> tuple[float, str]:
        if shape.flop is not None and shape.accelerator_hours is None:
            return shape.flop, "FLOP"
        if shape.accelerator_hours is None or shape.flop is not None:
            self.names.wrong("work is either flop or accelerator_hours", "write one of them", at)
        if shape.reference is None:
            self.names.wrong("accelerator_hours need their reference chip", "add reference, for example H100", at)
        chip = self.names.accelerator(shape.reference, (*at, "reference"))
        return shape.accelerator_hours, f"{chip}-hour"

    def _serving(self, shape: ServingShape, at: At) -> ServingFleet:
        self._check_blocks(shape, at)
        for i, (before, after) in enumerate(zip(shape.demand, shape.demand[1:], strict=False)):
            self.names.in_order(before.from_, after.from_, "from", "the point before", (*at, "demand", i + 1, "from"))
        share_max = shape.supplier_share_max_frac
        if shape.suppliers_min is not None and shape.suppliers_min > 1:
            # No n - 1 suppliers can carry it all, with a tenth to spare.
            share_max = min(share_max, 0.9 / (shape.suppliers_min - 1))
        capabilities, pools = self._capabilities(shape, at, "serving")
        return ServingFleet(
            id=WorkloadId(shape.serving_fleet),
            rate_unit=shape.rate_unit,
            demand=tuple(DemandPoint(from_at=date_at(p.from_), rate=p.rate) for p in shape.demand),
            until_at=date_at(shape.until) if shape.until else None,
            growth_per_year=shape.growth_per_year,
            demand_sd_frac_per_year=shape.demand_sd_frac_per_year,
            family=shape.family,
            load_blocks=tuple(
                LoadBlock(name=b.name, hours_frac=b.hours_frac, level_frac=b.level_frac) for b in shape.load_blocks
            ),
            unmet_micro_usd_per_million=micro_usd(shape.unmet_usd_per_million),
            n_minus_1_keep_frac=shape.n_minus_1_keep_frac,
            supplier_share_max_frac=share_max,
            must=shape.must,
            capabilities=capabilities,
            pools=pools,
        )

    def _check_blocks(self, shape: ServingShape, at: At) -> None:
        if not shape.load_blocks:
            return
        hours = sum(b.hours_frac for b in shape.load_blocks)
        if abs(hours - 1.0) > 1e-6:
            self.names.wrong(
                f"the hours of the load blocks sum to {hours:.6g}", "they must sum to 1", (*at, "load_blocks")
            )
        mean = sum(b.hours_frac * b.level_frac for b in shape.load_blocks)
        if abs(mean - 1.0) > 1e-6:
            self.names.wrong(f"the mean level of the load blocks is {mean:.6g}", "it must be 1", (*at, "load_blocks"))

    def _research(self, shape: ResearchShape, at: At) -> ResearchShare:
        if shape.from_ is not None and shape.until is not None:
            self.names.in_order(shape.from_, shape.until, "until", "from", (*at, "until"))
        capabilities, pools = self._capabilities(shape, at, "research")
        return ResearchShare(
            id=WorkloadId(shape.research_share),
            accelerators=shape.accelerators,
            reference=self.names.accelerator(shape.reference, (*at, "reference")),
            from_at=date_at(shape.from_) if shape.from_ else self.as_of_at,
            until_at=date_at(shape.until) if shape.until else None,
            growth_per_year=shape.growth_per_year,
            unmet_micro_usd_per_accelerator_hour=micro_usd(shape.unmet_usd_per_accelerator_hour),
            must=shape.must,
            capabilities=capabilities,
            pools=pools,
        )

    def _capabilities(
        self, shape: WorkloadShape, at: At, kind: str
    ) -> tuple[tuple[Capability, ...], tuple[PoolId, ...]]:
        pools = tuple(self.names.pool(pool, (*at, "pools", i)) for i, pool in enumerate(shape.pools))
        if shape.resources is not None:
            if shape.capabilities:
                self.names.wrong("resources stand in for capabilities", "keep one of them", (*at, "resources"))
            return self._from_resources(shape, shape.resources, (*at, "resources"), pools)
        if not shape.capabilities:
            self.names.wrong("no capability says where it can run", "add capabilities or resources", at)
        chips = {pool.accelerator for pool in self.pools.values()}
        found = []
        for i, capability in enumerate(shape.capabilities):
            here = (*at, "capabilities", i)
            made = self._capability(capability, here, kind)
            if made.accelerator not in chips:
                self._doubt("no_pool", here, f"no pool has {made.accelerator}")
            found.append(made)
        usable = [c for c in found if c.accelerator in chips and c.port_state is not PortState.NO]
        if not usable:
            self.names.wrong("none of its chips is in any pool", f"pools have {', '.join(sorted(chips))}", at)
        return tuple(found), pools

    def _capability(self, shape: CapabilityShape, at: At, kind: str) -> Capability:
        chip = self.names.accelerator(shape.accelerator, (*at, "accelerator"))
        if shape.gang_max is not None and shape.gang_max < shape.gang_min:
            self.names.wrong(
                f"gang_max {shape.gang_max} is below gang_min {shape.gang_min}", "exchange them", (*at, "gang_max")
            )
        return Capability(
            accelerator=chip,
            rate_per_accelerator=self._rate(shape, chip, at, kind),
            gang_min=shape.gang_min,
            gang_max=shape.gang_max,
            port_state=PortState(shape.port_state),
            port_cost_micro_usd=micro_usd(shape.port_cost_usd),
            port_lead_days=shape.port_lead_days,
            source=shape.source,
        )

    def _rate(self, shape: CapabilityShape, chip: AcceleratorName, at: At, kind: str) -> float:
        """The rate in the workload's unit from whichever way it is given."""
        if shape.reference_accelerators is not None:
            return shape.reference_accelerators
        if kind == "serving":
            if shape.tokens_per_s is None:
                self.names.wrong("the rate is missing", "add tokens_per_s", at)
            return shape.tokens_per_s
        if kind == "research":
            self.names.wrong("the rate is missing", "add reference_accelerators", at)
        if shape.tflops is not None:
            return shape.tflops * TERA * shape.goodput_frac
        if shape.mfu_frac is None:
            self.names.wrong("the rate is missing", "add mfu_frac, tflops or reference_accelerators", at)
        accelerator = self.accelerators[chip]
        peak = {
            "bf16": accelerator.peak_dense_bf16_tflops,
            "fp16": accelerator.peak_dense_fp16_tflops,
            "fp8": accelerator.peak_dense_fp8_tflops,
        }[shape.precision]
        if peak is None:
            self.names.wrong(
                f"the {shape.precision} peak of {chip} is not known", "give tflops, or another precision", at
            )
        return peak * TERA * shape.mfu_frac * shape.goodput_frac

    def _from_resources(
        self, shape: WorkloadShape, block: Mapping[str, object], at: At, pools: tuple[PoolId, ...]
    ) -> tuple[tuple[Capability, ...], tuple[PoolId, ...]]:
        """Capabilities and pools of a SkyPilot block, by the peak of every chip it names."""
        try:
            resources = read_resources(block)
        except InputError as error:
            raise InputError(error.what, fix=error.fix, place=self.document.place(at)) from None
        for note in resources.notes:
            self._doubt("skypilot", at, note)
        chips = {name: self.names.accelerator(name, at) for name in resources.accelerators}
        allowed = [pool.id for pool in self.pools.values() if _allows(resources, chips, pool)]
        allowed = [pool for pool in allowed if not pools or pool in pools]
        if not allowed:
            self.names.wrong(
                "no pool matches the accelerators, infra and region of this block",
                f"pools are {', '.join(self.pools)}",
                at,
            )
        found = tuple(
            Capability(
                accelerator=chip,
                rate_per_accelerator=self._resource_rate(shape, chip, at),
                gang_min=resources.accelerators[name] * resources.nodes,
                gang_max=None,
                port_state=PortState.PORTED,
                port_cost_micro_usd=micro_usd(0),
                port_lead_days=0,
                source="SkyPilot resources block",
            )
            for name, chip in chips.items()
        )
        return found, tuple(allowed)

    def _resource_rate(self, shape: WorkloadShape, chip: AcceleratorName, at: At) -> float:
        """The block says where, not how fast: the planning share of the peak, or the ratio of two peaks."""
        if isinstance(shape, TrainingShape) and shape.work.flop is not None:
            whole = self.names.shape
            return self._peak(chip, at) * TERA * whole.planning_mfu_frac * whole.planning_goodput_frac
        reference = shape.work.reference if isinstance(shape, TrainingShape) else None
        reference = shape.reference if isinstance(shape, ResearchShape) else reference
        if reference is None:
            self.names.wrong("resources say where a fleet runs, not how fast", "write capabilities instead", at)
        known = self.names.accelerator(reference, at)
        return 1.0 if known == chip else self._peak(chip, at) / self._peak(known, at)

    def _peak(self, chip: AcceleratorName, at: At) -> float:
        """Peak dense 16-bit TFLOP/s."""
        facts = self.accelerators[chip]
        peak = facts.peak_dense_bf16_tflops or facts.peak_dense_fp16_tflops
        if peak is None:
            self.names.wrong(f"the 16-bit peak of {chip} is not known", "write capabilities instead", at)
        return peak

    def _doubt(self, rule: str, at: At, message: str) -> None:
        place = self.document.place(at)
        self.findings.append(
            Finding(
                severity=Severity.WARNING,
                rule=rule,
                source=place.file,
                row=str(place.line or ""),
                subject=place.field,
                message=message,
            )
        )


def _allows(resources: Resources, chips: Mapping[str, AcceleratorName], pool: Pool) -> bool:
    """Whether one of a block's alternatives allows a pool."""
    return any(
        (not choice.cloud or choice.cloud == pool.provider.lower())
        and (not choice.region or choice.region == pool.region)
        and pool.accelerator in {chips[name] for name in choice.accelerators}
        for choice in resources.choices
    )
