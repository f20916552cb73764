"""What ``cycle webhook`` and ``cycle group`` are alike: named, said something, replayed, their deliveries listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

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

Kind = Callable[[Engine], Subscriptions[Any]]
POSITION = click.IntRange(0, 2**53 - 1)
STAGES = click.Choice([stage.value for stage in DeliveryStage if stage is not DeliveryStage.WITHHELD])


@contextmanager
def seen(kind: Kind, settings: Settings, identity: str) -> Iterator[tuple[Subscriptions[Any], SubscriptionId]]:
    """The one that is named, with all the others of its kind, for whoever sees it.

    Raises:
        NoSubscription: he sees none that is called so.
    """
    with Engine(settings.database) as engine:
        known = kind(engine)
        yield known, known.find(settings.actor, identity).id


def said(kind: Kind, settings: Settings, identity: str, name: str, fields: Mapping[str, object]) -> None:
    """One command about one of them."""
    with seen(kind, settings, identity) as (known, own):
        done(known.engine, known.say(settings.actor, name, fields, own).receipt, settings)


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
