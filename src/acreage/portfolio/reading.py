"""One reading of one document: what every part of the reader needs, and the values people write as text."""

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from acreage.catalog.accelerators import find
from acreage.catalog.accelerators import nearest as nearest_accelerator
from acreage.domain.accelerator import Accelerator
from acreage.domain.finding import Finding, Severity
from acreage.domain.price import Price, PriceBasis, PriceKind, Provenance
from acreage.domain.provider import DelayModel
from acreage.portfolio.conform import nearest
from acreage.portfolio.document import At, Document, path_text
from acreage.portfolio.shape import DelayShape, PriceShape
from acreage.units.errors import InputError, Place
from acreage.units.ids import AcceleratorName
from acreage.units.instants import Duration, Instant, instant
from acreage.units.money import MicroUsd, micro_usd

ListPrice = Callable[[str, str, AcceleratorName, PriceKind], Price | None]
"""Provider, region, accelerator and kind -> the list price of one accelerator-hour, None where there is none."""

USD_MAX = 1e12
_YEARS = (1990, 2150)
_DAYS_MAX = 36_500
_PRICE = re.compile(r"([\d_]*\.?\d[\d_]*(?:[eE][-+]?\d+)?)\s*([kMB]?) ?USD ?(?:/|per ) ?([\w-]+)(?: of ([\d_.]+))?")
_SIZES = {"": 1, "k": 1_000, "M": 1_000_000, "B": 1_000_000_000}
_UNIT_HINT = "write for example 4.30 USD/accelerator_hour, 98.32 USD/node_hour of 8 or catalog"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The document, the planning day, the chips known and the list prices; findings gather as it is read."""

    document: Document
    as_of_at: Instant
    accelerators: Mapping[AcceleratorName, Accelerator]
    list_price: ListPrice
    findings: list[Finding] = field(default_factory=list)

    def place(self, at: At) -> Place:
        """Where a path stands."""
        return self.document.place(at)

    def wrong(self, at: At, what: str, fix: str = "") -> InputError:
        """The error to raise for what stands at `at`."""
        return InputError(what, fix=fix, place=self.document.place(at))

    def doubt(self, at: At, rule: str, message: str, severity: Severity = Severity.WARNING) -> None:
        """Keep a finding about what stands at `at`."""
        place = self.document.place(at)
        row = f"{place.line}:{place.column}" if place.line is not None else ""
        found = Finding(
            severity=severity, rule=rule, source=place.file, row=row, subject=path_text(at), message=message
        )
        self.findings.append(found)

    def known(self, at: At, name: str, kind: str, names: Mapping[str, object]) -> None:
        """Raise unless `name` is one of `names`."""
        if name not in names:
            raise self.wrong(at, f"unknown {kind} {name!r}", nearest(name, names))

    def chip(self, at: At, name: str) -> AcceleratorName:
        """The canonical name of an accelerator."""
        if name in self.accelerators:
            return AcceleratorName(name)
        found = find(name)
        if found is None:
            near = nearest_accelerator(name)
            fix = f"did you mean {near!r}?" if near else nearest(name, self.accelerators)
            raise self.wrong(at, f"unknown accelerator {name!r}", fix)
        return found

    def day(self, at: At, day: datetime.date) -> Instant:
        """Midnight of a date."""
        if not _YEARS[0] <= day.year <= _YEARS[1]:
            raise self.wrong(at, f"the year {day.year} is out of range", f"write a date of {_YEARS[0]} to {_YEARS[1]}")
        return instant(day)

    def days_in_order(
        self, at: At, first: datetime.date, last: datetime.date, names: tuple[str, str]
    ) -> tuple[Instant, Instant]:
        """Two dates of which the first must come before the second."""
        low, high = self.day((*at, names[0]), first), self.day((*at, names[1]), last)
        if low >= high:
            what = f"{names[1]} {last} is not after {names[0]} {first}"
            raise self.wrong((*at, names[1]), what, f"write a date after {first}")
        return low, high

    def span(self, at: At, text: str) -> Duration:
        """A duration: 36 months, 182 days."""
        number, unit = text.split(" ")
        count, unit = int(number[:9]), unit.rstrip("s")
        days = {"day": 1, "week": 7, "month": 31, "year": 366}[unit] * count
        if len(number) > 9 or days > _DAYS_MAX:
            raise self.wrong(at, f"{text!r} is longer than a contract can be", "at most 99 years")
        if unit in ("month", "year"):
            return Duration(months=count * (12 if unit == "year" else 1))
        return Duration(days=days)

    def span_or_none(self, at: At, text: str | None) -> Duration | None:
        """A duration that may be left out."""
        return None if text is None else self.span(at, text)

    def money(self, at: At, amount: float) -> MicroUsd:
        """An amount in US dollars."""
        if abs(amount) > USD_MAX:
            raise self.wrong(at, f"{amount:g} USD is more than a trillion", "amounts are in US dollars")
        return micro_usd(amount)

    def delay(self, at: At, shape: DelayShape) -> DelayModel:
        """How late deliveries come."""
        if shape.median_days > shape.p90_days:
            what = f"the median of {shape.median_days:g} days is above the 90th percentile of {shape.p90_days:g}"
            raise self.wrong((*at, "p90_days"), what, "p90_days is at least median_days")
        if shape.p90_days > 0 and shape.median_days == 0:
            raise self.wrong((*at, "median_days"), "median_days is 0 and p90_days is not", "give both, or neither")
        return DelayModel(
            on_time_frac=shape.on_time_frac, median_days=shape.median_days, p90_days=shape.p90_days
        )

    def price(self, at: At, written: str | PriceShape, listed: tuple[str, str, AcceleratorName, PriceKind]) -> Price:
        """A price as written, or the list price of (provider, region, accelerator, kind)."""
        if isinstance(written, PriceShape):
            return self._stated_price(at, written)
        words = written.split()
        if words[:1] == ["catalog"] and len(words) <= 2:
            return self._list_price(at, words[1] if len(words) == 2 else listed[3].value, listed)
        match = _PRICE.fullmatch(written.strip())
        if match is None:
            raise self.wrong(at, f"{written!r} is not a price with a unit", _UNIT_HINT)
        units = {basis.value: basis for basis in PriceBasis}
        unit = match[3].replace("-", "_").lower()
        if unit not in units and unit not in ("mw_year", "month"):
            raise self.wrong(at, f"unknown unit {match[3]!r} in a price", nearest(match[3], [*units, "MW-year", "month"]))
        return self._written_price(at, match, unit)

    def _written_price(self, at: At, match: re.Match[str], unit: str) -> Price:
        amount = Decimal(match[1].replace("_", "")) * _SIZES[match[2]]
        basis = PriceBasis({"mw_year": "mw_month", "month": "monthly_lump"}.get(unit, unit))
        if unit == "mw_year":
            amount /= 12
        if match[4] is None and basis is not PriceBasis.ACCELERATOR_HOUR:
            fix = f"write {match[0]} of 8, or {{usd: ..., per: {basis.value}, accelerators_per_unit: 8}}"
            raise self.wrong(at, f"how many accelerators one {basis.value} holds is missing", fix)
        try:
            count = float(match[4].replace("_", "")) if match[4] else 1.0
        except ValueError:
            raise self.wrong(at, f"{match[4]!r} is not a number of accelerators", _UNIT_HINT) from None
        return self._checked(at, basis, float(amount), count, PriceKind.CONTRACT, Provenance(source="the portfolio"))

    def _stated_price(self, at: At, shape: PriceShape) -> Price:
        as_of_at = None if shape.as_of is None else self.day((*at, "as_of"), shape.as_of)
        provenance = Provenance(source=shape.source, as_of_at=as_of_at)
        kind = PriceKind(shape.kind) if shape.kind else PriceKind.CONTRACT
        if shape.per == "monthly_lump" and shape.accelerators_per_unit == 1.0:
            raise self.wrong(at, "a monthly lump for one accelerator", "accelerators_per_unit is all it pays for")
        return self._checked(at, PriceBasis(shape.per), shape.usd, shape.accelerators_per_unit, kind, provenance)

    def _checked(
        self, at: At, basis: PriceBasis, amount: float, count: float, kind: PriceKind, provenance: Provenance
    ) -> Price:
        micro = self.money(at, amount)
        if micro <= 0 or count <= 0:
            raise self.wrong(at, "a price of zero", "write what is paid; leave the field out where nothing is sold")
        return Price(
            basis=basis, amount_micro_usd=micro, accelerators_per_unit=count, kind=kind, provenance=provenance
        )

    def _list_price(self, at: At, kind: str, listed: tuple[str, str, AcceleratorName, PriceKind]) -> Price:
        kinds = {one.value: one for one in PriceKind}
        self.known(at, kind, "kind of price", kinds)
        provider, region, accelerator, _ = listed
        price = self.list_price(provider, region, accelerator, kinds[kind])
        if price is None:
            what = f"no {kind} list price of {accelerator} at {provider} in {region} is known"
            raise self.wrong(at, what, "write a contract price, for example 4.30 USD/accelerator_hour")
        return price
