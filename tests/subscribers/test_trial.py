"""Every kind of subscriber hears each event once, in order, none missing: the trial at a size for every day.

The whole size is ``python -m benchmarks.subscribers``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nats.aio.transport import TcpTransport

from tests.nats.server import node
from tests.subscribers.kinds import KINDS
from tests.subscribers.subscriber import Heard, Outcome
from tests.subscribers.trial import trial
from tests.webhooks.conftest import in_house as in_house
from tests.webhooks.conftest import receiver as receiver
from tests.webhooks.conftest import town as town
from tests.webhooks.town import Town

APPENDS = 15
RECORDED = [Heard(str(n), "odd" if n % 2 else "even", n) for n in (1, 2, 3, 4)]


def heard(*positions: int) -> list[Heard]:
    """What was recorded, as it came; a position that nobody wrote is an event that nobody did."""
    known = {each.position: each for each in RECORDED}
    return [known.get(each, Heard("?", "odd", each)) for each in positions]


class Closing(TcpTransport):
    """nats-py 2.16 never closes a connection that is cut while it begins: it is told of in the middle of any test."""

    async def connect(self, *given: Any, **named: Any) -> None:
        self.close()
        await super().connect(*given, **named)


@pytest.fixture(autouse=True)
def all_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nats.aio.client.TcpTransport", Closing)


def test_each_event_is_heard_once_and_in_order_whatever_it_is_heard_by(town: Town, tmp_path: Path) -> None:
    with node(tmp_path / "nats") as nats:
        for name, outcome in trial(town, nats, KINDS, seed=1, appends=APPENDS).items():
            assert outcome.is_whole, name
            assert len(outcome.recorded) > 8 * APPENDS


@pytest.mark.parametrize(
    "positions", [(1, 3, 4), (1, 3, 2, 4), (1, 2, 2, 4), (), (2, 1, 2, 3, 4), (1, 2, 3, 4, 5), (1, 2, 2, 3)]
)
def test_what_is_missing_out_of_order_or_never_happened_is_noticed(positions: tuple[int, ...]) -> None:
    """So that what holds above says something."""
    assert not Outcome(RECORDED, heard(*positions)).is_whole


@pytest.mark.parametrize("positions", [(1, 3, 4), (3, 1, 2, 4), (1, 3, 4, 2), (), (1, 2, 3, 4, 5)])
def test_within_a_stream_too(positions: tuple[int, ...]) -> None:
    assert not Outcome(RECORDED, heard(*positions), in_all=False).is_whole


@pytest.mark.parametrize("positions", [(1, 2, 3, 4), (2, 4, 1, 3), (1, 1, 2, 3, 2, 1, 4, 4)])
def test_one_stream_may_go_before_another_and_anything_may_come_again(positions: tuple[int, ...]) -> None:
    outcome = Outcome(RECORDED, heard(*positions), in_all=False)
    assert outcome.is_whole
    assert outcome.again == len(positions) - 4
