"""AWS Price List JSON: offer files (bulk) and answers of GetProducts, whose terms are one level flatter.

Only Linux on shared tenancy without extra software is compared; the rest is out of scope
with its reason. A reserved price is the hourly fee plus the upfront `Quantity` spread over
the term. Prices of another currency than USD are kept but never become a price.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from acreage.catalog.feeds.document import Document, mapping, sequence
from acreage.catalog.feeds.feed import Feed, quotes_from_rows
from acreage.catalog.table import OUT_OF_SCOPE, UNKNOWN
from acreage.domain.price import PriceKind
from acreage.units.errors import InputError, Place

_TERM_HOURS = {"1yr": 8_760, "3yr": 26_280}
_TERM_KINDS = {"1yr": PriceKind.RESERVED_1Y, "3yr": PriceKind.RESERVED_3Y}
_FAMILIES = ("Compute Instance", "Compute Instance (bare metal)")
_WANTED = (
    ("operatingSystem", ("Linux", "NA", ""), "operating system"),
    ("tenancy", ("Shared", "NA", ""), "tenancy"),
    ("preInstalledSw", ("NA", ""), "installed software"),
    ("capacitystatus", ("Used", "NA", ""), "capacity status"),
)


def _recognises(document: Document) -> bool:
    if not document.is_json:
        return False
    head = document.text[:4_000]
    return any(f'"{key}"' in head for key in ("offerCode", "PriceList", "serviceCode"))


def _read(document: Document) -> pl.DataFrame:
    rows = [row for item in _items(document) for row in _rows_of(item, document)]
    return quotes_from_rows(rows, feed=FEED.name, document=document)


def _items(document: Document) -> Iterator[dict[str, Any]]:
    """Each product with its terms and the list's date, whichever of the shapes the document has."""
    content = document.json
    if isinstance(content, dict) and "offerCode" in content:
        yield from _items_of_offer_file(content, document)
        return
    items: list[Any]
    if isinstance(content, dict) and "PriceList" in content:
        items = list(sequence(content["PriceList"], document, "PriceList"))
    else:
        items = list(content.values()) if isinstance(content, dict) else list(content)
    for number, item in enumerate(items):
        yield dict(mapping(_unpacked(item, document, number), document, f"item {number}"))


def _unpacked(item: object, document: Document, number: int) -> object:
    """GetProducts returns each item as JSON within a JSON text."""
    if not isinstance(item, str):
        return item
    try:
        return json.loads(item)
    except json.JSONDecodeError as error:
        place = Place(file=document.path, field=f"PriceList[{number}]")
        raise InputError(f"not valid JSON: {error.msg}", place=place) from None


def _items_of_offer_file(content: Mapping[str, Any], document: Document) -> Iterator[dict[str, Any]]:
    products = mapping(content.get("products"), document, "products")
    terms = mapping(content.get("terms", {}), document, "terms")
    date = content.get("publicationDate", "")
    for sku, product in products.items():
        own = {kind: by_sku[sku] for kind, by_sku in terms.items() if sku in by_sku}
        yield {
            "product": {"sku": sku, **mapping(product, document, sku)},
            "terms": own,
            "publicationDate": date,
        }
    for kind, by_sku in terms.items():
        for sku, own_terms in mapping(by_sku, document, f"terms.{kind}").items():
            if sku not in products:
                yield {"product": {"sku": sku}, "terms": {kind: own_terms}, "publicationDate": date}


def _rows_of(item: Mapping[str, Any], document: Document) -> Iterator[dict[str, object]]:
    product = mapping(item.get("product"), document, "product")
    attributes = mapping(product.get("attributes", {}), document, "attributes")
    base = _base(product, attributes)
    offers = [
        (kind, code, mapping(offer, document, str(code)))
        for kind, by_code in mapping(item.get("terms", {}), document, "terms").items()
        for code, offer in mapping(by_code, document, kind).items()
    ]
    if not offers:
        yield {"status": UNKNOWN, "rule": "missing_price", "reason": "the product has no term", **base}
    for kind, code, offer in offers:
        date = item.get("publicationDate") or offer.get("effectiveDate") or ""
        yield {
            **base,
            "row": code,
            "as_of_text": date,
            **_priced(kind, attributes, offer, document),
            **_scope(base),
        }


def _base(product: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, object]:
    scope = _out_of_scope(product, attributes)
    return {
        "row": product.get("sku", ""),
        "provider": "aws",
        "region": attributes.get("regionCode") or attributes.get("location", ""),
        "instance_type": attributes.get("instanceType", ""),
        "accelerators": attributes.get("gpu"),
        "source": "AWS Price List",
        **({"status": OUT_OF_SCOPE, "rule": "other_product", "reason": scope} if scope else {}),
    }


def _scope(base: Mapping[str, object]) -> dict[str, object]:
    return {key: base[key] for key in ("status", "rule", "reason") if key in base}


def _out_of_scope(product: Mapping[str, Any], attributes: Mapping[str, Any]) -> str:
    if "productFamily" not in product:
        return "a term without a product"
    if product["productFamily"] not in _FAMILIES:
        return f"a price of {product['productFamily']}"
    for name, wanted, words in _WANTED:
        value = attributes.get(name, "")
        if value not in wanted:
            return f"{words} {value}"
    return ""


def _priced(
    kind: str, attributes: Mapping[str, Any], offer: Mapping[str, Any], document: Document
) -> dict[str, object]:
    """The price per instance-hour of one term."""
    terms = mapping(offer.get("termAttributes", {}), document, "termAttributes")
    length = str(terms.get("LeaseContractLength", "")).replace(" ", "")
    hours = _TERM_HOURS.get(length)
    price_kind = _price_kind(kind, attributes, length)
    words = f"{terms.get('PurchaseOption', '')} {terms.get('OfferingClass', '')}".strip()
    currency, amount, reason = _per_hour(offer, hours, document)
    odd = {} if not reason else {"status": OUT_OF_SCOPE, "rule": "other_unit", "reason": reason}
    if price_kind is None:
        odd = {
            "status": OUT_OF_SCOPE,
            "rule": "other_price_kind",
            "reason": f"{kind} term of {length or 'no length'}",
        }
    shown = price_kind or PriceKind.ON_DEMAND
    return {"price_kind": shown.value, "terms": words, "currency": currency, "price_text": amount, **odd}


def _price_kind(kind: str, attributes: Mapping[str, Any], length: str) -> PriceKind | None:
    if attributes.get("marketoption") == "CapacityBlock":
        return PriceKind.CAPACITY_BLOCK
    return PriceKind.ON_DEMAND if kind == "OnDemand" else _TERM_KINDS.get(length)


def _per_hour(offer: Mapping[str, Any], hours: int | None, document: Document) -> tuple[str, str, str]:
    """Currency, price per hour as text, and why it is none of ours (empty: it is)."""
    dimensions = mapping(offer.get("priceDimensions", {}), document, "priceDimensions")
    currency, total, text = "USD", 0.0, ""
    for dimension in dimensions.values():
        unit = str(dimension.get("unit", ""))
        currency, text = next(iter(dimension.get("pricePerUnit", {}).items()), ("USD", ""))
        if str(dimension.get("beginRange", "0")) != "0":
            return currency, text, "a price above a usage tier"
        share = 1.0 if unit in ("Hrs", "Hours") else 1.0 / hours if unit == "Quantity" and hours else None
        if share is None:
            return currency, text, f"a price per {unit}"
        try:
            total += float(text) * share
        except ValueError:
            return currency, text, ""
    single = len(dimensions) == 1 and hours is None
    return currency, text if single or not dimensions else f"{total:.6f}" if total == total else "nan", ""


FEED = Feed(
    name="aws_price_list",
    summary="AWS Price List JSON: offer file or GetProducts answer",
    recognises=_recognises,
    read=_read,
)
