"""A Ray cluster of this machine alone, for as long as stdin stays open: `python -m acreage.crew.ray.head PORT`.

A process of its own: Ray ends processes that have lost their cluster, and whoever asked for one must outlive it. Its
files are in the folder that RAY_TMPDIR names; who may use it, RAY_AUTH_TOKEN says.
"""

import os
import socket
import sys
import time
from pathlib import Path

from ray.cluster_utils import Cluster

LOOPBACK = "127.0.0.1"


def main() -> None:
    """Start the cluster, with its client server at a port; say when it is ready; end with whoever started this."""
    Path(os.environ["RAY_TMPDIR"], "ray").mkdir(parents=True, exist_ok=True)
    node = {
        "num_cpus": os.cpu_count(),
        "ray_client_server_port": int(sys.argv[1]),
        "include_dashboard": False,
    }
    cluster = Cluster(initialize_head=True, head_node_args=node)
    while not _answers(int(sys.argv[1])):
        time.sleep(0.1)
    print("ready", flush=True)
    sys.stdin.read()
    cluster.shutdown()  # type: ignore[no-untyped-call]


def _answers(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port)).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
