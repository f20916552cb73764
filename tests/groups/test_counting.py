"""A dry count of a consumer group says what its workers are then handed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from cycle.aggregates.group import ReplayConsumerGroup, RewindConsumerGroup
from cycle.groups.shapes import Chosen
from cycle.subscriptions.counting import dry_count
from tests.cli.run import Cli
from tests.groups.town import Town
from tests.http.town import API, named, served
from tests.webhooks.town import DHIS


@pytest.fixture
def client(town: Town) -> Iterator[TestClient]:
    with served(town.engine) as found:
        yield found


def handed(town: Town) -> list[int]:
    return [position for position, *_ in town.lease("two").rows]


@pytest.mark.parametrize("after", range(6))
def test_a_rewind_hands_out_what_was_counted(town: Town, after: int) -> None:
    town.made()
    papers = [*town.happens(town.dioro, 3), *town.happens(town.koula, 2)]
    town.ack(town.lease(limit=2), Chosen(up_to=papers[1]))
    position = papers[after - 1] if after else papers[0] - 1
    found = dry_count(town.groups, town.own(), position)
    assert (found.events, found.again, found.skipped) == (5 - after, max(0, 2 - after), max(0, after - 2))
    town.tell(RewindConsumerGroup.type, after=position)
    assert handed(town) == papers[after:]


def test_a_replay_hands_out_what_was_counted_beside_what_waits(town: Town) -> None:
    town.made()
    papers = town.happens(town.dioro, 4)
    town.ack(town.lease())
    found = dry_count(town.groups, town.own(), papers[0], papers[2])
    assert (found.events, found.again, found.first, found.skipped) == (2, 2, 0, 0)
    town.tell(ReplayConsumerGroup.type, after=papers[0], up_to=papers[2])
    assert handed(town) == papers[1:3]


def test_it_is_counted_over_http_and_on_the_command_line(
    town: Town, client: TestClient, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    town.made()
    first, second, *_ = town.happens(town.dioro, 3)
    path = f"{API}/groups/{town.group}/replay-count"
    assert client.get(path, params={"after": first}, headers=named(DHIS)).json()["first"] == 2
    stretch = {"after": first, "up_to": second}
    assert client.get(path, params=stretch, headers=named("auditor")).json()["first"] == 1
    assert client.get(path, params={"after": first}, headers=named("mayor")).status_code == 403
    head = town.engine.store.head()
    monkeypatch.setenv("CYCLE_ACTOR", DHIS)
    monkeypatch.setenv("COLUMNS", "250")
    cli = Cli(town.url, capsys)
    words = ("--after", str(first), "--dry-run")
    told = cli.ok("group", "rewind", town.group, *words, lang="en").out
    assert "2 events would be delivered: 0 again, 2 for the first time" in told
    told = cli.ok("group", "replay", town.group, *words, "--up-to", str(second), lang="en").out
    assert "1 event would be delivered" in told
    assert cli("group", "replay", town.group, "--stop", "--dry-run", lang="en").code == 2
    assert town.engine.store.head() == head
