"""What is recorded is sent: all of it, in the order of each framework, signed, and again until it is taken."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from cycle.aggregates.base import Role
from cycle.aggregates.subscription import SubscriptionStage
from cycle.subscriptions import known, schedule
from cycle.subscriptions.schedule import ATTEMPTS, JITTER, PAUSES_SECONDS
from cycle.subscriptions.shapes import Answer, DeliveryStage
from cycle.webhooks.delivering import LOOK_SECONDS
from tests.access.places import revoke
from tests.people import admit
from tests.webhooks.receiver import Sent
from tests.webhooks.town import DHIS, Town

HOUR = 3_600


def failing(*positions: int, status: int = 500) -> object:
    return lambda sent: status if sent.position in positions else 200


def test_what_happens_is_sent_once_in_order_as_a_signed_cloudevent(town: Town) -> None:
    made = town.registered()
    positions = [*town.happens(town.dioro, 2), *town.happens(town.koula, 2)]
    town.rounds()
    own, *sent = town.receiver.sent
    assert own.event["type"] == "org.cycle.webhook-registered.v1"
    assert [each.position for each in sent] == positions
    for each in sent:
        event = Verifier(made.secret).verify(each.body, each.headers)
        assert (event["id"], event["specversion"]) == (each.id, "1.0")
        assert event["type"] == "org.cycle.document-attached.v1"
        assert each.headers["content-type"].startswith("application/cloudevents+json")
    assert town.rounds() == 0


def test_a_body_or_an_id_that_was_changed_verifies_no_more(town: Town) -> None:
    made = town.registered()
    town.rounds()
    [sent] = town.receiver.sent
    with pytest.raises(WebhookVerificationError):
        Verifier(made.secret).verify(sent.body.replace(b"dhis", b"dhi5"), sent.headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(made.secret).verify(sent.body, {**sent.headers, "webhook-id": "another"})


def test_only_types_and_places_that_were_asked_for_are_sent(town: Town) -> None:
    town.registered(types=("document-attached",), territory="ML/Ségou")
    dioro = town.happens(town.dioro, 2)
    town.happens(town.koula)
    town.rounds()
    assert town.receiver.positions == dioro


def test_it_begins_where_it_was_asked_to(town: Town) -> None:
    before = town.happens(town.dioro, 3)
    town.registered(types=("document-attached",), after=before[0])
    town.rounds()
    assert town.receiver.positions == before[1:]


def test_what_is_not_taken_is_tried_again_by_the_schedule_and_then_parked(town: Town) -> None:
    made = town.registered(types=("document-attached",))
    town.receiver.answers = lambda sent: 500
    [position] = town.happens(town.dioro)
    for number, pause in enumerate(PAUSES_SECONDS, 1):
        assert town.rounds() == 1
        assert len(town.receiver.sent) == number
        town.later(pause - 0.01)
        assert town.rounds() == 0, "too early"
        town.later(0.02)
    assert town.rounds() == 1
    assert len({each.id for each in town.receiver.sent}) == 1
    assert len(town.receiver.sent) == ATTEMPTS
    parked = town.delivery(made.webhook, position)
    assert (parked.stage, parked.attempts) == (DeliveryStage.PARKED, ATTEMPTS)
    assert [answer.what for answer in parked.answers] == ["500"] * ATTEMPTS
    assert town.state(made.webhook).parked == {f"framework-{town.dioro}": position}
    assert town.later(100 * HOUR).rounds() == 0


def test_the_schedule_is_that_of_the_specification_and_chance_only_adds_to_it() -> None:
    minute = 60
    expected = [5, 5 * minute, 30 * minute, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR, None]
    assert [schedule.pause_seconds(attempts, lambda: 0.0) for attempts in range(1, ATTEMPTS + 1)] == expected
    assert schedule.pause_seconds(1, lambda: 0.5) == 5 * (1 + JITTER / 2)


def test_what_follows_in_the_same_framework_waits_and_other_frameworks_go_on(town: Town) -> None:
    town.registered(types=("document-attached",))
    first, second = town.happens(town.dioro, 2)
    others = town.happens(town.koula, 3)
    town.receiver.answers = failing(first)  # type: ignore[assignment]
    town.rounds()
    assert town.receiver.positions == [first, *others]
    town.receiver.answers = lambda sent: 200
    town.later(PAUSES_SECONDS[0]).rounds()
    assert town.receiver.positions == [first, *others, first, second]


def test_what_is_parked_holds_up_its_own_framework_only_until_it_is_replayed(town: Town) -> None:
    made = town.registered(types=("document-attached",))
    first, second = town.happens(town.dioro, 2)
    town.receiver.answers = failing(first)  # type: ignore[assignment]
    for _ in range(ATTEMPTS):
        town.later(30 * HOUR).rounds()
    [other] = town.happens(town.koula)
    town.rounds()
    assert second not in town.receiver.positions
    assert town.receiver.positions[-1] == other
    town.receiver.forget()
    town.receiver.answers = lambda sent: 200
    event = town.delivery(made.webhook, first).event
    town.webhooks.replay_event(DHIS, made.webhook, event)
    town.rounds()
    assert town.receiver.positions == [first, second]
    assert town.state(made.webhook).parked == {}


def test_who_is_gone_is_sent_nothing_more_until_somebody_resumes_it(town: Town) -> None:
    made = town.registered(types=("document-attached",))
    positions = [*town.happens(town.dioro), *town.happens(town.koula)]
    town.receiver.answers = lambda sent: HTTPStatus.GONE
    assert town.rounds() == 1
    assert town.state(made.webhook).stage is SubscriptionStage.DISABLED
    town.receiver.answers = lambda sent: 200
    assert town.later(HOUR).rounds() == 0
    town.says(made.webhook, "resume-webhook")
    town.rounds()
    assert town.receiver.positions == [positions[0], *positions]


@pytest.mark.parametrize("status", [HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE])
def test_who_asks_for_peace_gets_it_for_all_that_waits(town: Town, status: int) -> None:
    made = town.registered(types=("document-attached",))
    [first], [other] = town.happens(town.dioro), town.happens(town.koula)
    town.receiver.answers = lambda sent: (status, {"Retry-After": "120"})
    assert town.rounds() == 1
    town.receiver.answers = lambda sent: 200
    assert town.later(119).rounds() == 0
    assert town.later(2).rounds() == 2
    assert town.receiver.positions == [first, first, other]
    assert town.delivery(made.webhook, first).answers[0].what == str(int(status))


def test_nobody_is_left_in_peace_for_longer_than_a_day(town: Town) -> None:
    town.registered(types=("document-attached",))
    town.happens(town.dioro)
    town.receiver.answers = lambda sent: (429, {"Retry-After": "999999999"})
    town.rounds()
    town.receiver.answers = lambda sent: 200
    assert town.later(24 * HOUR + 1).rounds() == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 500])
def test_a_redirect_or_an_error_is_not_followed_and_not_taken(town: Town, status: int) -> None:
    made = town.registered(types=("document-attached",))
    [position] = town.happens(town.dioro)
    town.receiver.answers = lambda sent: (status, {"Location": f"{town.receiver.url}/elsewhere"})
    assert town.rounds() == 1
    assert len(town.receiver.sent) == 1
    assert town.delivery(made.webhook, position).answers == (Answer(town.now, str(status)),)


def test_a_right_that_is_revoked_stops_what_waits_at_once(town: Town) -> None:
    made = town.registered(types=("document-attached",))
    first, _ = town.happens(town.dioro, 2)

    def answered(sent: Sent) -> int:
        if sent.position == first:
            revoke(town.another().engine, DHIS)
            town.elapsed += LOOK_SECONDS
        return 200

    town.receiver.answers = answered
    town.rounds()
    assert town.receiver.positions == [first]
    counts = town.webhooks.queue.counts(made.webhook)
    assert (counts.withheld, counts.waiting) == (1, 0)
    assert [each.position for each in town.webhooks.queue.deliveries(made.webhook)] == [first], "it is not told of"


def test_what_is_paused_is_left_alone_from_the_next_look_on(town: Town) -> None:
    made = town.registered(types=("document-attached",))
    first, second, third = town.happens(town.dioro, 3)

    def answered(sent: Sent) -> int:
        if sent.position == second:
            town.another().says(made.webhook, "pause-webhook", reason="Panne")
            town.elapsed += LOOK_SECONDS
        return 200

    town.receiver.answers = answered
    town.rounds()
    assert town.receiver.positions == [first, second]
    counts = town.webhooks.queue.counts(made.webhook)
    assert (counts.delivered, counts.waiting) == (2, 1)
    assert town.delivery(made.webhook, third).attempts == 0


def test_what_comes_close_together_goes_over_one_connection_and_what_comes_later_over_another(town: Town) -> None:
    town.registered(types=("document-attached",))
    town.happens(town.dioro, 3)
    town.happens(town.koula, 2)
    town.rounds()
    assert len({each.port for each in town.receiver.sent}) == 1
    town.happens(town.dioro)
    town.rounds()
    assert len(town.receiver.sent) == 6
    assert len({each.port for each in town.receiver.sent}) == 2


def test_what_is_lost_with_a_connection_that_was_kept_is_sent_again_at_once(town: Town) -> None:
    """A receiver may close whenever it likes what it has kept open: that is no failure of it."""
    made = town.registered(types=("document-attached",))
    positions = town.happens(town.dioro, 3)
    town.receiver.hangs_up_on = {2}
    town.rounds()
    assert town.receiver.positions == [positions[0], positions[1], positions[1], positions[2]]
    assert town.receiver.sent[1].port == town.receiver.sent[0].port != town.receiver.sent[2].port
    assert [town.delivery(made.webhook, each).attempts for each in positions] == [1, 1, 1]


def test_who_hangs_up_on_a_new_connection_has_not_taken_it(town: Town) -> None:
    made = town.registered(types=("document-attached",))
    (position,) = town.happens(town.dioro)
    town.receiver.hangs_up_on = {1}
    assert town.rounds() == 1
    assert town.delivery(made.webhook, position).answers == (Answer(town.now, "broken"),)


def test_what_lies_outside_the_owners_territory_is_sent_to_nobody(town: Town) -> None:
    admit(town.engine, ("sigui", Role.INTEGRATOR, "ML/Ségou"))
    town.registered("sigui", territory="ML/Ségou")
    dioro = town.happens(town.dioro)
    town.happens(town.koula)
    town.rounds()
    assert town.receiver.positions == dioro


def test_while_secrets_rotate_both_sign_and_then_the_new_one_alone(town: Town) -> None:
    old = town.registered(types=("document-attached",))
    new = town.webhooks.rotate(DHIS, old.webhook)
    assert new.secret != old.secret
    town.happens(town.dioro)
    town.rounds()
    town.later(24 * HOUR + 1).happens(town.dioro)
    town.rounds()
    during, after = town.receiver.sent
    assert (during.signed_by(old.secret), during.signed_by(new.secret)) == (True, True)
    assert (after.signed_by(old.secret), after.signed_by(new.secret)) == (False, True)


def test_a_secret_that_was_stolen_signs_nothing_more_at_once(town: Town) -> None:
    old = town.registered(types=("document-attached",))
    town.webhooks.rotate(DHIS, old.webhook, overlap_hours=0)
    town.happens(town.dioro)
    town.rounds()
    assert not town.receiver.sent[0].signed_by(old.secret)


def test_a_webhook_that_is_paused_is_sent_what_came_meanwhile_when_it_goes_on(town: Town) -> None:
    made = town.registered(types=("document-attached",))
    town.says(made.webhook, "pause-webhook", reason="Entretien")
    positions = town.happens(town.dioro, 2)
    assert town.rounds() == 0
    town.says(made.webhook, "resume-webhook")
    town.rounds()
    assert town.receiver.positions == positions


def test_a_stretch_is_sent_again_with_the_same_ids_beside_what_is_new(town: Town) -> None:
    made = town.registered(types=("document-attached",))
    positions = town.happens(town.dioro, 4)
    town.rounds()
    first = {each.position: each.id for each in town.receiver.sent}
    town.receiver.forget()
    town.says(made.webhook, "replay-webhook", after=positions[0], up_to=positions[2])
    new = town.happens(town.koula)
    town.rounds()
    assert sorted(town.receiver.positions) == [positions[1], positions[2], *new]
    assert all(first.get(each.position, each.id) == each.id for each in town.receiver.sent)
    town.receiver.forget()
    assert town.rounds() == 0, "once"


def test_a_replay_that_is_stopped_sends_nothing_more_and_forgets_nothing_new(town: Town) -> None:
    made = town.registered(types=("document-attached",))
    positions = town.happens(town.dioro, 4)
    town.rounds()
    town.receiver.forget()
    town.receiver.answers = failing(positions[0])  # type: ignore[assignment]
    town.says(made.webhook, "replay-webhook", after=0, up_to=positions[-1])
    town.rounds()
    assert town.receiver.positions == [positions[0]]
    town.says(made.webhook, "stop-webhook-replay")
    new = town.happens(town.dioro)
    town.receiver.answers = lambda sent: 200
    town.later(HOUR).rounds()
    assert town.receiver.positions == [positions[0], *new]
    assert town.webhooks.queue.counts(made.webhook).delivered == 5


def test_a_webhook_that_is_rewound_begins_there_and_leaves_behind_what_waited(town: Town) -> None:
    made = town.registered(types=("document-attached",))
    positions = town.happens(town.dioro, 3)
    town.receiver.answers = failing(positions[0])  # type: ignore[assignment]
    for _ in range(ATTEMPTS):
        town.later(30 * HOUR).rounds()
    assert town.state(made.webhook).parked
    town.receiver.forget()
    town.says(made.webhook, "rewind-webhook", after=positions[0])
    town.rounds()
    assert town.receiver.positions == positions[1:]
    assert town.state(made.webhook).parked == {}


def test_a_webhook_that_is_removed_leaves_nothing_behind(town: Town) -> None:
    made = town.registered(types=("document-attached",))
    town.happens(town.dioro, 2)
    town.webhooks.remove(DHIS, made.webhook, "Fin")
    assert town.rounds() == 0
    assert town.webhooks.store.secrets(made.webhook) == []
    assert town.webhooks.queue.progress(made.webhook) == []
    assert town.receiver.sent == []


def test_a_webhook_that_another_process_removed_is_cleaned_up_by_whoever_delivers(town: Town) -> None:
    made = town.registered(types=("document-attached",))
    town.happens(town.dioro)
    town.rounds()
    town.says(made.webhook, "remove-webhook", reason="Fin")
    assert town.webhooks.store.secrets(made.webhook) != []
    town.rounds()
    assert town.webhooks.store.secrets(made.webhook) == []


def test_what_was_kept_of_a_removed_webhook_is_destroyed_once_and_not_at_every_look(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = [town.registered().webhook for _ in range(2)]
    for each in gone:
        town.says(each, "remove-webhook", reason="Fin")
    assert town.webhooks.store.secrets(gone[0]) != [], (
        "nothing was ever sent to it, and its secret is kept all the same"
    )
    forgotten, forget = list[str](), town.webhooks.store.forget
    monkeypatch.setattr(town.webhooks.store, "forget", lambda webhook: (forgotten.append(webhook), forget(webhook)))
    for _ in range(3):
        town.deliverer.round()
    assert forgotten == gone
    assert [town.webhooks.store.secrets(each) for each in gone] == [[], []]


def test_what_was_at_work_for_a_webhook_while_it_was_removed_leaves_nothing_behind(town: Town) -> None:
    made = town.registered(types=("document-attached",))
    before = town.state(made.webhook)
    town.says(made.webhook, "remove-webhook", reason="Fin")
    assert town.rounds() == 0
    assert town.deliverer.piece(before) == 0
    assert town.webhooks.queue.progress(made.webhook) != []
    assert town.rounds() == 0
    assert town.webhooks.queue.progress(made.webhook) == []


def test_what_is_kept_of_deliveries_may_be_lost_and_no_event_is(town: Town) -> None:
    made = town.registered(types=("document-attached",))
    positions = town.happens(town.dioro, 3)
    town.rounds()
    first = {each.id for each in town.receiver.sent}
    town.webhooks.queue.forget(made.webhook)
    new = town.happens(town.koula)
    town.receiver.forget()
    town.rounds()
    assert town.receiver.positions == [*positions, *new]
    assert {each.id for each in town.receiver.sent} > first, "the same ids, by which a receiver knows them"


def test_more_than_may_wait_at_once_is_sent_all_the_same(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "FILL", 3)
    town.registered(types=("document-attached",))
    positions = [*town.happens(town.dioro, 7), *town.happens(town.koula, 7)]
    town.rounds()
    assert sorted(town.receiver.positions) == positions


def test_what_was_delivered_long_ago_is_forgotten(town: Town) -> None:
    made = town.registered(types=("document-attached",))
    town.happens(town.dioro)
    town.rounds()
    town.deliverer.sweep()
    assert town.webhooks.queue.counts(made.webhook).delivered == 1
    town.later(31 * 24 * HOUR).deliverer.sweep()
    assert town.webhooks.queue.counts(made.webhook).delivered == 0
