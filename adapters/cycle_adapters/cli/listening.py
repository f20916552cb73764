"""``cycle listen``: what is recorded, as it is recorded, in words or as CloudEvents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol

import click
import msgspec

from cycle.aggregates.base import EVENTS, Event
from cycle.catalogue import Language, shown, text
from cycle.cloudevents import CloudEvent, Envelopes, kind_of
from cycle.codec import upcast
from cycle.contracts import TYPES
from cycle.engine import Engine
from cycle.feed import Feed, Wanted
from cycle.reading import Reader, opened
from cycle.settings import ADDRESS, DEFAULT_ADDRESS, Settings
from cycle.telling import what_happened
from cycle_adapters.cli.places import place_at
from cycle_adapters.cli.printing import emit, paragraph
from cycle_adapters.cli.subscribing import Subscription, token_in
from cycle_adapters.cli.wording import Wrong

AT_ONCE = 500
WAIT_SECONDS = 2.0
UNDER = " " * 9


class Source(Protocol):
    """Gives events as they come; ``after`` is the position behind which to go on."""

    after: int

    def __iter__(self) -> Iterator[CloudEvent]: ...


class Log:
    """The log of a database, as an account may read it."""

    def __init__(self, engine: Engine, feed: Feed, after: int | None) -> None:
        self._engine, self._feed = engine, feed
        self._envelopes = Envelopes(ADDRESS.given() or DEFAULT_ADDRESS)
        self.after = engine.store.head().position if after is None else after

    def __iter__(self) -> Iterator[CloudEvent]:
        # Armed before the first look.
        with closing(self._engine.store.waker()) as waker:
            while True:
                batch = self._feed.read(self.after, AT_ONCE)
                for position, _, _, leaf in batch.rows:
                    yield self._envelopes.envelope(position, leaf)
                    self.after = position
                moves, self.after = batch.to > batch.after, batch.to
                if batch.at_head or not moves:
                    waker.wait(WAIT_SECONDS)


@click.command()
@click.option("--after", type=click.IntRange(0), metavar="POSITION")
@click.option("--type", "types", metavar="TYPE", multiple=True)
@click.option("--commune", metavar="NAME")
@click.option("--url", metavar="URL")
@click.option("--token-file", metavar="FILE", type=click.Path(path_type=Path))
@click.pass_obj
def listen(
    settings: Settings,
    after: int | None,
    types: tuple[str, ...],
    commune: str | None,
    url: str | None,
    token_file: Path | None,
) -> None:
    """Watch what is recorded, until stopped."""
    for unknown in (each for each in types if each not in TYPES):
        raise Wrong("no-such-type", name=unknown, near=", ".join(get_close_matches(unknown, TYPES, 3, 0.0)))
    with ExitStack() as stack:
        source: Source
        if url is not None:
            token = token_in(token_file) if token_file else ""
            source = Subscription(url, settings.language, token, types, commune, after)
        else:
            engine = stack.enter_context(opened(settings.database))
            source = Log(engine, feed_of(engine, settings.actor, types, commune), after)
        tell(source, settings)


def feed_of(engine: Engine, actor: str, types: tuple[str, ...], commune: str | None) -> Feed:
    """What an account wants of the log.

    Raises:
        PlaceUnknown, PlaceAmbiguous, Wrong: with what to name instead.
    """
    reader = Reader(engine, actor)
    reader.catch_up()
    code = place_at(reader, commune).commune if commune else None
    return Feed(reader, Wanted(types, commune=code))


def tell(source: Source, settings: Settings) -> None:
    """Print events until somebody ends it; then from where to go on."""
    language = settings.language
    if not settings.json:
        click.echo(text("message.listening", language, "", position=str(source.after)), err=True)
    try:
        for event in source:
            if settings.json:
                emit(event)
            else:
                tell_in_words(event, language)
    except KeyboardInterrupt:
        if settings.json:
            click.echo(msgspec.json.encode({"next": source.after}), err=True)
        else:
            click.echo(text("message.listen-next", language, "", position=str(source.after)), err=True)


def tell_in_words(event: CloudEvent, language: Language) -> None:
    """Position, day and sentence; below, what it is, of what, and since when it is known."""
    known = data_of(event)
    if known is None:
        said = text("message.listen-unknown", language, "", type=event.type)
    else:
        said = what_happened(known, language)
    paragraph(f"{shown(date.fromisoformat(event.occurredon), language)} · {said}", f"{int(event.globalposition):>7}  ")
    when = text("message.recorded-at", language, "", moment=datetime.fromisoformat(event.time))
    paragraph(f"{kind_of(event)[0]} · {event.subject}, {when}", UNDER, dim=True)


def data_of(event: CloudEvent) -> Event | None:
    """What happened, where this release knows it; a newer one may have recorded it."""
    type, schema = kind_of(event)
    known = EVENTS.get(type)
    if known is None or schema > known.schema:
        return None
    return msgspec.convert(upcast(known, schema, msgspec.json.decode(event.data)), known)
