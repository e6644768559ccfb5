"""Names of things are distinct types, so that a pool is never passed where an offer is meant."""

from typing import NewType

AcceleratorName = NewType("AcceleratorName", str)
CommitmentId = NewType("CommitmentId", str)
LeaseId = NewType("LeaseId", str)
OfferId = NewType("OfferId", str)
PoolId = NewType("PoolId", str)
ProviderId = NewType("ProviderId", str)
WorkloadId = NewType("WorkloadId", str)
