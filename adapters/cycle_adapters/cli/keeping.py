"""``cycle demo``, ``cycle rebuild`` and ``cycle policy``."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
import msgspec
from sqlalchemy import make_url

from cycle.aggregates.base import By, Role
from cycle.aggregates.rulebook import PublishPolicy
from cycle.aggregates.terms import PolicyId
from cycle.catalogue import shown, text
from cycle.demo import Simulated
from cycle.engine import Engine, Said
from cycle.policy import Policy, Rule, document, read_policy, sample
from cycle.projections.all import PROJECTIONS
from cycle.projections.runner import Runner
from cycle.reading import is_missing, opened
from cycle.settings import Settings
from cycle_adapters.cli.errors import NotEmpty
from cycle_adapters.cli.printing import emit, heading, paragraph
from cycle_adapters.cli.wording import Wrong
from cycle_adapters.progress import progress

VIEWS = {"audit" if name == "audit_trail" else name.replace("_", "-"): name for name in PROJECTIONS}
"""The projections as people name them; what `cycle show` shows is called the same."""


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(VIEWS)), metavar="NAME")
@click.pass_obj
def rebuild(settings: Settings, names: tuple[str, ...]) -> None:
    """Rebuild projections from nothing; readers keep the old ones until the new ones are there."""
    with opened(settings.database) as engine, progress(settings, "rebuilding") as moved:
        engine.act(settings.actor, "rebuild")
        runner = Runner(engine.store, engine.leaves)
        runner.rebuild([VIEWS[name] for name in names], moved)
        positions = runner.positions()
    if settings.json:
        emit({"rebuilt": list(names or VIEWS), "positions": positions})
    else:
        click.echo(text("message.rebuilt", settings.language, "", names=", ".join(names or VIEWS)))


@click.command()
@click.option("--frameworks", type=click.IntRange(1, 20), default=20, show_default=True)
@click.option("--cycles", type=click.IntRange(1, 12), default=6, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.pass_obj
def demo(settings: Settings, frameworks: int, cycles: int, seed: int) -> None:
    """Fill an empty log with the sample territory and a plausible history; the same seed, the same events."""
    from cycle_adapters.cli.main import DELIBERATIONS, part

    with (
        whole_or_not_at_all(settings.database) as database,
        Simulated(database, seed) as simulated,
        progress(settings, "filling") as moved,
    ):
        count = simulated.engine.store.head().position
        if count:
            raise NotEmpty(count)
        summary = simulated.tell(part(DELIBERATIONS), frameworks=frameworks, cycles=cycles, progress=moved)
        Runner(simulated.engine.store, simulated.engine.leaves).catch_up()
    if settings.json:
        emit(summary)
        return
    values = msgspec.structs.asdict(summary)
    paragraph(text("message.demo-done", settings.language, "", **values))
    paragraph(text("message.demo-accounts", settings.language))
    for verb in ("show frameworks", "next Dioro"):
        click.echo(f"  cycle --database {shlex.quote(settings.database)} {verb}")


@contextmanager
def whole_or_not_at_all(database: str) -> Iterator[str]:
    """Where to fill a database: a SQLite file that is not there yet is filled beside its place.

    It gets its name when it is whole, so that whoever finds it need not ask whether it is.
    """
    if not is_missing(database):
        yield database
        return
    url = make_url(database)
    path = Path(url.database or "")
    unfinished = path.with_name(f"{path.name}-unfinished")
    forget(unfinished)
    try:
        yield url.set(database=str(unfinished)).render_as_string()
        unfinished.rename(path)
    finally:
        forget(unfinished)


def forget(path: Path) -> None:
    """No more SQLite file here, nor what SQLite and the views keep beside it."""
    for file in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-rebuilding"))):
        with suppress(FileNotFoundError):
            file.unlink()


@click.group()
def policy() -> None:
    """List, show, check or publish policies."""


def _read(path: str) -> Policy:
    try:
        return read_policy(Path(path).read_bytes())
    except OSError as error:
        raise Wrong("file-unreadable", path=path, why=error.strerror or "?") from error


@policy.command("list")
@click.pass_obj
def list_policies(settings: Settings) -> None:
    """List the published policies."""
    with opened(settings.database) as engine:
        found = [
            {"policy": fact.policy, "version": fact.policy_version, "digest": fact.policy_digest}
            for fact in engine.published()
        ]
    if settings.json:
        emit(found)
        return
    for line in found:
        click.echo(f"{line['policy']}-{line['version']}  {line['digest']}")
    if not found:
        click.echo(text("message.none-found", settings.language))


@policy.command("show")
@click.argument("identity", metavar="ID", default="wocat-pact")
@click.pass_obj
def show_policy(settings: Settings, identity: str) -> None:
    """Show a policy: the newest published version, else the sample that ships."""
    found = None
    # Nothing is published where there is no database, and looking at the sample makes none.
    if not is_missing(settings.database):
        with opened(settings.database) as engine:
            found = engine.policy(PolicyId(identity))
    if found is None and identity != sample().id:
        raise Wrong("no-such-policy", policy=identity)
    found = found or sample()
    if settings.json:
        click.echo(document(found))
        return
    language = settings.language
    heading(f"{found.name} — {getattr(found.title, language)} ({found.digest[:16]}…)")
    for name in Policy.__struct_fields__:
        rule = getattr(found, name)
        if isinstance(rule, Rule):
            where = text("message.article", language, "", number=rule.article)
            paragraph(getattr(rule.why, language), f"{where:>11}  ")
            effect, source = (
                text(f"message.{key}", language) for key in (f"effect-{rule.effect}", f"source-{rule.source}")
            )
            value = ", ".join(rule.value) if isinstance(rule.value, tuple) else shown(rule.value, language)
            paragraph(f"{name.replace('_', '-')} = {value} · {effect}, {source}", " " * 13, dim=True)


@policy.command("check")
@click.argument("path", metavar="FILE")
@click.pass_obj
def check_policy(settings: Settings, path: str) -> None:
    """Check a policy document."""
    found = _read(path)
    if settings.json:
        emit({"name": found.name, "digest": found.digest})
    else:
        click.echo(text("message.policy-holds", settings.language, "", name=found.name, digest=found.digest))


@policy.command("publish")
@click.argument("path", metavar="FILE", required=False)
@click.pass_obj
def publish_policy(settings: Settings, path: str | None) -> None:
    """Publish a policy document; without FILE, the sample that ships."""
    found = _read(path) if path else sample()
    with Engine(settings.database) as engine:
        said = Said(
            command=PublishPolicy(document=found),
            by=By(settings.actor, Role.PROGRAMME),
            on=engine.today(),
        )
        receipt = engine.execute(said)
    if settings.json:
        emit(receipt)
    else:
        click.echo(text("message.published", settings.language, "", name=found.name, digest=found.digest))
