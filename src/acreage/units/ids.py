"""Names of things are distinct types, so that a pool is never passed where an offer is meant."""

import secrets
import time
from typing import NewType

AcceleratorName = NewType("AcceleratorName", str)
BidId = NewType("BidId", str)
BidderId = NewType("BidderId", str)
CommitmentId = NewType("CommitmentId", str)
LeaseId = NewType("LeaseId", str)
LesseeName = NewType("LesseeName", str)
LotId = NewType("LotId", str)
OfferId = NewType("OfferId", str)
PoolId = NewType("PoolId", str)
ProviderId = NewType("ProviderId", str)
QuoteId = NewType("QuoteId", str)
RfqId = NewType("RfqId", str)
VenueName = NewType("VenueName", str)
WorkloadId = NewType("WorkloadId", str)


def new_id() -> str:
    """An id that nobody has used: 12 hexadecimal digits of milliseconds since 1970 and 20 at random.

    Later ids sort after earlier ones, which keeps an index that holds them compact.
    """
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
