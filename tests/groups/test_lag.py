"""How far behind a subscription is: in events and in seconds, the same for webhooks and groups, and bounded."""

from __future__ import annotations

from typing import Any, cast

import pytest

from cycle.engine import Engine
from cycle.projections.runner import Runner
from cycle.subscriptions import lag
from cycle.subscriptions.lag import Lag, lag_of
from cycle.vault.keys import new_key
from cycle_adapters.http.metrics import Metrics
from cycle_adapters.sealing.looking import last_seal
from tests.groups.town import Town
from tests.webhooks.town import DHIS
from tests.webhooks.town import Town as WebhookTown


def behind(town: Town) -> int:
    return lag_of(town.groups, town.own()).events


def test_what_is_wanted_and_not_settled_counts_wherever_it_is(town: Town) -> None:
    town.made()
    assert lag_of(town.groups, town.own()) == Lag(0, 0.0)
    town.happens(town.dioro, 3)
    assert behind(town) == 3, "in the log"
    taken = town.lease(limit=2)
    assert behind(town) == 3, "in the queue and in hand"
    town.ack(taken)
    assert behind(town) == 1
    [first, *_] = town.happens(town.koula, 2)
    rest = town.lease()
    town.park(rest, town.events([first]))
    assert behind(town) == 2, "not what is parked, and what waits behind it"


def test_the_oldest_says_for_how_long(town: Town) -> None:
    town.made()
    town.happens(town.dioro)
    town.later(1_000)
    assert 500 < lag_of(town.groups, town.own()).seconds <= 1_001
    town.ack(town.lease())
    assert lag_of(town.groups, town.own()).seconds == 0.0


def test_what_it_is_not_for_does_not_count(town: Town) -> None:
    town.made(territory="ML/Ségou")
    town.happens(town.koula, 2)
    assert behind(town) == 0
    town.happens(town.dioro)
    assert behind(town) == 1


def test_a_replay_counts_and_a_rewind_is_counted_from_where_it_begins(town: Town) -> None:
    town.made()
    first, *_ = town.happens(town.dioro, 3)
    town.ack(town.lease())
    town.tell("replay-consumer-group", after=first, up_to=first + 1)
    assert behind(town) == 1
    town.lease()
    town.tell("rewind-consumer-group", after=first)
    assert behind(town) == 2, "what waited before waits no longer"


def test_it_is_counted_no_further_than_it_is_worth(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lag, "COUNTED", 3)
    town.made()
    town.happens(town.dioro, 5)
    found = lag_of(town.groups, town.own())
    assert (found.events, found.at_least) == (3, True)


def test_whoever_watches_sees_both_kinds(town: Town, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYCLE_WEBHOOK_NETWORKS", "127.0.0.0/8")
    new_key(tmp_path / "vault.key")
    group = town.made()
    hooks = WebhookTown(town.url, tmp_path / "vault.key", cast("Any", None))
    webhook = hooks.webhooks.add(DHIS, "http://127.0.0.1:9/hook", ("document-attached",)).webhook
    town.happens(town.dioro, 2)
    with Engine(town.url) as engine:
        figures = Metrics(engine, Runner(engine.store, engine.leaves), lambda: last_seal(town.url)).text().decode()
    hooks.close()
    for kind, identity in (("group", group), ("webhook", webhook)):
        assert f'cycle_subscription_lag_events{{kind="{kind}",subscription="{identity}"}} 2.0' in figures
        assert f'cycle_subscription_lag_seconds{{kind="{kind}",subscription="{identity}"}}' in figures


def test_a_long_log_is_looked_through_piece_by_piece_and_no_piece_twice(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that one that is paused, and wants what is rare, costs the same each time that somebody asks."""
    monkeypatch.setattr(lag, "LOOKED", 5)
    town.made(types=("plan-agreed",), after=0)
    head = town.engine.store.head().position
    looked: list[tuple[int, int]] = []
    feed = town.engine.store.feed

    def noting(after: int, up_to: int, limit: int, **wanted: Any) -> Any:
        looked.append((after, up_to))
        return feed(after, up_to, limit, **wanted)

    monkeypatch.setattr(town.engine.store, "feed", noting)
    found = [lag_of(town.groups, town.own()) for _ in range(head // 5 + 2)]
    assert [after for after, _ in looked] == [min(5 * n, head) for n in range(len(looked))]
    assert {up_to - after for after, up_to in looked} == {5}
    assert [each.at_least for each in found] == [5 * n < head for n in range(1, len(found) + 1)]
    assert {each.events for each in found} == {0}


def test_what_is_found_at_the_end_of_a_long_log_counts(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.made(after=0)
    monkeypatch.setattr(lag, "LOOKED", town.engine.store.head().position)
    town.happens(town.dioro, 3)
    assert lag_of(town.groups, town.own()) == Lag(0, 0.0, at_least=True)
    assert behind(town) == 3
    town.later(1_000)
    assert lag_of(town.groups, town.own()).seconds > 500


def test_what_was_not_wanted_is_looked_through_again_when_other_places_are(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.made(territory="ML/Ségou")
    town.happens(town.koula)
    assert behind(town) == 0
    monkeypatch.setattr(town.groups, "is_for", lambda state, log: True)
    assert behind(town) == 1
