"""The console of integrators: what is delivered where, how far it is, and what somebody has to do about it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from cycle.aggregates.base import LogName, Recorded
from cycle.aggregates.framework.root import framework
from cycle.catalogue import text
from cycle.commands import KEY
from cycle.engine import stream_of
from cycle.feed import QUESTION
from cycle.groups.known import Groups
from cycle.store import FeedRow
from cycle.subscriptions.kinds import SAYINGS, Found, Kind
from cycle.subscriptions.lag import LOOKED, Lag
from cycle.subscriptions.listing import age_words, answer_words, delivery_row, moment
from cycle.subscriptions.overview import SubscriptionRow, Trouble, overview, row_of
from cycle.subscriptions.shapes import Delivery, DeliveryStage
from cycle.telling import sentence
from cycle_adapters.http.overview import facts_of, found, sees
from cycle_adapters.http.pages_desk import AtDesk, Desk
from cycle_adapters.http.parameters import Position
from cycle_adapters.http.subscriptions import Identity

DELIVERIES, FACTS = 20, 20
"""So many of each stand on a page."""
SHOWN = tuple(stage for stage in DeliveryStage if stage is not DeliveryStage.WITHHELD)
"""What was withheld from the owner is listed nowhere."""
STAGES = f"^({'|'.join(SHOWN)})?$"
JSON: Mapping[Kind, str] = {Kind.WEBHOOK: "/api/v1/webhooks", Kind.GROUP: "/api/v1/groups"}
"""Where each kind is read as JSON."""
Facts = Annotated[int, Query(ge=0, le=100_000)]


def subscription_pages() -> APIRouter:
    """The overview, and a page for each."""
    router = APIRouter()

    @router.get("/subscriptions", response_class=HTMLResponse)
    def subscriptions(desk: AtDesk) -> HTMLResponse:
        cards = [(row, lag_words(row.lag, desk)) for row in overview(desk.engine, sees(desk.call))]
        return desk.page("subscriptions.html", cards=cards, registers=registers(desk))

    @router.get("/subscriptions/{identity}", response_class=HTMLResponse)
    def one(
        identity: Identity,
        desk: AtDesk,
        stage: Annotated[str, Query(pattern=STAGES)] = "",
        before: Annotated[Position | None, Query()] = None,
        facts: Facts = 0,
        said: Annotated[str, Query(pattern=f"{KEY}|^$")] = "",
    ) -> HTMLResponse:
        each = found(desk.call, identity)
        own, row = each.own, row_of(each, desk.actor)
        wanted = DeliveryStage(stage) if stage else None
        rows = each.known.queue.deliveries(own.id, stage=wanted, before=before, limit=DELIVERIES + 1)
        told = list(islice(facts_of(each, desk.language), facts, facts + FACTS + 1))
        does = SAYINGS[each.kind].about(own) if row.mine else ()
        return desk.page(
            "subscription.html",
            own=row,
            json=f"{JSON[each.kind]}/{own.id}",
            said=recorded_with(desk, each, said) if said else "",
            base=f"/subscriptions/{own.id}",
            lag=lag_words(row.lag, desk),
            leases=list(leases(each)),
            replays=own.lanes[1:],
            mends=mends(row),
            does=[(command.type, text(f"command.{command.type}", desk.language)) for command in does],
            replay=SAYINGS[each.kind].acts.replays.says.type,
            deliveries=list(told_deliveries(desk, rows[:DELIVERIES])),
            stages=SHOWN,
            stage=stage or None,
            before=before,
            older=rows[DELIVERIES - 1].position if len(rows) > DELIVERIES else None,
            history=told[:FACTS],
            earlier=facts + FACTS if len(told) > FACTS else None,
            later=max(facts - FACTS, 0) if facts else None,
        )

    return router


def recorded_with(desk: Desk, each: Found, key: str) -> str:
    """What a command about a subscription has recorded, by its key; nothing where it is about something else."""
    receipt = desk.engine.store.receipt(key)
    line = receipt[1].events[-1] if receipt else None
    if line is None or line.stream != stream_of(each.known.aggregate, each.own.id):
        return ""
    return sentence(desk.engine.fact(line), desk.language)


def registers(desk: Desk) -> list[tuple[str, str]]:
    """The kinds of which the account may register one somewhere, and how that is called."""
    door = desk.engine.door
    held = {grant.role for grant in door.now.grants(desk.actor, door.today())}
    made = {kind: sayings.registers for kind, sayings in SAYINGS.items()}
    return [(kind.value, command.type) for kind, command in made.items() if not held.isdisjoint(command.roles)]


def mends(row: SubscriptionRow) -> dict[Trouble, str]:
    """The command that ends each trouble, where one does and the account may say it."""
    sayings = SAYINGS[row.kind]
    resumes = sayings.acts.resumes.says
    ends = {Trouble.NO_SECRET: sayings.rotates, Trouble.GONE: resumes, Trouble.PAUSED: resumes}
    return {each: command.type for each in row.troubles if row.mine and (command := ends.get(each))}


def leases(each: Found) -> Iterator[dict[str, Any]]:
    """The workers of a consumer group, and what they hold until when."""
    if isinstance(each.known, Groups):
        for lease, events in each.known.engine.store.leases.held(each.own.id, each.known.now()):
            yield {"member": lease.member, "lease": str(lease.number), "events": events, "until": moment(lease.until)}


def lag_words(lag: Lag, desk: Desk) -> str:
    """How far behind, in words."""
    if not lag.events:
        return desk.say("lag-none-near", looked=LOOKED) if lag.at_least else desk.say("lag-none")
    age = age_words(int(lag.seconds), desk.language)
    return desk.say("lag-at-least" if lag.at_least else "lag-behind", events=lag.events, age=age)


def told_deliveries(desk: Desk, rows: Sequence[Delivery]) -> Iterator[dict[str, Any]]:
    """Deliveries in words; of an event no more than the account may read."""
    readable = desk.reader.readable(QUESTION)
    stand = {row[0]: row for row in desk.engine.store.events_at([each.position for each in rows])}
    for each in rows:
        row, fact = delivery_row(each), read_fact(desk, stand[each.position], readable)
        yield {
            "row": row,
            "sentence": sentence(fact, desk.language) if fact else "",
            "link": link_of(fact),
            "attempts": [(one.at, answer_words(one.answer, desk.language)) for one in row.answers],
        }


def read_fact(desk: Desk, row: FeedRow, readable: Collection[str] | None) -> Recorded[Any] | None:
    """The fact of a row, where it stands in a log that the account may read (None: in any)."""
    position, log, *_ = row
    if readable is not None and log not in readable:
        return None
    read = desk.engine.store.read(position - 1, 1, up_to=position, log=LogName(log))
    [(_, topic, schema, leaf)] = read
    return cast("Recorded[Any]", desk.engine.leaves[topic, schema](leaf))


def link_of(fact: Recorded[Any] | None) -> str:
    """Where the replay tells a fact of a framework; of others there is no replay."""
    kind, _, identity = fact.stream.partition("-") if fact else ("", "", "")
    return f"/frameworks/{identity}/replay" if kind == framework.name else ""
