"""A crew of a Ray cluster: stateless tasks, done again elsewhere where their worker or node is lost.

This process is a Ray Client, never a node: Ray ends nodes that have lost their cluster. Its calls may still wait for
minutes when a cluster has gone away, so every one of them is given a time limit here.
"""

import contextlib
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import ray
from ray.exceptions import RayTaskError

from acreage.crew.crew import ClusterLost, Item, Kept, Result, T, Tell
from acreage.crew.ray.worker import task, versions
from acreage.units.errors import InputError

Found = TypeVar("Found")

REACH_S, CONNECT_S, START_S, LOAD_S, CALL_S, CLOSE_S = 5.0, 90.0, 120.0, 120.0, 20.0, 10.0
"""Time limits: of a sign of life, Ray's handshake, a local start, sending things there, any other call, a farewell."""
RECONNECT_S = 15
"""How long Ray tries to take up a broken connection again."""
LOOK_S = 1.0
"""How long to wait for a result before looking whether the cluster is still there."""
RETRIES_MAX = 5
"""How often a task is done again whose worker is lost: more often, it is the task that kills its workers."""
IN_FLIGHT_PER_WORKER = 3
"""Tasks handed over at a time: enough that nobody waits, few enough that their items need no room to speak of."""
SOURCE = Path(__file__).parents[2]
"""This package: it is sent to the cluster, which need not have it, and never works with another version of it."""
NEEDED = ("highspy", "numpy", "polars", "scipy")
"""Libraries that work is done with: of the same versions as here for results that are the same to the last digit."""

WORDS_MAX = 150
STARTING = "start a cluster with `ray start --head`; the port is that of its Ray client server, usually 10001"
ALIKE = "Python and Ray must be of the same version there as here, and the cluster needs Acreage's own dependencies"


def connected(text: str, say: Callable[[str], None]) -> "RayCrew":
    """A crew at `ray://HOST:PORT`, or of a cluster started for it here (`ray`).

    Raises `InputError` where there is none that can work for this installation.
    """
    os.environ.setdefault("RAY_CLIENT_RECONNECT_GRACE_PERIOD", str(RECONNECT_S))
    head = _start() if text == "ray" else None
    address = head.address if head else text
    _knock(address)
    shipped = {} if head else {"py_modules": [str(SOURCE)], "excludes": ["**/__pycache__"]}
    crew = RayCrew(text, head)
    try:
        _within(
            CONNECT_S, lambda: ray.init(address, runtime_env=shipped, log_to_driver=False, logging_level=logging.ERROR)
        )
        crew.probe(say)
    except InputError:
        crew.close()
        raise
    except Exception as error:
        crew.close()
        raise InputError(f"the Ray cluster at {text} cannot be used: {_words(error)}", fix=ALIKE) from error
    return crew


@dataclass(frozen=True, slots=True)
class Head:
    """A cluster of this machine alone, and the folder of its files; see `head`."""

    address: str
    process: "subprocess.Popen[str]"
    folder: tempfile.TemporaryDirectory[str]

    def stop(self) -> None:
        """End it, in good order if it can; then whatever is left of it, so that nobody writes into the folder."""
        try:
            self.process.communicate(timeout=CLOSE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.folder.cleanup()


def _start() -> Head:
    """A cluster of this machine; raises `InputError` if it does not come up."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Paths of sockets are limited to some hundred characters, which temporary folders alone may exceed.
    short = Path("/tmp")
    folder = tempfile.TemporaryDirectory(
        prefix="ray-", dir=short if os.access(short, os.W_OK) else None, ignore_cleanup_errors=True
    )
    # A busy machine is given time to start what serves this one client.
    patient = {"RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S": str(round(CONNECT_S))}
    wishes = patient | {
        "RAY_TMPDIR": folder.name,
        "RAY_USAGE_STATS_ENABLED": "0",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "acreage.crew.ray.head", str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **wishes},
        start_new_session=True,
    )
    head = Head(f"ray://127.0.0.1:{port}", process, folder)
    assert process.stdout is not None
    try:
        if _within(START_S, process.stdout.readline):
            return head
        failed = "it ended at once"
    except ClusterLost as error:
        failed = str(error)
    process.kill()
    head.stop()
    raise InputError(f"no Ray cluster could be started on this machine: {failed}", fix="say --engine local")


def _knock(address: str) -> None:
    """See whether anybody listens at an address; raises `InputError`."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_S).close()
    except OSError as error:
        raise InputError(f"no Ray cluster answers at {address}: {error.strerror or error}", fix=STARTING) from error


class RayCrew:
    """All workers of the cluster that this process is connected to; `text` is what the user calls it."""

    def __init__(self, text: str, head: Head | None) -> None:
        self._text = text
        self._head = head
        self._task = ray.remote(num_cpus=1, max_retries=RETRIES_MAX)(task)

    @property
    def workers(self) -> int:
        """The processors of the cluster as it stands."""
        return max(1, int(self._ask(ray.cluster_resources).get("CPU", 0)))

    def keep(self, thing: T) -> Kept[T]:
        """Into the cluster's object store; each worker process unpacks a copy of its own when it first needs it."""
        packed = pickle.dumps(thing, protocol=pickle.HIGHEST_PROTOCOL)
        return Kept(thing, self._ask(lambda: ray.put(packed), LOAD_S))

    def map(
        self, work: Callable[[T, Item], Result], kept: Kept[T], items: Sequence[Item], *, tell: Tell | None = None
    ) -> Iterator[Result]:
        """See `Crew`."""
        under_way: dict[Any, int] = {}
        found: dict[int, Result] = {}
        raised: dict[int, Exception] = {}
        sent = handed = 0
        try:
            most = IN_FLIGHT_PER_WORKER * self.workers
            while handed < len(items):
                if more := items[sent : sent + most - len(under_way)]:
                    under_way |= zip(self._send(work, kept, more), range(sent, sent + len(more)), strict=True)
                    sent += len(more)
                for ref in self._done(list(under_way)):
                    number = under_way.pop(ref)
                    try:
                        found[number] = self._result(ref)
                    except RayTaskError as error:
                        raised[number] = error.cause if isinstance(error.cause, Exception) else error
                    if tell is not None:
                        tell(handed + len(found) + len(raised), len(items))
                while handed in found:
                    yield found.pop(handed)
                    handed += 1
                if handed in raised:
                    raise raised[handed]
        except ClusterLost as lost:
            raise ClusterLost(str(lost), found) from lost
        finally:
            self._call_off(list(under_way))

    def probe(self, say: Callable[[str], None]) -> None:
        """See whether a worker can do this installation's work; raises `InputError`."""
        try:
            there = self._result(self._send(versions, self.keep(None), [NEEDED])[0], LOAD_S)
        except (ClusterLost, RayTaskError) as error:
            what = f"no worker of the Ray cluster at {self._text} can work: {_words(error)}"
            raise InputError(what, fix=ALIKE) from error
        here = versions(None, NEEDED)
        missing = [name for name in here if name not in there]
        if missing:
            raise InputError(f"the Ray cluster at {self._text} lacks {', '.join(missing)}", fix=ALIKE)
        for name in here:
            if here[name] != there[name]:
                say(f"the cluster has {name} {there[name]}, here it is {here[name]}: last digits may differ")

    def close(self) -> None:
        """Leave the cluster; one that was started for this crew ends."""
        with contextlib.suppress(Exception):
            _within(CLOSE_S, ray.shutdown)
        if self._head is not None:
            self._head.stop()

    def _send(self, work: Callable[[T, Item], Result], kept: Kept[T], items: Sequence[Item]) -> list[Any]:
        """Hand some items over; their references, once the cluster has them."""

        def send() -> list[Any]:
            # Within a list a reference stays one: only workers that do not have it yet fetch what it stands for.
            refs = [self._task.remote(work, [kept.place], item) for item in items]
            return [ref for ref in refs if ref.hex()]

        return self._ask(send, LOAD_S)

    def _done(self, refs: list[Any]) -> list[Any]:
        """Those that are done, waiting a little for the first; raises `ClusterLost` if nobody is left to do any."""
        done, _ = self._ask(lambda: ray.wait(refs, num_returns=1, timeout=LOOK_S))
        if not done and not any(node["Alive"] and node["Resources"].get("CPU") for node in self._ask(ray.nodes)):
            raise ClusterLost(f"the Ray cluster at {self._text} has lost all its workers")
        return list(done)

    def _result(self, ref: Any, limit_s: float = CALL_S) -> Any:
        """A result; raises `RayTaskError` with what its work raised as its cause."""
        return self._ask(lambda: ray.get(ref), limit_s)

    def _call_off(self, refs: list[Any]) -> None:
        """Nobody waits for these any more."""
        with contextlib.suppress(ClusterLost):
            self._ask(lambda: [ray.cancel(ref, force=False) for ref in refs])

    def _ask(self, call: Callable[[], Found], limit_s: float = CALL_S) -> Found:
        """Ask the cluster; raises `ClusterLost` where it does not answer in time or says that it cannot."""
        try:
            # Asked without a connection, Ray starts another cluster.
            if not ray.is_initialized():
                raise ConnectionError("the connection is closed")
            return _within(limit_s, call)
        except RayTaskError:
            raise
        except Exception as error:
            # Ray, its client and what carries their messages have many words for it.
            raise ClusterLost(f"the Ray cluster at {self._text} went away: {_words(error)}") from error


def _within(limit_s: float, call: Callable[[], Found]) -> Found:
    """What a call returns or raises; raises `ClusterLost` if it takes longer. It is then left to itself."""
    answers: list[Found] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit_s)
    if errors:
        raise errors[0]
    if not answers:
        raise ClusterLost(f"no answer within {limit_s:.0f} s")
    return answers[0]


def _words(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 2 * WORDS_MAX else f"{text[:WORDS_MAX]} ... {text[-WORDS_MAX:]}"
