"""Messages are made of the log alone: the same ones whenever they are made, and from wherever one begins."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from msgspec import Raw

from cycle.aggregates.base import Role
from cycle.aggregates.commune import ChangeParent, CorrectCommune, RegisterCommune
from cycle.aggregates.framework.setup import ProposeFramework
from cycle.aggregates.terms import CommuneCode
from cycle.fanout.handing import HandingOn, Message, Tail, lag
from tests.access.places import DIORO, grant, revoke, say
from tests.nats.town import WORKER, Town

SAN = CommuneCode("ML-4-07-01")


def homes(messages: list[Message]) -> list[str]:
    return [each.subject.removeprefix("cycle.v1.").rpartition(".")[0] for each in messages]


def test_positions_follow_each_other_and_events_of_the_platform_belong_nowhere(town: Town) -> None:
    messages = town.handing.messages(0, 1_000)
    assert [each.position for each in messages] == town.all
    assert messages[0].subject == "cycle.v1._._._.account-opened"
    assert "cycle.v1.segou.segou.ml-4-01-01.framework-proposed" in [each.subject for each in messages]
    assert "cycle.v1.koulikoro.koulikoro.ml-2-01-02.framework-proposed" in [each.subject for each in messages]


def test_a_commune_that_is_registered_meanwhile_is_placed_from_its_first_event_on(town: Town) -> None:
    after = town.handing.messages(0, 1_000)[-1].position
    say(town.engine, RegisterCommune(commune=SAN, name="San", region="Ségou", circle="San"))
    say(town.engine, ProposeFramework(commune=SAN, title="Cadre de San"))
    assert homes(town.handing.messages(after, 1_000)) == ["segou.san.ml-4-07-01"] * 2


def test_a_commune_that_moves_takes_with_it_what_comes_and_not_what_was(town: Town) -> None:
    before = town.handing.messages(0, 1_000)
    moved = ChangeParent(region="San", circle="Tominian", since=date(2026, 2, 1))
    say(town.engine, moved, DIORO)
    town.happens(town.dioro)
    new = town.handing.messages(before[-1].position, 1_000)
    assert new[-1].subject == "cycle.v1.san.tominian.ml-4-01-01.document-attached"
    assert set(homes(new)) == {"_._._", "san.tominian.ml-4-01-01"}
    again = HandingOn(town.engine, WORKER)
    again.begin(Tail())
    assert [each.subject for each in again.messages(0, 1_000)] == [each.subject for each in before + new]


def test_a_name_that_is_set_right_is_right_from_the_correction_on(town: Town) -> None:
    after = town.head
    right = CorrectCommune(fact_version=1, changes={"circle": Raw(b'"Dioro"')}, reason="mal lu")
    say(town.engine, right, DIORO)
    town.happens(town.dioro)
    assert homes(town.handing.messages(after, 1_000))[-2:] == ["segou.dioro.ml-4-01-01"] * 2


def test_wherever_one_begins_the_messages_are_the_same(small: Town) -> None:
    small.happens(small.dioro, 3)
    whole = small.handing.messages(0, 1_000)
    for after in range(small.head):
        own = HandingOn(small.engine, WORKER, small.handing._envelopes)
        assert own.messages(after, 1_000) == whole[after:]


def test_whoever_may_read_everything_hands_on_and_asks_anew(town: Town) -> None:
    other = Town(town.url)
    assert other.handing.may
    revoke(town.engine, WORKER)
    assert not other.handing.may
    grant(town.engine, WORKER, Role.WORKER, "ML/Ségou")
    assert not other.handing.may, "a part of it is not all of it"
    assert not HandingOn(town.engine, "nobody").may
    other.close()


def test_the_lag_is_counted_in_events_and_in_the_age_of_the_first_that_is_missing(town: Town) -> None:
    assert lag(town.engine, town.head).events == 0
    assert lag(town.engine, town.head).seconds == 0
    last = town.engine.store.head().recorded_at
    assert last is not None
    behind = lag(town.engine, town.head - 1, last + timedelta(seconds=7))
    assert (behind.events, behind.seconds) == (1, pytest.approx(7))
