"""The kinds of fields that shapes of documents are made of: names, dates, durations, shares, amounts."""

import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

DURATION = r"^\d+ (day|week|month|year)s?$"

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Date = datetime.date
Span = Annotated[str, Meta(pattern=DURATION, description="A duration: 36 months, 182 days, 13 weeks, 2 years.")]
Frac = Annotated[float, Meta(ge=0, le=1, description="A share between 0 and 1.")]
Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=1)]
Days = Annotated[int, Meta(ge=0, le=36500)]
Usd = Annotated[float, Meta(ge=0, description="US dollars.")]


class Shape(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """A mapping with exactly these fields."""
