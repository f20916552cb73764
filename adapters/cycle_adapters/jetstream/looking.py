"""How the stream stands, for whoever runs the machine: ``cycle nats status``, ``cycle doctor``, ``/metrics``."""

from __future__ import annotations

from msgspec import Struct

from cycle.engine import Engine
from cycle.failures import Failure
from cycle.fanout.handing import HandingOn, Lag, lag
from cycle.fanout.subjects import STREAM
from cycle.health import Check, bad, fine, warning
from cycle_adapters.jetstream.connecting import servers
from cycle_adapters.jetstream.stream import Stream

FAR_BEHIND_SECONDS = 60.0
"""By which the stream is noticeably late."""


class Status(Struct, frozen=True):
    """Where the stream ends and the log, on how many servers it is, and how many of them are up to date."""

    stream: str
    servers: str
    position: int
    head: int
    lag_events: int
    lag_seconds: float
    replicas: int
    current: int
    leader: str
    messages: int
    bytes: int


def status(engine: Engine, account: str = "") -> Status | None:
    """How the stream stands; None: no NATS is named.

    Raises:
        BadNats, NatsTrouble, Astray: it cannot be asked, is not there, or is not of this log.
    """
    where = servers()
    if where is None:
        return None
    with Stream(where) as stream:
        found = stream.standing()
    position = HandingOn(engine, account).begin(found.tail)
    behind = lag(engine, position)
    return Status(
        STREAM, where.shown, position, behind.head, behind.events, round(behind.seconds, 3),
        found.replicas, found.current, found.leader, found.messages, found.bytes,
    )  # fmt: skip


def fanned(engine: Engine) -> Lag | None:
    """How far the stream is behind; None: no NATS is named.

    Raises:
        Failure: as ``status``.
    """
    where = servers()
    if where is None:
        return None
    with Stream(where) as stream:
        return lag(engine, stream.end())


def checked(engine: Engine, account: str) -> list[Check]:
    """Whether events are handed on; nothing where no NATS is named."""
    try:
        found = status(engine)
        if found is None:
            return []
    except Failure as error:
        return [bad("nats", "trouble", why=error)]
    if not HandingOn(engine, account).may:
        return [warning("nats", "may-not", account=account)]
    values = {
        "events": found.lag_events, "seconds": int(found.lag_seconds), "position": found.position,
        "current": found.current, "replicas": found.replicas,
    }  # fmt: skip
    if found.lag_seconds > FAR_BEHIND_SECONDS:
        return [warning("nats", "behind", **values)]
    if found.current < found.replicas:
        return [warning("nats", "alone", **values)]
    return [fine("nats", "current", **values)]
