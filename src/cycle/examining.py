"""What ``cycle doctor`` asks of a log that can be opened: who may work, whether it is copied, how late views are."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from cycle.aggregates.acts import BackupMade
from cycle.aggregates.base import PLATFORM, Role
from cycle.engine import Engine
from cycle.health import Check, bad, database, fine, projections, warning

AHEAD = timedelta(minutes=1)
"""By so much the clocks of two machines may differ."""
OLD_BACKUP = timedelta(days=7)


def examined(engine: Engine, worker: str, now: datetime) -> list[Check]:
    """Everything that is asked of the log."""
    engine.door.refresh()
    return [
        database(engine.store),
        projections(engine.store),
        clock(engine, now),
        accounts(engine),
        deadlines(engine, worker, now.date()),
        backup(engine, now),
    ]


def clock(engine: Engine, now: datetime) -> Check:
    """Whether the last fact was recorded before now, by this machine's clock."""
    last = engine.store.head().recorded_at
    if last is not None and last > now + AHEAD:
        return bad("clock", "behind", last=last, now=now)
    return fine("clock", "after")


def accounts(engine: Engine) -> Check:
    """Whether anybody may do anything."""
    count = sum(not account.closed for account in engine.door.now.accounts.values())
    return fine("accounts", "open", count=count) if count else bad("accounts", "none")


def deadlines(engine: Engine, worker: str, on: date) -> Check:
    """Whether the worker's account may record deadlines."""
    may = any(grant.role is Role.WORKER for grant in engine.door.now.grants(worker, on))
    return (fine if may else warning)("worker", "may" if may else "may-not", account=worker)


def backup(engine: Engine, now: datetime) -> Check:
    """How old the last backup is."""
    last = None
    for _, topic, schema, leaf in engine.store.read(0, log=PLATFORM, types=[BackupMade.type]):
        last = engine.leaves[topic, schema](leaf)
    if last is None:
        return warning("backup", "none")
    old = now - last.recorded_at > OLD_BACKUP
    return (warning if old else fine)("backup", "old" if old else "made", when=last.recorded_at)
