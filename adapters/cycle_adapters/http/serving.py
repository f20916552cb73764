"""The server: what listens, how it begins and how it ends."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from ipaddress import ip_network
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from cycle import health
from cycle.engine import Engine, utc_now
from cycle.failures import UNAVAILABLE, USAGE, Failure
from cycle.health import Check
from cycle.projections.runner import Runner
from cycle.sealing import LastSeal
from cycle.settings import METRICS_TOKEN, PROXIES, Settings
from cycle_adapters.http.app import make_app
from cycle_adapters.http.callers import Callers
from cycle_adapters.http.following import Feeds
from cycle_adapters.http.limits import HEADER_BYTES, KEEP_ALIVE_SECONDS
from cycle_adapters.http.metrics import Metrics
from cycle_adapters.http.observing import Observed
from cycle_adapters.http.operations import Operations, Readiness
from cycle_adapters.http.rooms import Rooms
from cycle_adapters.http.sign_in_pages import SigningIn
from cycle_adapters.stopping import GRACE_SECONDS, Stopping, Systemd, end_within, ready

HERE = ("127.0.0.1", "::1")
"""Whose word is always taken for who calls: a proxy on this machine."""
LEAST_TOKEN = 20


class CannotServe(Failure):
    """The address cannot be listened on."""

    kind = "serving"
    code = "unavailable"
    exit_code = UNAVAILABLE


class BadProxies(Failure):
    """What is said of proxies names no addresses, or everybody."""

    kind = "serving"
    exit_code = USAGE


class BadToken(Failure):
    """The file of a token holds none."""

    kind = "serving"
    exit_code = USAGE


def application(
    engine: Engine,
    runner: Runner,
    settings: Settings,
    callers: Callers,
    door: SigningIn | None,
    rooms: Rooms,
    address: str,
    stop: Stopping,
) -> ASGIApp:
    """All that is served over one engine, watched; others call it by an address, until it is told to stop."""
    app = make_app(engine, callers, rooms, door=door, runner=runner, address=address)
    feeds: Feeds = app.state.feeds
    stop.ends.append(feeds.tail.end)
    sessions = door.sessions.open if door else None
    metrics = Metrics(engine, runner, rooms.seals.last, sessions, lambda: rooms.fanned(engine), lambda: feeds.followers)
    ready = Readiness(lambda: checks(engine, settings.database, rooms.seals.last()))
    return Observed(Operations(app, ready, metrics, token()), metrics.request)


def checks(engine: Engine, database: str, last: LastSeal) -> list[Check]:
    """What must be well for requests to be answered."""
    return [
        health.database(engine.store),
        health.projections(engine.store),
        health.seal(last, utc_now()),
        *health.disks(database),
    ]


def token() -> str:
    """What the file of ``CYCLE_METRICS_TOKEN`` holds; nothing when none is named.

    Raises:
        BadToken: it cannot be read, or is too short to be a secret.
    """
    if not METRICS_TOKEN.given():
        return ""
    path = Path(METRICS_TOKEN.given())
    try:
        found = path.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise BadToken("token", why=getattr(error, "strerror", None) or "?").about(path) from error
    if len(found) < LEAST_TOKEN:
        raise BadToken("token", why=f"< {LEAST_TOKEN}").about(path)
    return found


def proxies() -> list[str]:
    """Whose word is taken for who calls: who is believed may say that he is anybody.

    Raises:
        BadProxies: an address is none, or it is everybody's.
    """
    named = PROXIES.given().replace(",", " ").split()
    for each in named:
        try:
            everybody = not ip_network(each).prefixlen
        except ValueError as error:
            raise BadProxies("proxies", why=str(error)) from error
        if everybody:
            raise BadProxies("proxies", why=each)
    return [*HERE, *named]


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Raises:
    CannotServe: somebody else listens there, or it is no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only where the protocol is named does asyncio send small answers at once (TCP_NODELAY): 40 ms each.
    with closing(socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)) as listener:
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
        except OSError as error:
            raise CannotServe("address", address=f"{host}:{port}", why=error.strerror or "?") from error
        yield listener


class Server(uvicorn.Server):
    """Stops when it is told to by ``stopping``; tells systemd when it is ready, and that its loop turns."""

    def __init__(self, app: ASGIApp, stop: Stopping, systemd: Systemd, stop_seconds: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                h11_max_incomplete_event_size=HEADER_BYTES,
                proxy_headers=True,
                forwarded_allow_ips=proxies(),
                timeout_graceful_shutdown=stop_seconds,
            )
        )
        self._stop, self._systemd, self._stop_seconds = stop, systemd, stop_seconds

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """They are heard already, by ``stopping``."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        ready(self._systemd)

    async def on_tick(self, counter: int) -> bool:
        self._systemd.alive()
        return self._stop.asked or await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        end_within(self._stop_seconds + GRACE_SECONDS)
        # Whoever follows the log would keep it from stopping.
        for end in self._stop.ends:
            end()
        await super().shutdown(sockets)
