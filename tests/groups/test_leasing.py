"""What is recorded is handed out: each event to one worker at a time, in the order of its framework."""

from __future__ import annotations

from typing import Any, cast

import pytest

from cycle.access import Forbidden
from cycle.aggregates.base import Role
from cycle.groups.shapes import Chosen, LeaseLost
from cycle.subscriptions import known
from cycle.subscriptions.known import NoSubscription
from cycle.subscriptions.schedule import ATTEMPTS, PAUSES_SECONDS
from cycle.subscriptions.shapes import DeliveryStage, Found
from tests.access.places import revoke
from tests.groups.town import SECONDS, Town, number, positions
from tests.people import admit
from tests.webhooks.town import DHIS


@pytest.fixture
def made(town: Town) -> Town:
    """With a group, and nothing that waits for it."""
    town.made()
    return town


def test_what_happens_is_handed_out_once_in_order_and_is_done_when_it_is_acknowledged(made: Town) -> None:
    happened = [*made.happens(made.dioro, 2), *made.happens(made.koula, 2)]
    taken = made.lease()
    assert positions(taken) == happened
    assert set(taken.attempts.values()) == {1}
    assert positions(made.lease("two")) == []
    assert made.ack(taken) == 0
    assert (made.counts().delivered, made.counts().waiting) == (4, 0)
    assert made.lease().lease is None


def test_while_one_has_some_of_a_framework_nobody_else_is_given_more_of_it(made: Town) -> None:
    dioro = made.happens(made.dioro, 3)
    taken = made.lease("one", limit=1)
    koula = made.happens(made.koula)
    other = made.lease("two")
    assert (positions(taken), positions(other)) == (dioro[:1], koula)
    assert made.lease("one").lease is None, "not even himself, under another lease"
    made.ack(taken)
    assert positions(made.lease("two")) == dioro[1:]


def test_a_lease_that_runs_out_gives_back_what_it_holds_and_the_attempt_counts(made: Town) -> None:
    happened = made.happens(made.dioro, 2)
    late = made.lease("one")
    made.later(SECONDS - 0.01)
    assert made.lease("two").lease is None
    again = made.later(0.02).lease("two")
    assert positions(again) == happened
    assert set(again.attempts.values()) == {2}
    assert made.about(happened[0]).answers[-1].what == "lapsed"
    assert number(again) > number(late)


def test_who_was_too_slow_settles_nothing_of_what_another_has_been_given_since(made: Town) -> None:
    [first, second] = made.happens(made.dioro, 2)
    late = made.lease("one")
    again = made.later(SECONDS + 1).lease("two", limit=1)
    for way in (made.ack, made.nack, made.park, lambda taken, _=None: made.extend(taken)):
        with pytest.raises(LeaseLost):
            way(late, made.events([first]))
    for chosen in (Chosen(), Chosen(up_to=first), Chosen(up_to=second), made.events([first, second])):
        with pytest.raises(LeaseLost):
            made.ack(late, chosen)
    assert made.counts().delivered == 0, "nothing of it was settled"
    made.ack(late, made.events([second]))
    assert made.ack(again) == 0


def test_who_was_slow_and_is_still_the_last_to_have_it_settles_it(made: Town) -> None:
    made.happens(made.dioro, 2)
    late = made.lease("one")
    made.later(SECONDS * 10)
    assert made.ack(late) == 0
    assert made.lease("two").lease is None


def test_what_is_acknowledged_twice_is_done_once(made: Town) -> None:
    happened = made.happens(made.dioro, 3)
    taken = made.lease()
    assert made.ack(taken, made.events(happened[:1])) == 2
    assert made.ack(taken, made.events(happened[:1])) == 2
    assert made.ack(taken, Chosen(up_to=happened[1])) == 1
    assert made.ack(taken, Chosen(up_to=happened[1])) == 1
    assert made.ack(taken) == made.ack(taken) == 0
    assert made.counts().delivered == 3


def test_no_events_named_are_none_and_not_all(made: Town) -> None:
    made.happens(made.dioro, 2)
    taken = made.lease()
    assert made.ack(taken, Chosen(frozenset())) == 2
    assert made.counts().delivered == 0


def test_what_is_given_back_is_given_again_at_once_or_after_a_while(made: Town) -> None:
    [position] = made.happens(made.dioro)
    assert made.nack(made.lease(), delay=0) == 0
    assert made.nack(made.lease("two"), delay=30, reason="Entrepôt fermé") == 0
    assert made.about(position).answers[-1].what == "nack: two: Entrepôt fermé"
    assert made.lease().lease is None
    again = made.later(31).lease()
    assert list(again.attempts.values()) == [3]
    assert made.nack(again, delay=None) == 0
    made.later(PAUSES_SECONDS[2] - 1)
    assert made.lease().lease is None
    assert made.later(2).lease().lease is not None


def test_what_follows_in_the_framework_goes_back_with_what_is_given_back_and_as_if_it_had_not_been_given(
    made: Town,
) -> None:
    _, second, third = made.happens(made.dioro, 3)
    made.happens(made.koula)
    taken = made.lease()
    assert made.nack(taken, made.events([second]), delay=10) == 2, "the first, and the other framework"
    assert made.nack(taken, made.events([second]), delay=99) == 2, "said again it changes nothing"
    with pytest.raises(LeaseLost):
        made.ack(taken, made.events([third]))
    assert made.ack(taken) == 0
    assert made.counts().delivered == 2
    again = made.later(11).lease()
    assert positions(again) == [second, third]
    assert again.attempts == {second: 2, third: 1}


def test_what_is_not_acknowledged_after_the_last_attempt_is_parked_and_holds_up_its_framework_alone(
    made: Town,
) -> None:
    [first, second] = made.happens(made.dioro, 2)
    for attempt in range(ATTEMPTS):
        taken = made.lease(limit=1)
        assert positions(taken) == [first], attempt
        made.nack(taken, delay=0, reason="Non") if attempt % 2 else made.later(SECONDS + 1)
    [other] = made.happens(made.koula)
    assert positions(made.lease()) == [other]
    assert made.own().parked == {f"framework-{made.dioro}": first}
    assert (made.about(first).stage, made.about(first).attempts) == (DeliveryStage.PARKED, ATTEMPTS)
    made.groups.replay_event(DHIS, cast("Any", made.group), made.about(first).event)
    assert made.own().parked == {}
    assert positions(made.lease()) == [first, second]


def test_the_last_to_have_it_in_vain_settles_it_no_more_when_it_is_parked(made: Town) -> None:
    made.happens(made.dioro)
    for _ in range(ATTEMPTS):
        taken = made.later(SECONDS + 1).lease()
    made.later(SECONDS + 1).lease()
    with pytest.raises(LeaseLost):
        made.ack(taken)


def test_a_worker_sets_an_event_aside_with_what_follows_in_its_framework(made: Town) -> None:
    [first, second] = made.happens(made.dioro, 2)
    [other] = made.happens(made.koula)
    taken = made.lease("one")
    assert made.park(taken, made.events([first]), "Illisible") == 1
    assert made.park(taken, made.events([first]), "Illisible") == 1, "said again it changes nothing"
    assert made.own().parked == {f"framework-{made.dioro}": first}
    assert made.about(first).answers[-1].what == "parked: one: Illisible"
    assert made.ack(taken) == 0
    assert made.lease().lease is None
    made.tell("replay-consumer-group", after=first - 1, up_to=first)
    assert positions(made.lease()) == [first, second]
    assert other not in positions(made.lease())


def test_a_lease_is_held_for_longer_while_nobody_else_has_any_of_it(made: Town) -> None:
    made.happens(made.dioro, 2)
    taken = made.lease()
    assert made.later(SECONDS - 1).extend(taken, 100) == 2
    assert made.later(99).lease("two").lease is None
    assert made.later(2).extend(taken, 100) == 2, "it had run out, and nobody had been given it"
    assert made.lease("two").lease is None


def test_what_is_replayed_of_a_framework_waits_for_what_is_in_hand_of_it(made: Town) -> None:
    [first, second] = made.happens(made.dioro, 2)
    made.ack(made.lease(limit=1))
    taken = made.lease("one")
    made.tell("replay-consumer-group", after=first - 1, up_to=first)
    assert made.lease("two").lease is None, "the second is in hand"
    assert positions(made.later(SECONDS + 1).lease("two", limit=1)) == [first]
    with pytest.raises(LeaseLost):
        made.extend(taken)
    assert made.ack(taken) == 0
    assert made.about(second).stage is DeliveryStage.DELIVERED


def test_a_lease_that_nobody_knows_settles_nothing(made: Town) -> None:
    made.happens(made.dioro)
    taken = made.lease()
    with pytest.raises(LeaseLost):
        made.leasing.ack(DHIS, made.group, number(taken) + 1, Chosen())
    with pytest.raises(LeaseLost):
        made.ack(taken, Chosen(frozenset({"no-such-event"})))


def test_a_lease_settles_nothing_of_another_group(made: Town) -> None:
    made.happens(made.dioro)
    taken = made.lease()
    made.made(after=0)
    with pytest.raises(LeaseLost):
        made.ack(taken)


def test_no_number_comes_twice_even_where_the_tables_are_lost(made: Town) -> None:
    made.happens(made.dioro)
    first = made.lease()
    made.queue.forget(cast("Any", made.group))
    second = made.later(0.001).lease()
    assert positions(second) == positions(first), "the log is read again"
    assert number(second) > number(first)
    with pytest.raises(LeaseLost):
        made.ack(first)


def test_numbers_grow_where_the_clock_stands_still_or_goes_back(made: Town) -> None:
    made.happens(made.dioro)
    found = []
    for _ in range(3):
        taken = made.lease()
        found.append(number(taken))
        made.nack(taken)
    made.later(-5)
    found.append(number(made.lease()))
    assert found == [found[0] + n for n in range(4)]


def test_a_right_that_is_revoked_withholds_what_waits_at_the_next_lease(made: Town) -> None:
    made.happens(made.dioro, 2)
    taken = made.lease(limit=1)
    made.ack(taken)
    revoke(made.another().engine, DHIS)
    with pytest.raises(Forbidden):
        made.lease()


def test_what_the_owner_may_not_read_is_withheld_and_counted_and_the_rest_is_handed_out(town: Town) -> None:
    admit(town.engine, ("sigui", Role.INTEGRATOR, "/"))
    town.made("sigui")
    hidden, seen = town.happens(town.koula, 3), town.happens(town.dioro)
    revoke(town.engine, "sigui")
    admit(town.engine, ("sigui", Role.INTEGRATOR, "ML/Ségou"))
    taken = town.lease(actor="sigui", limit=2)
    assert (positions(taken), taken.withheld) == (seen, len(hidden))
    assert town.counts().withheld == 3
    assert {each.position for each in town.queue.deliveries(cast("Any", town.group))} == set(seen)


def test_only_its_owner_takes_events_and_a_stranger_hears_of_no_such_group(made: Town) -> None:
    made.happens(made.dioro)
    admit(made.engine, ("sigui", Role.INTEGRATOR, "/"), ("kadi", Role.ADMINISTRATOR, "/"))
    with pytest.raises(NoSubscription):
        made.lease(actor="sigui")
    for other in ("kadi", "mayor"):
        with pytest.raises(Forbidden):
            made.lease(actor=other)


def test_only_types_and_places_that_were_asked_for_are_handed_out(town: Town) -> None:
    town.made(territory="ML/Ségou")
    dioro = town.happens(town.dioro, 2)
    town.happens(town.koula)
    assert positions(town.lease()) == dioro


def test_who_wants_little_of_much_finds_it_far_behind(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "FILL", 2)
    town.made(territory="ML/Ségou")
    town.happens(town.koula, 9)
    dioro = town.happens(town.dioro)
    assert positions(town.lease()) == dioro


def test_what_one_holds_or_puts_off_leaves_room_for_what_others_are_given(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "FILL", 3)
    town.made()
    dioro = town.happens(town.dioro, 3)
    koula = town.happens(town.koula, 3)
    assert positions(town.lease("one")) == dioro
    assert positions(town.lease("two")) == koula


def test_a_group_that_is_paused_hands_out_nothing_and_takes_back_what_was_given(made: Town) -> None:
    made.happens(made.dioro, 2)
    taken = made.lease(limit=1)
    made.tell("pause-consumer-group", reason="Entretien")
    assert made.ack(taken) == 0
    assert made.lease().lease is None
    made.tell("resume-consumer-group")
    assert made.lease().lease is not None


def test_a_group_that_is_rewound_begins_there_and_no_lease_from_before_holds(made: Town) -> None:
    happened = made.happens(made.dioro, 3)
    made.ack(made.lease(limit=2))
    taken = made.lease()
    made.tell("rewind-consumer-group", after=happened[0])
    assert positions(made.lease()) == happened[1:]
    with pytest.raises(LeaseLost):
        made.ack(taken)


def test_a_replay_stands_beside_what_is_new_and_ends_when_it_is_stopped(made: Town) -> None:
    happened = made.happens(made.dioro, 3)
    made.ack(made.lease())
    made.tell("replay-consumer-group", after=0, up_to=happened[1])
    new = made.happens(made.koula)
    assert positions(made.lease(limit=1)) == happened[:1]
    made.tell("stop-consumer-group-replay")
    assert positions(made.lease("two")) == new


def test_a_group_that_is_removed_leaves_nothing_behind(made: Town) -> None:
    made.happens(made.dioro)
    taken = made.lease()
    made.groups.remove(DHIS, cast("Any", made.group), "Fin")
    assert made.queue.progress(cast("Any", made.group)) == []
    for way in (made.lease, lambda: made.ack(taken)):
        with pytest.raises(NoSubscription):
            way()


def test_what_was_settled_long_ago_is_forgotten_by_whoever_takes_more(made: Town) -> None:
    made.happens(made.dioro)
    made.ack(made.lease())
    made.later(31 * 86_400).lease()
    assert made.counts().delivered == 0


def test_who_has_seen_the_group_before_it_was_rewound_does_not_lead_it_back(made: Town) -> None:
    happened = made.happens(made.dioro, 2)
    before = made.own()
    made.tell("rewind-consumer-group", after=happened[0])
    assert positions(made.lease()) == happened[1:]
    made.queue.follow(before.id, before.version, before.lanes)
    assert [each.lane for each in made.queue.progress(before.id)] == list(made.own().lanes)


def test_what_two_have_read_of_the_log_is_enqueued_once(made: Town) -> None:
    made.happens(made.dioro)
    made.ack(made.lease())
    [progress] = made.queue.progress(cast("Any", made.group))
    [position] = made.happens(made.koula)
    made.ack(made.lease())
    again = made.about(position)
    found = Found(position, again.event, again.stream)
    made.queue.enqueue(cast("Any", made.group), progress, [found], position)
    assert made.lease().lease is None
