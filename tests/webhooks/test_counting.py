"""A dry count says before it is done what a rewind or a replay then really sends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cycle.aggregates.base import PLATFORM, Role
from cycle.aggregates.webhook import ReplayWebhook, RewindWebhook, Webhook
from cycle.subscriptions.counting import Counting, DryCount, dry_count
from cycle.subscriptions.shapes import DeliveryStage
from tests.access.places import DIORO, KOULA, revoke
from tests.people import admit
from tests.webhooks.receiver import Receiver, Sent, receiving
from tests.webhooks.town import DHIS, Town, made_key

PAPER = ("document-attached",)


class Past(NamedTuple):
    """What has happened to a webhook before somebody asks for a count."""

    types: tuple[str, ...]
    territory: str
    happenings: list[tuple[str, int]]
    refused: frozenset[int]
    narrowed: bool
    paused: bool


PASTS = st.builds(
    Past,
    st.sampled_from([(), PAPER, (*PAPER, "framework-proposed"), ("webhook-paused",)]),
    st.sampled_from(["/", "ML/Ségou"]),
    st.lists(st.tuples(st.sampled_from(["dioro", "koula"]), st.integers(1, 3)), max_size=4),
    st.frozensets(st.integers(0, 8), max_size=3),
    st.booleans(),
    st.booleans(),
)


@pytest.fixture(scope="module")
def one_receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def lived(past: Past, town: Town) -> tuple[str, set[int]]:
    """A webhook with this past, and the positions that its receiver has."""
    made = town.registered(types=past.types, territory=past.territory, after=0)
    papers = [position for place, times in past.happenings for position in town.happens(getattr(town, place), times)]
    bad = {papers[number] for number in past.refused if number < len(papers)}
    town.receiver.answers = lambda sent: 500 if sent.position in bad else 200
    if past.paused:
        town.says(made.webhook, "pause-webhook", reason="Entretien")
    town.rounds()
    if past.paused:
        town.says(made.webhook, "resume-webhook")
    if past.narrowed:
        admit(town.engine, (DHIS, Role.INTEGRATOR, "ML/Ségou"))
        revoke(town.engine, DHIS, "G-1")
    had = {each.position for each in town.receiver.sent if each.position not in bad}
    town.receiver.forget()
    town.receiver.answers = lambda sent: 200
    return made.webhook, had


def agrees(town: Town, found: DryCount, sent: list[Sent], had: set[int]) -> None:
    """What came is what was counted; the fact that asks for it came later, and was not."""
    came = [each for each in sent if each.position <= found.to]
    positions = [each.position for each in came]
    assert len(set(positions)) == len(positions) == found.events
    assert len(had.intersection(positions)) == found.again
    logs = {position: log for position, log, *_ in town.engine.store.feed(0, found.head, 500)[1]}
    assert dict(Counter(logs[each] for each in positions)) == {each.name: each.events for each in found.communes}
    types = Counter(each.event["type"].removeprefix("org.cycle.").removesuffix(".v1") for each in came)
    assert dict(types) == {each.name: each.events for each in found.types}


@given(PASTS, st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_rewind_sends_what_was_counted(one_receiver: Receiver, past: Past, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        one_receiver.forget()
        town = Town(f"sqlite:///{folder}/a.db", made_key(Path(folder)), one_receiver).begun()
        webhook, had = lived(past, town)
        state = town.state(webhook)  # type: ignore[arg-type]
        after = data.draw(st.integers(0, town.engine.store.head().position + 2))
        found = dry_count(town.webhooks, state, after)
        town.says(state.id, RewindWebhook.type, "administrator", after=after)
        town.rounds()
        agrees(town, found, town.receiver.sent, had)
        withheld = town.webhooks.queue.counts(state.id).withheld
        assert withheld >= found.withheld
        town.close()


@given(PASTS, st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_replay_sends_what_was_counted_beside_what_waits(
    one_receiver: Receiver, past: Past, data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder:
        one_receiver.forget()
        town = Town(f"sqlite:///{folder}/a.db", made_key(Path(folder)), one_receiver).begun()
        webhook, had = lived(past._replace(refused=frozenset(), paused=False), town)
        state = town.state(webhook)  # type: ignore[arg-type]
        # What is new is sent first, and then counted as had.
        town.rounds()
        had |= {each.position for each in town.receiver.sent}
        town.receiver.forget()
        head = town.engine.store.head().position
        after = data.draw(st.integers(0, head - 1))
        up_to = data.draw(st.integers(after + 1, head + 1))
        found = dry_count(town.webhooks, state, after, up_to)
        town.says(state.id, ReplayWebhook.type, "administrator", after=after, up_to=up_to)
        town.rounds()
        agrees(town, found, town.receiver.sent, had)
        town.close()


def test_going_ahead_counts_what_is_left_behind(town: Town) -> None:
    made = town.registered(types=PAPER)
    taken, refused, waiting = town.happens(town.dioro, 3)
    town.receiver.answers = lambda sent: 500 if sent.position == refused else 200
    town.rounds()
    new = town.happens(town.koula, 4)
    state = town.state(made.webhook)
    found = dry_count(town.webhooks, state, new[1])
    assert (found.skipped, found.first, found.again) == (2 + 2, 2, 0)
    town.says(state.id, RewindWebhook.type, after=new[1])
    town.receiver.forget()
    town.rounds()
    assert town.receiver.positions == new[2:]
    assert taken < refused < waiting


def test_what_was_taken_once_is_sent_again_also_after_a_replay_that_failed(town: Town) -> None:
    made = town.registered(types=PAPER)
    [position] = town.happens(town.dioro)
    town.rounds()
    town.receiver.answers = lambda sent: 500
    town.says(made.webhook, ReplayWebhook.type, after=position - 1, up_to=position)
    town.rounds()
    assert town.delivery(made.webhook, position).stage is DeliveryStage.WAITING
    found = dry_count(town.webhooks, town.state(made.webhook), position - 1)
    assert (found.again, found.first) == (1, 0)


def test_communes_and_types_are_counted_the_most_first(town: Town) -> None:
    made = town.registered(types=(*PAPER, "webhook-registered"))
    town.happens(town.koula, 1)
    town.happens(town.dioro, 3)
    found = dry_count(town.webhooks, town.state(made.webhook), 0)
    papers = [each for each in found.communes if each.name != PLATFORM]
    assert [(each.name, each.events) for each in papers] == [(DIORO, 3), (KOULA, 1)]
    assert [(each.name, each.events) for each in found.types] == [("document-attached", 4), ("webhook-registered", 1)]
    assert {each.name for each in found.communes} == {DIORO, KOULA, PLATFORM}


@pytest.mark.parametrize("count", [Counting.rewind, lambda counting, after: counting.replay(after, 10_000)])
def test_where_there_are_more_than_are_looked_at_it_says_so(
    town: Town, count: Callable[[Counting[Webhook], int], DryCount]
) -> None:
    made = town.registered(types=PAPER)
    positions = town.happens(town.dioro, 5)
    state = town.state(made.webhook)
    found = count(Counting(town.webhooks, state, most=3), 0)
    assert (found.events, found.more, found.to) == (3, True, positions[2])
    whole = count(Counting(town.webhooks, state, most=6), 0)
    assert (whole.events, whole.more) == (5, False)


def test_more_that_is_left_behind_than_is_looked_at_is_said(town: Town) -> None:
    made = town.registered(types=PAPER)
    last = town.happens(town.dioro, 5)[-1]
    found = Counting(town.webhooks, town.state(made.webhook), most=3).rewind(last)
    assert (found.skipped, found.events, found.more) == (3, 0, True)


def test_what_the_owner_may_not_read_now_is_counted_as_withheld(town: Town) -> None:
    made = town.registered(types=PAPER)
    town.happens(town.dioro, 2)
    town.happens(town.koula, 3)
    admit(town.engine, (DHIS, Role.INTEGRATOR, "ML/Ségou"))
    revoke(town.engine, DHIS, "G-1")
    found = dry_count(town.webhooks, town.state(made.webhook), 0)
    assert (found.events, found.withheld, [each.name for each in found.communes]) == (2, 3, [DIORO])
