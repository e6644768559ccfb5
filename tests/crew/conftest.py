"""A real Ray cluster of three nodes on this machine."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.cluster_utils import Cluster

from tests.crew import chores

NODES = 3


@dataclass(frozen=True, slots=True)
class Started:
    """A cluster, its nodes but the head, and where clients connect."""

    cluster: Any
    others: list[Any]
    address: str


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def started() -> Iterator[Started]:
    """Three nodes of one processor each, their files in a folder of their own with a short name."""
    folder, port = Path(tempfile.mkdtemp(prefix="r")), free_port()
    small = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
    (folder / "ray").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", str(folder))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S", "80")
        patch.setenv("RAY_CLIENT_RECONNECT_GRACE_PERIOD", "3")
        # Acreage is sent to the cluster, its tests are not.
        ray.cloudpickle.register_pickle_by_value(chores)
        head = {**small, "ray_client_server_port": port, "include_dashboard": False}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            others = [cluster.add_node(**small) for _ in range(NODES - 1)]
            yield Started(cluster, others, f"ray://127.0.0.1:{port}")
        finally:
            cluster.shutdown()
            shutil.rmtree(folder, ignore_errors=True)
