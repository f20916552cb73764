"""The overview of subscriptions: how far each is, what is wrong with it, and who is to do something first."""

from __future__ import annotations

from time import monotonic

import pytest

from cycle.access import Forbidden
from cycle.aggregates.base import By, Role
from cycle.groups.known import Groups
from cycle.groups.leasing import Leasing
from cycle.groups.shapes import ALL
from cycle.subscriptions import lag
from cycle.subscriptions.kinds import Found, Kind
from cycle.subscriptions.known import identity_of, role_over
from cycle.subscriptions.listing import age_words, answer_words
from cycle.subscriptions.overview import PATIENCE_SECONDS, SubscriptionRow, Trouble, overview, row_of
from cycle.subscriptions.schedule import PAUSES_SECONDS
from cycle.turns import Work
from tests.access.places import revoke
from tests.people import admit
from tests.webhooks.town import DHIS, Town

PAPER = ("document-attached",)
DAY = 86_400


def rows(town: Town, actor: str = DHIS) -> list[SubscriptionRow]:
    with town.engine.store.turns.turn(Work.DELIVERING):
        return overview(town.engine, actor)


def only(town: Town, actor: str = DHIS) -> SubscriptionRow:
    [row] = rows(town, actor)
    return row


def test_what_is_delivered_is_not_behind_and_nothing_is_wrong(town: Town) -> None:
    town.registered(types=PAPER)
    town.happens(town.dioro, 2)
    town.rounds()
    row = only(town)
    assert (row.lag.events, row.lag.at_least, row.troubles, row.mine) == (0, False, (), True)
    assert (row.kind, row.name, row.owner, row.territory) == ("webhook", town.receiver.url, DHIS, "/")
    assert row.position == row.head == town.engine.store.head().position
    assert row.deliveries.delivered == 2


def test_it_says_how_many_events_it_is_behind_and_how_old_the_oldest_is(town: Town) -> None:
    town.registered(types=PAPER, territory="ML/Ségou")
    town.happens(town.dioro)
    town.happens(town.koula)
    town.later(2 * DAY).happens(town.dioro, 2)
    found = lag.lag_of(town.webhooks, town.webhooks.seen_by(DHIS)[0])
    assert (found.events, round(found.seconds), found.at_least) == (3, 2 * DAY, False)
    town.deliverer.piece(town.webhooks.seen_by(DHIS)[0])
    assert lag.lag_of(town.webhooks, town.webhooks.seen_by(DHIS)[0]).events == 0


def test_what_waits_counts_as_well_as_what_is_still_to_come(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.registered(types=PAPER)
    town.receiver.answers = lambda sent: 500
    town.happens(town.dioro, 2)
    town.rounds()
    town.happens(town.koula, 2)
    assert only(town).lag.events == 4
    monkeypatch.setattr(lag, "COUNTED", 2)
    assert only(town).lag.at_least


def test_nobody_delivers_until_a_process_does(town: Town) -> None:
    town.registered(types=PAPER)
    turns = town.engine.store.turns
    assert not turns.is_held(Work.DELIVERING)
    assert overview(town.engine, DHIS)[0].troubles == (Trouble.NOBODY_DELIVERS,)
    with town.another().engine.store.turns.turn(Work.DELIVERING) as turn:
        assert turn is not None
        assert turns.is_held(Work.DELIVERING)
        assert not turns.is_held(Work.PUBLISHING)
        assert overview(town.engine, DHIS)[0].troubles == ()
    # A server lets go of it when it sees that the connection has ended.
    patience = monotonic() + 60
    while turns.is_held(Work.DELIVERING):
        assert monotonic() < patience
    assert overview(town.engine, DHIS)[0].troubles == (Trouble.NOBODY_DELIVERS,)


def test_each_trouble_is_named(town: Town) -> None:
    made = town.registered(types=PAPER)
    town.receiver.answers = lambda sent: 500
    [position] = town.happens(town.dioro)
    town.rounds()
    assert only(town).troubles == (Trouble.NOT_TAKEN,)
    for pause in PAUSES_SECONDS:
        town.later(pause + 1).rounds()
    row = only(town)
    assert (row.troubles, list(row.parked.values())) == ((Trouble.PARKED,), [position])
    town.says(made.webhook, "pause-webhook", reason="Entretien")
    assert only(town).troubles == (Trouble.PARKED, Trouble.PAUSED)
    town.webhooks.store.forget(made.webhook)
    assert only(town).troubles[0] is Trouble.NO_SECRET


def test_a_receiver_that_is_gone_is_a_trouble_and_nobody_has_to_deliver_to_it(town: Town) -> None:
    town.registered(types=PAPER)
    town.receiver.answers = lambda sent: 410
    town.happens(town.dioro)
    town.rounds()
    assert overview(town.engine, DHIS)[0].troubles[0] is Trouble.GONE
    assert Trouble.NOBODY_DELIVERS not in overview(town.engine, DHIS)[0].troubles


def test_a_group_whose_events_nobody_takes_is_a_trouble_after_a_while(town: Town) -> None:
    group = identity_of(Groups(town.engine).add(DHIS, "warehouse", PAPER).receipt.stream)
    [position] = town.happens(town.dioro)
    now = [town.now]

    def row() -> SubscriptionRow:
        groups = Groups(town.engine, lambda: now[0])
        return row_of(Found(Kind.GROUP, groups, groups.refresh()[group]), DHIS)

    assert (row().kind, row().name, row().lag.events, row().troubles) == ("consumer-group", "warehouse", 1, ())
    now[0] += PATIENCE_SECONDS + 1
    assert row().troubles == (Trouble.NOBODY_TAKES,)
    leasing = Leasing(Groups(town.engine, lambda: now[0]))
    taken = leasing.lease(DHIS, group, "w-1", 5, 600)
    assert row().troubles == (), "what a worker holds is not given back"
    assert taken.lease is not None
    leasing.nack(DHIS, group, taken.lease.number, ALL, 0, "")
    assert Trouble.NOT_TAKEN in row().troubles
    assert position == taken.rows[0][0]


def test_what_was_withheld_is_a_trouble(town: Town) -> None:
    town.registered(types=PAPER)
    admit(town.engine, (DHIS, Role.INTEGRATOR, "ML/Ségou"))
    revoke(town.engine, DHIS, "G-1")
    town.happens(town.koula)
    town.rounds()
    assert only(town).troubles == (Trouble.WITHHELD,)


def test_what_needs_me_stands_first_then_what_needs_others_then_who_lags_most(town: Town) -> None:
    admit(town.engine, ("kadi", Role.INTEGRATOR, "/"), ("boss", Role.ADMINISTRATOR, "ML/Ségou"))
    mine = {name: town.registered(url=f"{town.receiver.url}/{name}", types=PAPER) for name in ("b-well", "c-paused")}
    town.registered("kadi", url=f"{town.receiver.url}/a-paused", types=PAPER)
    other = town.webhooks.seen_by("kadi")[0]
    for actor, identity in ((DHIS, mine["c-paused"].webhook), ("kadi", other.id)):
        town.says(identity, "pause-webhook", actor, reason="?")  # type: ignore[arg-type]
    town.happens(town.dioro)
    names = [row.name.rpartition("/")[2] for row in rows(town)]
    assert names == ["c-paused", "b-well"]
    seen = [(row.name.rpartition("/")[2], row.mine) for row in rows(town, "auditor")]
    assert seen == [("a-paused", False), ("c-paused", False), ("b-well", False)]
    assert [row.mine for row in rows(town, "administrator")] == [True, True, True]
    assert rows(town, "boss") == []
    with pytest.raises(Forbidden):
        overview(town.engine, "mayor")


def test_who_holds_both_roles_changes_that_of_another_as_administrator(town: Town) -> None:
    admit(town.engine, ("both", Role.INTEGRATOR, "/"), ("both", Role.ADMINISTRATOR, "/"))
    town.registered()
    [each] = town.webhooks.seen_by("both")
    assert role_over(town.engine, "both", each) is Role.ADMINISTRATOR
    assert role_over(town.engine, DHIS, each) is Role.INTEGRATOR
    assert role_over(town.engine, "auditor", each) is None
    done = town.webhooks.say("both", "pause-webhook", {"reason": "Panne"}, each.id)
    assert town.engine.fact(done.receipt.events[-1]).by == By("both", Role.ADMINISTRATOR)
    assert town.webhooks.rotate("both", each.id).secret.startswith("whsec_")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (7_200, "2 hours"),
        (172_800, "2 days"),
    ],
)
def test_ages_are_told_in_the_largest_unit_that_says_something(seconds: int, words: str) -> None:
    assert age_words(seconds, "en") == words


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("200", "taken (200)"),
        ("302", "sends elsewhere (302), which is not followed"),
        ("401", "does not accept the signature (401)"),
        ("418", "refuses (418)"),
        ("500", "has failed (500)"),
        ("599", "has failed (599)"),
        ("timeout", "did not answer in time"),
        ("refused-not-public", "its address is not public: nothing is sent there"),
        ("<script>", "<script>"),
        ("999", "999"),
        ("ack: w-1", "acknowledged by w-1"),
        ("nack: w-1", "given back by w-1"),
        ("nack: w-1: no room: at all", "given back by w-1: no room: at all"),
        ("parked: w-1: unreadable", "set aside by w-1: unreadable"),
        ("parked", "set aside"),
        ("lapsed", "not settled in time"),
    ],
)
def test_answers_are_told_in_words(answer: str, words: str) -> None:
    assert answer_words(answer, "en") == words
