"""What ``cycle webhook`` and ``cycle group`` are alike: named, said something, replayed, their deliveries listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from cycle.aggregates.subscription import Act
from cycle.aggregates.terms import SubscriptionId
from cycle.catalogue import text
from cycle.engine import Engine
from cycle.reading import Reader, opened
from cycle.settings import Settings
from cycle.subscriptions.counting import dry_count
from cycle.subscriptions.known import Subscriptions
from cycle.subscriptions.lag import Lag
from cycle.subscriptions.listing import DeliveryRow, count_lines, delivery_row
from cycle.subscriptions.shapes import DeliveryStage
from cycle_adapters.cli.accounts import written
from cycle_adapters.cli.printing import emit, paragraph
from cycle_adapters.cli.signing_in import done
from cycle_adapters.cli.wording import Wrong

Kind = type[Subscriptions[Any]]
POSITION = click.IntRange(0, 2**53 - 1)
STAGES = click.Choice([stage.value for stage in DeliveryStage if stage is not DeliveryStage.WITHHELD])


def verbs_about(kind: Kind) -> Iterator[click.Command]:
    """What is said and asked of one of them by its id."""
    acts = kind.acts

    @click.command("pause")
    @click.argument("identity", metavar="ID")
    @click.option("--reason", metavar="TEXT", required=True)
    @click.pass_obj
    def pause(settings: Settings, identity: str, reason: str) -> None:
        """Deliver nothing for a while; what comes waits."""
        said(kind, settings, identity, acts.pauses, {"reason": reason})

    @click.command("resume")
    @click.argument("identity", metavar="ID")
    @click.pass_obj
    def resume(settings: Settings, identity: str) -> None:
        """Deliver again, from where it stopped."""
        said(kind, settings, identity, acts.resumes, {})

    @click.command("rewind")
    @click.argument("identity", metavar="ID")
    @click.option("--after", type=POSITION, required=True)
    @click.option("--dry-run", "dry_run", is_flag=True)
    @click.pass_obj
    def rewind(settings: Settings, identity: str, after: int, dry_run: bool) -> None:
        """Go on from another position; what waited waits no longer."""
        if dry_run:
            count(kind, settings, identity, after, None)
        else:
            said(kind, settings, identity, acts.rewinds, {"after": after})

    @click.command("replay")
    @click.argument("identity", metavar="ID")
    @click.option("--event", metavar="ID")
    @click.option("--after", type=POSITION)
    @click.option("--up-to", "up_to", type=POSITION)
    @click.option("--stop", is_flag=True)
    @click.option("--dry-run", "dry_run", is_flag=True)
    @click.pass_obj
    def replay(
        settings: Settings,
        identity: str,
        event: str | None,
        after: int | None,
        up_to: int | None,
        stop: bool,
        dry_run: bool,
    ) -> None:
        """Deliver an event or a stretch of the log again."""
        if sum((event is not None, after is not None, stop)) != 1 or (up_to is None) != (after is None):
            raise Wrong("replay-what")
        if dry_run:
            count(kind, settings, identity, after, up_to)
        elif stop:
            said(kind, settings, identity, acts.stops, {})
        elif event is not None:
            event_again(kind, settings, identity, event)
        else:
            said(kind, settings, identity, acts.replays, {"after": after, "up_to": up_to})

    @click.command("remove")
    @click.argument("identity", metavar="ID")
    @click.option("--reason", metavar="TEXT", required=True)
    @click.pass_obj
    def remove(settings: Settings, identity: str, reason: str) -> None:
        """Remove one for good."""
        removed(kind, settings, identity, reason)

    @click.command("deliveries")
    @click.argument("identity", metavar="ID")
    @click.option("--stage", type=STAGES)
    @click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
    @click.pass_obj
    def deliveries(settings: Settings, identity: str, stage: str | None, limit: int) -> None:
        """List what was delivered, what came of it, what waits."""
        list_deliveries(kind, settings, identity, stage, limit)

    yield from (pause, resume, rewind, replay, remove, deliveries)


@contextmanager
def seen(kind: Kind, settings: Settings, identity: str) -> Iterator[tuple[Subscriptions[Any], SubscriptionId]]:
    """The one that is named, with all the others of its kind, for whoever sees it.

    Raises:
        NoSubscription: he sees none that is called so.
    """
    with Engine(settings.database) as engine:
        known = kind(engine)
        yield known, known.find(settings.actor, identity).id


def said(kind: Kind, settings: Settings, identity: str, act: Act, fields: Mapping[str, object]) -> None:
    """One command about one of them."""
    with seen(kind, settings, identity) as (known, own):
        done(known.engine, known.say(settings.actor, act.says.type, fields, own).receipt, settings)


def event_again(kind: Kind, settings: Settings, identity: str, event: str) -> None:
    """One event, delivered again."""
    with seen(kind, settings, identity) as (known, own):
        done(known.engine, known.replay_event(settings.actor, own, event).receipt, settings)


def count(kind: Kind, settings: Settings, identity: str, after: int | None, up_to: int | None) -> None:
    """What a replay would deliver, or going on from another position; nothing is recorded.

    Raises:
        Wrong: there is no stretch to count.
    """
    if after is None:
        raise Wrong("dry-run-what")
    with opened(settings.database) as engine:
        known = kind(engine)
        found = dry_count(known, known.find(settings.actor, identity), after, up_to)
    if settings.json:
        emit(found)
        return
    for line in count_lines(found, settings.language):
        paragraph(line)


def removed(kind: Kind, settings: Settings, identity: str, reason: str) -> None:
    """One of them, for good."""
    with seen(kind, settings, identity) as (known, own):
        done(known.engine, known.remove(settings.actor, own, reason).receipt, settings)


def territory_in(engine: Engine, settings: Settings, territory: str) -> str:
    """A territory as it was typed, or the name of a commune, as a path."""
    reader = Reader(engine, settings.actor)
    reader.catch_up()
    return territory if "/" in territory else written(reader, territory)


def list_deliveries(kind: Kind, settings: Settings, identity: str, stage: str | None, limit: int) -> None:
    """What was delivered, what came of it, what waits."""
    with opened(settings.database) as engine:
        known = kind(engine)
        found = known.find(settings.actor, identity)
        wanted = DeliveryStage(stage) if stage else None
        rows = [delivery_row(each) for each in known.queue.deliveries(found.id, stage=wanted, limit=limit)]
    if settings.json:
        emit(rows)
        return
    for each in rows:
        paragraph(line_of(each, settings))
    if not rows:
        click.echo(text("message.none-found", settings.language))


def line_of(each: DeliveryRow, settings: Settings) -> str:
    """One delivery."""
    last = each.answers[-1] if each.answers else None
    return text(
        "message.subscription-delivery",
        settings.language,
        "",
        position=each.position,
        event=each.event,
        stage=each.stage,
        attempts=each.attempts,
        answer=last.answer if last else "",
        at=last.at if last else "",
        due=each.due or "",
    )


def lag_line(lag: Lag, settings: Settings) -> str:
    """How far behind one is."""
    return text("message.subscription-lag", settings.language, "", events=lag.events, seconds=int(lag.seconds))
