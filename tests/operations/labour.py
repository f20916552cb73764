"""A server that takes commands over HTTP, as ``cycle serve`` runs it: started by the tests and told to stop."""

from __future__ import annotations

import sys

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cycle.engine import Busy, Engine
from cycle.projections.runner import Runner
from cycle.settings import Settings
from cycle_adapters.http.metrics import Metrics
from cycle_adapters.http.observing import Observed
from cycle_adapters.http.serving import Server, listening
from cycle_adapters.logs import begin, command_told
from cycle_adapters.sealing.looking import last_seal
from cycle_adapters.stopping import Systemd, stopping
from cycle_adapters.work import at_work
from tests.access.test_call_sites import PAPER
from tests.engine.path import MET, said

LONG = "x" * 200_000
"""An answer that does not go out in one piece."""


def main(url: str, framework: str, port: int) -> None:
    systemd = Systemd()
    with stopping(systemd) as stop, Engine(url) as engine, listening("127.0.0.1", port) as listener:
        begin("json", "info", "en")
        engine.watchers.append(command_told)
        runner = Runner(engine.store, engine.leaves)
        metrics = Metrics(engine, runner, lambda: last_seal(url))

        def paper(request: Request) -> Response:
            try:
                receipt = engine.execute(said(PAPER, MET, framework, key=request.headers["Idempotency-Key"]))
            except Busy:
                return Response(status_code=409)
            return JSONResponse({"position": receipt.position, "long": LONG}, 201)

        app = Observed(Starlette(routes=[Route("/paper", paper, methods=["POST"])]), metrics.request)
        with at_work(engine, runner, Settings(url, "en", False, "operator"), "worker"):
            print("ready", flush=True)
            Server(app, stop, systemd, 20).run([listener])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
