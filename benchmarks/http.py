"""Commands over HTTP with sixteen clients on SQLite, beside an endpoint that does nothing, in the same run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from multiprocessing import get_context
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple
from uuid import uuid4

from fastapi import FastAPI, Response
from tests.http.town import API, WIDE, listening, rooms, sent

from benchmarks.append import DAY, PAPER, prepared
from benchmarks.measure import line
from cycle.engine import Engine
from cycle_adapters.http.app import make_app
from cycle_adapters.http.callers import OneAccount
from cycle_adapters.stopping import Systemd, ready

CLIENTS, EACH = 16, 60


class Sending(NamedTuple):
    """Where one client sends what, again and again."""

    address: str
    path: str
    body: bytes


def one_client(sending: Sending) -> list[float]:
    """Seconds that each answer took, on one connection."""
    connection = HTTPConnection(sending.address.removeprefix("http://"))
    times = []
    for _ in range(EACH):
        headers = {"Content-Type": "application/json", "Idempotency-Key": uuid4().hex}
        begin = perf_counter()
        connection.request("POST", sending.path, sending.body, headers)
        answer = connection.getresponse()
        said = answer.read()
        times.append(perf_counter() - begin)
        assert answer.status == 201, said
    connection.close()
    return times


def all_clients(sendings: list[Sending]) -> tuple[float, list[float]]:
    """Requests a second, and what each took; run in a process of its own, as clients are."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        begin = perf_counter()
        times = [each for found in pool.map(one_client, sendings) for each in found]
        return len(times) / (perf_counter() - begin), times


def bare() -> FastAPI:
    """An endpoint of the same kind that does nothing."""
    app = FastAPI()

    @app.post("/bare")
    def nothing() -> Response:
        return Response(b"{}", 201, media_type="application/json")

    return app


@contextmanager
def served(folder: Path) -> Iterator[dict[str, list[Sending]]]:
    """Both servers, and what the clients send to each."""
    with Engine(f"sqlite:///{folder / 'cycle.db'}") as engine:
        frameworks = prepared(engine, CLIENTS)
        app = make_app(engine, OneAccount("facilitator"), rooms(engine), WIDE)
        with listening(app) as ours, listening(bare()) as other:
            # As the program does it.
            ready(Systemd({}))
            said = [sent(PAPER, DAY, framework) for framework in frameworks]
            yield {
                "bare": [Sending(other, "/bare", json.dumps(body).encode()) for _, body in said],
                "cycle": [Sending(ours, path, json.dumps(body).encode()) for path, body in said],
            }


def main(rounds: int = 5) -> None:
    with TemporaryDirectory() as folder, served(Path(folder)) as runs, get_context("spawn").Pool(1) as other:
        ask: Callable[[str], tuple[float, list[float]]] = lambda name: other.apply(all_clients, (runs[name],))  # noqa: E731
        for name in runs:
            ask(name)
        found = [{name: ask(name) for name in runs} for _ in range(rounds)]
    rates = {name: median(each[name][0] for each in found) for name in runs}
    slowest = {name: quantiles([t for each in found for t in each[name][1]], n=100)[98] * 1000 for name in runs}
    line("sqlite", f"commands/s over HTTP, {CLIENTS} clients", rates["cycle"], "at least 400")
    line("sqlite", "99 of 100 answered within, ms", slowest["cycle"], "at most 150")
    line("", f"an endpoint that does nothing, requests/s ({API} is not asked)", rates["bare"], "")
    line("", "99 of 100 answered within, ms", slowest["bare"], "")
    line("", "commands / requests that do nothing", rates["cycle"] / rates["bare"], "")


if __name__ == "__main__":
    main()
