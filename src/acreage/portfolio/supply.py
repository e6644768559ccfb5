"""Providers, pools, leases, commitments and offers from their shapes."""

from collections.abc import Iterable
from dataclasses import dataclass

from acreage.domain.lease import Commitment, Delivery, Lease, Offer
from acreage.domain.price import PriceKind, Provenance
from acreage.domain.provider import DelayModel, MarketAccess, Pool, Provider, PurchaseRule
from acreage.domain.terms import (
    Exclusivity,
    ExtensionOption,
    FeeStep,
    FirstRefusal,
    Milestone,
    PriceTier,
    RecallRight,
    SpendCommitment,
    SpendKind,
    Termination,
    Terms,
    Tranche,
)
from acreage.portfolio.document import At, Document
from acreage.portfolio.names import Names
from acreage.portfolio.quantities import ListPrice, Where, date_at, delay_model, duration, price_of
from acreage.portfolio.shape import (
    AccessShape,
    DeliveryShape,
    LeaseShape,
    OfferShape,
    PledgeShape,
    PoolShape,
    PortfolioShape,
    ProviderShape,
    PurchaseRuleShape,
    TermsShape,
    TrancheShape,
)
from acreage.units.ids import AcceleratorName, CommitmentId, LeaseId, OfferId, PoolId, ProviderId
from acreage.units.instants import Duration
from acreage.units.money import MicroUsd, micro_usd

ON_TIME = DelayModel(on_time_frac=1.0, median_days=0.0, p90_days=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyReader:
    """Reads the supply side of one document."""

    document: Document
    shape: PortfolioShape
    names: Names
    list_price: ListPrice

    def providers(self) -> dict[ProviderId, Provider]:
        """Providers by id."""
        self.names.distinct("provider", "providers", [p.id for p in self.shape.providers])
        return {ProviderId(p.id): _provider(p) for p in self.shape.providers}

    def pools(self) -> dict[PoolId, Pool]:
        """Pools by id."""
        self.names.distinct("pool", "pools", [p.id for p in self.shape.pools])
        return {PoolId(p.id): self._pool(p, ("pools", i)) for i, p in enumerate(self.shape.pools)}

    def _pool(self, shape: PoolShape, at: At) -> Pool:
        provider = self.names.provider(shape.provider, (*at, "provider"))
        accelerator = self.names.accelerator(shape.accelerator, (*at, "accelerator"))
        return Pool(
            id=PoolId(shape.id),
            provider=provider,
            region=shape.region,
            site=shape.site or f"{provider}/{shape.region}",
            accelerator=accelerator,
            fabric=shape.fabric,
            fabric_accelerators_max=shape.fabric_accelerators_max,
            on_demand=self._access(shape, shape.on_demand, accelerator, PriceKind.ON_DEMAND, (*at, "on_demand")),
            spot=self._access(shape, shape.spot, accelerator, PriceKind.SPOT, (*at, "spot")),
        )

    def _access(
        self, pool: PoolShape, shape: AccessShape | None, accelerator: AcceleratorName, kind: PriceKind, at: At
    ) -> MarketAccess | None:
        if shape is None:
            return None
        where = Where(provider=pool.provider, region=pool.region, accelerator=accelerator, kind=kind)
        price = price_of(self.document, (*at, "price"), shape.price, where, self.list_price)
        return MarketAccess(price=price, accelerators_max=shape.accelerators_max)

    def leases(self, pools: dict[PoolId, Pool]) -> tuple[Lease, ...]:
        """Leases held."""
        return tuple(self._lease(lease, ("leases", i), pools) for i, lease in enumerate(self.shape.leases))

    def _lease(self, shape: LeaseShape, at: At, pools: dict[PoolId, Pool]) -> Lease:
        pool = self._pool_of(shape.pool, shape.provider, at, pools)
        self.names.in_order(shape.starts, shape.ends, "ends", "starts", (*at, "ends"))
        for i, delivery in enumerate(shape.deliveries):
            if delivery.accelerators == 0:
                self.names.wrong("a delivery of no accelerators", "leave it out", (*at, "deliveries", i))
            if delivery.due >= shape.ends:
                self.names.wrong(
                    f"a delivery due {delivery.due} after the lease ends",
                    f"it must be due before {shape.ends}",
                    (*at, "deliveries", i, "due"),
                )
        return Lease(
            id=LeaseId(shape.id),
            provider=pool.provider,
            pool=pool.id,
            starts_at=date_at(shape.starts),
            ends_at=date_at(shape.ends),
            deliveries=tuple(_delivery(d) for d in shape.deliveries),
            terms=self._terms(shape, pool, at),
        )

    def _pool_of(self, pool_id: str, provider: str, at: At, pools: dict[PoolId, Pool]) -> Pool:
        self.names.provider(provider, (*at, "provider"))
        pool = pools[self.names.pool(pool_id, (*at, "pool"))]
        if pool.provider != provider:
            self.names.wrong(
                f"pool {pool.id} belongs to {pool.provider}, not to {provider}",
                f"name a pool of {provider}, or {pool.provider} as the provider",
                (*at, "pool"),
            )
        return pool

    def commitments(self) -> tuple[Commitment, ...]:
        """Spend commitments held."""
        self.names.distinct("commitment", "commitments", [c.id for c in self.shape.commitments])
        found = []
        for i, shape in enumerate(self.shape.commitments):
            provider = self.names.provider(shape.provider, ("commitments", i, "provider"))
            found.append(Commitment(id=CommitmentId(shape.id), spend=self._pledge(shape, provider, ("commitments", i))))
        return tuple(found)

    def _pledge(self, shape: PledgeShape, provider: ProviderId, at: At) -> SpendCommitment:
        before = None
        for i, milestone in enumerate(shape.milestones):
            here = (*at, "milestones", i)
            self.names.in_order(before.due if before else shape.starts, milestone.due, "due", "the one before", here)
            if before is not None and milestone.cumulative_usd < before.cumulative_usd:
                self.names.wrong(
                    "milestones are cumulative, and this one is below the one before",
                    f"it must be at least {before.cumulative_usd:.0f}",
                    (*here, "cumulative_usd"),
                )
            before = milestone
        return SpendCommitment(
            provider=provider,
            starts_at=date_at(shape.starts),
            milestones=tuple(
                Milestone(due_at=date_at(m.due), cumulative_micro_usd=micro_usd(m.cumulative_usd))
                for m in shape.milestones
            ),
            drawn_micro_usd=MicroUsd(micro_usd(shape.drawn_usd)),
            eligible=frozenset(SpendKind(kind) for kind in shape.eligible),
        )

    def offers(self, pools: dict[PoolId, Pool]) -> tuple[Offer, ...]:
        """Offers on the table."""
        ids = [offer.id for offer in self.shape.offers]
        return tuple(self._offer(offer, ("offers", i), pools, ids) for i, offer in enumerate(self.shape.offers))

    def _offer(self, shape: OfferShape, at: At, pools: dict[PoolId, Pool], ids: list[str]) -> Offer:
        pool = self._pool_of(shape.pool, shape.provider, at, pools)
        if shape.blocks.max < shape.blocks.min:
            self.names.wrong(
                f"blocks: max {shape.blocks.max} is below min {shape.blocks.min}", "exchange them", (*at, "blocks")
            )
        if shape.start.until < shape.start.from_:
            self.names.wrong(
                f"the start window ends ({shape.start.until}) before it begins ({shape.start.from_})",
                "exchange them",
                (*at, "start"),
            )
        for kind, others in (("excludes", shape.excludes), ("requires", shape.requires)):
            for j, other in enumerate(others):
                self.names.known("offer", other, ids, (*at, kind, j))
        self._check_tiers(shape, at)
        return Offer(
            id=OfferId(shape.id),
            provider=pool.provider,
            pool=pool.id,
            product=shape.product,
            accelerators_per_block=shape.accelerators_per_block,
            blocks_min=shape.blocks.min,
            blocks_max=shape.blocks.max,
            start_from_at=date_at(shape.start.from_),
            start_until_at=date_at(shape.start.until),
            term=duration(shape.term),
            tranches=self._tranches(shape, at),
            tiers=tuple(PriceTier(blocks_min=t.blocks_min, price_frac=t.price_frac) for t in shape.tiers),
            terms=self._terms(shape, pool, at),
            commitment=self._pledge(shape.commitment, pool.provider, (*at, "commitment")) if shape.commitment else None,
            excludes=tuple(OfferId(other) for other in shape.excludes),
            requires=tuple(OfferId(other) for other in shape.requires),
            expires_at=date_at(shape.expires) if shape.expires else None,
            provenance=Provenance(source=shape.source),
        )

    def _check_tiers(self, shape: OfferShape, at: At) -> None:
        last = 0
        for i, tier in enumerate(shape.tiers):
            if tier.blocks_min <= last:
                self.names.wrong(
                    "tiers must be in rising order of blocks_min", "sort them", (*at, "tiers", i, "blocks_min")
                )
            last = tier.blocks_min

    def _tranches(self, shape: OfferShape, at: At) -> tuple[Tranche, ...]:
        if not shape.tranches:
            return (Tranche(share_frac=1.0, after=Duration()),)
        total = sum(t.share_frac for t in shape.tranches)
        if abs(total - 1.0) > 1e-6:
            self.names.wrong(f"the shares of the tranches sum to {total:.6g}", "they must sum to 1", (*at, "tranches"))
        return tuple(_tranche(t) for t in shape.tranches)

    def _terms(self, shape: TermsShape, pool: Pool, at: At) -> Terms:
        where = Where(provider=pool.provider, region=pool.region, accelerator=pool.accelerator, kind=PriceKind.CONTRACT)
        if shape.termination is not None and shape.firm_term is None:
            self.names.wrong(
                "a right to leave needs the firm term it begins after", "add firm_term", (*at, "termination")
            )
        return Terms(
            price=price_of(self.document, (*at, "price"), shape.price, where, self.list_price),
            take_or_pay_frac=shape.take_or_pay_frac,
            prepayment_frac=shape.prepayment_frac,
            escalator_frac_per_year=shape.escalator_frac_per_year,
            sparing_frac=shape.sparing_frac,
            fee_steps=tuple(FeeStep(after=duration(s.after), fee_frac=s.fee_frac) for s in shape.fee_steps),
            firm_term=duration(shape.firm_term) if shape.firm_term else None,
            termination=Termination(notice_days=shape.termination.notice_days, fee_frac=shape.termination.fee_frac)
            if shape.termination
            else None,
            extension=ExtensionOption(
                duration=duration(shape.extension.duration), price_frac=shape.extension.price_frac
            )
            if shape.extension
            else None,
            recall=RecallRight(
                after=duration(shape.recall.after),
                notice_days=shape.recall.notice_days,
                recalls_per_year=shape.recall.recalls_per_year,
            )
            if shape.recall
            else None,
            exclusivity=Exclusivity(
                until_at=date_at(shape.exclusivity.until),
                accelerators=self._chips(shape.exclusivity.accelerators, (*at, "exclusivity")),
            )
            if shape.exclusivity
            else None,
            first_refusal=FirstRefusal(
                until_at=date_at(shape.first_refusal.until),
                response_days=shape.first_refusal.response_days,
                accelerators=self._chips(shape.first_refusal.accelerators, (*at, "first_refusal")),
            )
            if shape.first_refusal
            else None,
            most_favoured=shape.most_favored,
        )

    def _chips(self, chips: Iterable[str], at: At) -> tuple[AcceleratorName, ...]:
        return tuple(self.names.accelerator(chip, (*at, "accelerators", i)) for i, chip in enumerate(chips))


def _provider(shape: ProviderShape) -> Provider:
    return Provider(
        id=ProviderId(shape.id),
        name=shape.name or shape.id,
        equity_group=shape.equity_group or shape.id,
        delay=delay_model(shape.delay) or ON_TIME,
        outages_per_year=shape.outages_per_year,
        outage_days=shape.outage_days,
        outage_lost_frac=shape.outage_lost_frac,
        purchase_rules=tuple(_purchase_rule(rule) for rule in shape.purchase_rules),
    )


def _purchase_rule(shape: PurchaseRuleShape) -> PurchaseRule:
    return PurchaseRule(
        product=shape.product,
        lead_time_min=duration(shape.lead_time_min) if shape.lead_time_min else None,
        lead_time_max=duration(shape.lead_time_max) if shape.lead_time_max else None,
        term_min=duration(shape.term_min) if shape.term_min else None,
        term_max=duration(shape.term_max) if shape.term_max else None,
        accelerators_max=shape.accelerators_max,
        cancellable=shape.cancellable,
        source=shape.source,
    )


def _delivery(shape: DeliveryShape) -> Delivery:
    return Delivery(
        accelerators=shape.accelerators,
        due_at=date_at(shape.due),
        grace_days=shape.grace_days,
        late_discount_frac=shape.late_discount_frac,
        terminable_after_days=shape.terminable_after_days,
        delay=delay_model(shape.delay),
    )


def _tranche(shape: TrancheShape) -> Tranche:
    return Tranche(
        share_frac=shape.share_frac,
        after=duration(shape.after),
        grace_days=shape.grace_days,
        late_discount_frac=shape.late_discount_frac,
        terminable_after_days=shape.terminable_after_days,
        delay=delay_model(shape.delay),
    )
