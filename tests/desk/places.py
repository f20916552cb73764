"""Frameworks at a stage, with people who look at their pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

from starlette.testclient import TestClient

from cycle.aggregates.framework.state import Stage
from cycle.engine import Engine
from tests.engine.path import Path as Way
from tests.http.town import named, served

TODAY = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)


class Desk(NamedTuple):
    """Pages over one framework; ``base`` is where it is."""

    engine: Engine
    client: TestClient
    way: Way
    base: str

    def position(self) -> int:
        return self.engine.store.head().position

    def recorded(self, after: int) -> list[str]:
        """The types of what was recorded since."""
        return [topic for _, topic, *_ in self.engine.store.read(after)]

    def text(self, path: str, who: str = "awa") -> str:
        answer = self.client.get(path, headers=named(who))
        assert answer.status_code == 200, answer.text
        return answer.text


@contextmanager
def desk_at(url: str, stage: Stage, now: datetime = TODAY) -> Iterator[Desk]:
    """The framework of Dioro at a stage."""
    with Engine(url, clock=lambda: now) as engine, served(engine) as client:
        way = Way(engine)
        identity = way.to(stage)
        yield Desk(engine, client, way, f"/frameworks/{identity}")
