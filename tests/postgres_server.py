"""
A PostgreSQL of our own for tests: in a temporary folder, on a private port, for as long as somebody
uses it.

All processes of a test run share one. It is watched by a process that waits for a lock which each
user holds: however the last of them ends, the server ends too.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

USER, PASSWORD = "tester", "pa55-w0rd"
ABSENT = "no PostgreSQL here: install Debian's package `postgresql` for the tests of shared ledgers"
_READY = 30.0


def binaries() -> Path | None:
    """
    Give the folder of `initdb` and `postgres`, the newest, or `None`.
    """
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    found = [folder for folder in folders if (folder / "initdb").exists()]
    if found:
        return max(found, key=lambda folder: float(folder.parent.name))
    place = shutil.which("initdb")
    return Path(place).parent if place and shutil.which("postgres") else None


def _account() -> dict[str, Any]:
    """
    Give the user to be, where we are root: PostgreSQL refuses to run as that.
    """
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("there is no unprivileged user to run PostgreSQL as")


class Server:
    """
    A server. `start` and `stop` may be called again and again; `remove` ends it for good.
    """

    def __init__(self) -> None:
        home = binaries()
        assert home is not None
        self._home = home
        self._account = _account()
        self._folder = Path(tempfile.mkdtemp(prefix="comfygraph-postgres-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        if self._account:
            os.chown(self._folder, self._account["user"], self._account["group"])
        secret = self._folder / "password"
        secret.write_text(f"{PASSWORD}\n")
        if self._account:
            os.chown(secret, self._account["user"], self._account["group"])
        self._run(
            "initdb", "-D", "data", "-U", USER, "-A", "scram-sha-256", "--pwfile", "password",
            "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync",
        )  # fmt: skip

    def start(self) -> None:
        """
        Start the server and wait until it takes connections.
        """
        if not self.port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "",
            "fsync": "off", "full_page_writes": "off", "max_connections": 200,
            "shared_buffers": "32MB",
        }  # fmt: skip
        options = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._home / "postgres", "-D", "data", *options],
                cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **self._account,
            )  # fmt: skip
        until = time.monotonic() + _READY
        while subprocess.run(
            [self._home / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False
        ).returncode:
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self._folder / "log").read_text("utf-8", "replace")[-2000:])
            time.sleep(0.05)

    def stop(self) -> None:
        """
        Stop the server at once, as a loss of power would.
        """
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(10)

    def remove(self) -> None:
        """
        Stop the server and remove all of it.
        """
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._home / name, *arguments],
            cwd=self._folder, capture_output=True, text=True, check=False, **self._account,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr}")


def url_of(port: int, database: str) -> str:
    """
    Give the address of a database, with the password.
    """
    return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/{database}"


@contextmanager
def shared_server(folder: Path) -> Iterator[int]:
    """
    Give the port of the server that all users of a folder share.
    """
    if binaries() is None:
        pytest.skip(ABSENT)
    notes = folder / "postgres.json"
    with (folder / "postgres.users").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        with (folder / "postgres.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not notes.exists():
                with (folder / "postgres.err").open("wb") as err:
                    watcher = subprocess.Popen(
                        [sys.executable, __file__, str(folder)],
                        stdin=subprocess.DEVNULL, stdout=err, stderr=err, start_new_session=True,
                    )  # fmt: skip
                while not notes.exists():
                    if watcher.poll() is not None:
                        raise RuntimeError((folder / "postgres.err").read_text())
                    time.sleep(0.05)
                watcher.returncode = 0  # it outlives us where others use the server still
        yield json.loads(notes.read_text())["port"]


def _watch(folder: Path) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    notes = folder / "postgres.json"
    server = Server()
    try:
        server.start()
        draft = notes.with_suffix(".draft")
        draft.write_text(json.dumps({"port": server.port}))
        draft.rename(notes)
        with (folder / "postgres.users").open("a") as users:
            fcntl.flock(users, fcntl.LOCK_EX)
            with contextlib.suppress(OSError):
                notes.unlink()
            server.remove()
    finally:
        server.remove()


@contextmanager
def database(port: int) -> Iterator[str]:
    """
    Give the address of a database that is removed again, with whoever is connected to it.
    """
    import psycopg

    name = f"t_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url_of(port, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield url_of(port, name)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


if __name__ == "__main__":
    _watch(Path(sys.argv[1]))
