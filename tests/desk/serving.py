"""The application at an address of this machine, for a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from cycle.engine import Engine
from cycle_adapters.http.app import make_app
from tests.http.town import WIDE, Named, listening, rooms


@contextmanager
def at_an_address(engine: Engine, app: FastAPI | None = None) -> Iterator[str]:
    """The address at which the pages are served; ``app``: where it is not the name that says who somebody is."""
    with listening(app or make_app(engine, Named(engine), rooms(engine), WIDE)) as address:
        yield address
