"""``cycle doctor``: everything that whoever runs the machine would ask, and what to do about it."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from re import match
from typing import Any

import click

from cycle import __version__, health
from cycle.catalogue import Language, text
from cycle.engine import Engine, utc_now
from cycle.examining import examined
from cycle.health import Check, State, bad, fine, warning
from cycle.settings import NATS, SETTINGS, VAULT_KEY, WORKER, Settings, unknown_variables
from cycle.store import Unavailable
from cycle.vault.keys import VaultError, read_key
from cycle_adapters.cli.printing import emit, paragraph

SIGNS = {State.OK: "✓", State.WARN: "!", State.BAD: "✗"}
OLDEST_PYTHON = (3, 11)


@click.command()
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Look at everything and change nothing; exit code 1 where something is not as it must be."""
    settings: Settings = ctx.obj
    checks = [*machine(), *log(settings)]
    failed = sum(check.state is State.BAD for check in checks)
    if settings.json:
        emit({"well": not failed, "checks": [as_json(check, settings.language) for check in checks]})
    else:
        tell(checks, settings.language)
    ctx.exit(1 if failed else 0)


def machine() -> Iterator[Check]:
    """What can be seen without the database."""
    yield python(sys.version_info[:3])
    yield packages(requires("cycle") or [])
    yield from environment(os.environ)
    yield language(sys.stdout.encoding)
    yield vault_key(VAULT_KEY.given())


def log(settings: Settings) -> Iterator[Check]:
    """The database, what is in it and what stands beside it."""
    found: Sequence[Check] = _named("cycle_adapters.sql.looking:looked")(settings.database)
    yield from found
    yield from health.disks(settings.database)
    # What is older would be migrated by being opened, and what is damaged be written to.
    if all(check.state is not State.BAD and check.cause != "older" for check in found):
        try:
            with Engine(settings.database) as engine:
                yield from examined(engine, WORKER.given(), utc_now())
                if NATS.given():
                    yield from _named("cycle_adapters.jetstream.looking:checked")(engine, WORKER.given())
        except Unavailable as error:
            yield bad("database", "unavailable", why=error)
    yield health.seal(_named("cycle_adapters.sealing.looking:last_seal")(settings.database), utc_now())
    yield from _named("cycle_adapters.sealing.looking:looked")(settings.database)


def _named(name: str) -> Callable[..., Any]:
    from cycle_adapters.cli.main import part

    found: Callable[..., Any] = part(name)
    return found


def python(found: tuple[int, ...]) -> Check:
    said = ".".join(map(str, found))
    return fine("python", "good", version=said) if found >= OLDEST_PYTHON else bad("python", "old", version=said)


def packages(wanted: Sequence[str]) -> Check:
    """Whether what cycle needs is there, and which versions: a report of trouble begins with them."""
    there, missing = [f"Python {platform.python_version()}"], []
    for requirement in wanted:
        name = match(r"[A-Za-z0-9._-]+", requirement)
        if name is None or "extra ==" in requirement:
            continue
        try:
            there.append(f"{name[0]} {version(name[0])}")
        except PackageNotFoundError:
            missing.append(name[0])
    if missing:
        return bad("packages", "missing", missing=tuple(missing))
    return fine("packages", "there", version=__version__, packages=tuple(there[1:]))


def environment(given: Mapping[str, str]) -> Iterator[Check]:
    """Which settings the environment makes; their values may be secret, and are not told."""
    names = tuple(setting.variable for setting in SETTINGS if given.get(setting.variable))
    yield fine("environment", "known", names=names or ("—",))
    for name, near in unknown_variables(given).items():
        yield warning("environment", "unknown", name=name, near=near)


def language(encoding: str | None) -> Check:
    if (encoding or "").lower().replace("-", "") != "utf8":
        return warning("language", "not-utf8", encoding=encoding or "?")
    return fine("language", "spoken")


def vault_key(path: str) -> Check:
    """Whether the vault's key can be used, and by nobody else."""
    if not path:
        return warning("vault-key", "none")
    try:
        read_key(Path(path))
    except VaultError as error:
        return bad("vault-key", "unusable", why=error)
    return fine("vault-key", "kept", path=path)


def as_json(check: Check, spoken: Language) -> dict[str, object]:
    found: dict[str, object] = {"name": check.name, "state": check.state, "cause": check.cause}
    found["text"] = check.told(spoken)
    return {**found, "to_do": check.to_do(spoken)} if check.to_do(spoken) else found


def tell(checks: Sequence[Check], spoken: Language) -> None:
    """A line for each check, and under it what to do."""
    for check in checks:
        paragraph(check.told(spoken), f"{SIGNS[check.state]} ")
        if check.state is not State.OK and check.to_do(spoken):
            paragraph(check.to_do(spoken), "    ", dim=True)
    states = [check.state for check in checks]
    count, warnings = states.count(State.BAD), states.count(State.WARN)
    key = "doctor-bad" if count else "doctor-well"
    paragraph(text(f"message.{key}", spoken, "", count=count, warnings=warnings))
