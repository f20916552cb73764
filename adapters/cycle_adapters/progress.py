"""How far something is, shown where somebody watches; any verb may use it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click

from cycle.catalogue import text
from cycle.settings import Settings


class Moves(Protocol):
    """Told how far something is."""

    def __call__(self, done: int, of: int) -> None: ...


@contextmanager
def progress(settings: Settings, label: str) -> Iterator[Moves]:
    """A progress bar on stderr, where somebody watches it; ``label`` is a message of the catalogue."""
    stderr = sys.stderr
    hidden = settings.json or not stderr.isatty()
    words = text(f"message.{label}", settings.language)
    with click.progressbar(length=1, label=words, file=stderr, hidden=hidden) as bar:

        def moved(done: int, of: int) -> None:
            bar.length = of
            bar.update(done - bar.pos)

        yield moved
