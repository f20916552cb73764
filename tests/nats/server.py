"""Real servers of NATS: the binary out of a wheel, one node or three, on this machine, with their state in a folder."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Condition, Thread

from tests.postgres import lasting_port

BINARY = Path(sys.executable).with_name("nats-server")
LIMIT_SECONDS = 60


class Node:
    """One server. ``more`` are lines of its configuration."""

    def __init__(self, folder: Path, name: str = "n1", more: str = "", *, jetstream: bool = True) -> None:
        self.name, self.port = name, lasting_port()
        self._folder, self._more, self._jetstream = folder / name, more, jetstream
        self._process: subprocess.Popen[str] | None = None
        self._lines: list[str] = []
        self._came = Condition()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> Node:
        """Begin, with the state that is in the folder; it is ready afterwards."""
        self._folder.mkdir(parents=True, exist_ok=True)
        # What is written has to be there after a kill -9, not after a cut of the power: no sync of the disk.
        store = f'jetstream {{ store_dir: "{self._folder}" }}' if self._jetstream else ""
        written = f'server_name: {self.name}\nlisten: "127.0.0.1:{self.port}"\n{store}\n{self._more}\n'
        configuration = self._folder / "server.conf"
        configuration.write_text(written, "utf-8")
        own = {name: value for name, value in os.environ.items() if not name.startswith("NATS_")}
        self._lines.clear()
        self._process = subprocess.Popen(
            [BINARY, "-c", str(configuration)], env=own, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        Thread(target=self._listen, args=(self._process,), daemon=True).start()
        return self.says("Server is ready")

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                with self._came:
                    self._lines.append(line)
                    self._came.notify_all()

    def has_said(self, words: str) -> bool:
        return any(re.search(words, line) for line in self._lines)

    def says(self, words: str) -> Node:
        """Wait until it says something."""
        with self._came:
            assert self._came.wait_for(lambda: self.has_said(words), LIMIT_SECONDS), "".join(self._lines)
        return self

    def hang(self) -> None:
        """It holds its connections and says nothing any more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        # A signal is not there yet when it is sent.
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)

    def wake(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """As a power cut does: nothing is tidied."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def node(folder: Path, more: str = "", *, jetstream: bool = True) -> Iterator[Node]:
    """One server that listens."""
    found = Node(folder, "n1", more, jetstream=jetstream)
    try:
        yield found.start()
    finally:
        found.kill()


class Cluster:
    """Three servers that hold the same."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes

    @property
    def urls(self) -> str:
        return ",".join(each.url for each in self.nodes)

    def named(self, name: str) -> Node:
        return next(each for each in self.nodes if each.name == name)


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Three servers that have found each other and have a leader."""
    ports = [lasting_port() for _ in range(3)]
    routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
    nodes = [
        Node(folder, f"n{number}", f'cluster {{ name: c, listen: "127.0.0.1:{port}", routes: [{routes}] }}')
        for number, port in enumerate(ports, 1)
    ]
    with ExitStack() as stack:
        for each in nodes:
            stack.callback(each.kill)
        for starting in [Thread(target=each.start) for each in nodes]:
            starting.start()
            stack.callback(starting.join)
        for each in nodes:
            # Also who leads tells it; before all know it, what is asked of one may be answered by none.
            each.says("Server is ready").says("new .*metadata leader")
        yield Cluster(nodes)
