"""``/api/v1/groups``: events handed out to the workers of a consumer group, by leases, and what became of them.

What is said of a group itself is a command like any other (``/commands/pause-consumer-group`` …).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from time import monotonic
from typing import Annotated

from fastapi import APIRouter, Path, Response
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.concurrency import run_in_threadpool

from cycle.aggregates.subscription import Position as LogPosition
from cycle.aggregates.terms import Code, Name
from cycle.cloudevents import CloudEvent
from cycle.groups.leasing import Leasing, Taken
from cycle.groups.listing import GroupRow, group_row
from cycle.groups.shapes import Chosen
from cycle.store import ReceiptLine
from cycle.subscriptions.known import identity_of
from cycle.subscriptions.listing import moment
from cycle_adapters.http.bodies import Body
from cycle_adapters.http.calling import Call, Calling
from cycle_adapters.http.declaring import Declared, answer, problems, shaped
from cycle_adapters.http.encoding import as_json
from cycle_adapters.http.following import Feeds
from cycle_adapters.http.parameters import Lang, Position
from cycle_adapters.http.saying import KeyHeader, key_in
from cycle_adapters.http.subscriptions import (
    LISTS,
    SAYS,
    SEES,
    EventId,
    Identity,
    Place,
    actor_of,
    alike,
    body_of,
    read,
    seen,
)

LISTING, CONSUMING = "list-groups", "consume-group"
PAUSE_SECONDS = 0.25
"""Between two looks at least, of one who waits."""
LOOK_SECONDS = 1.0
"""Between two looks while nothing is recorded: what others give back rings no bell."""
LONGEST_SECONDS = 43_200
"""As long one lease may hold; whoever needs more extends it."""
TAKES = (
    "bad-json", "sign-in-needed", "forbidden", "out-of-scope", "cross-origin", "not-found", "conflict", "too-large",
    "media-type", "invalid", "refused",
)  # fmt: skip
SETTLES = (*TAKES, "lease-lost")
Number = Annotated[Position, Path(description="The number of a lease.")]
Member = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[!-~]([ -~]*[!-~])?$")]
Hold = Annotated[int, Meta(ge=1, le=LONGEST_SECONDS)]
Delay = Annotated[int, Meta(ge=0, le=86_400)]
Why = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[^\s\x00-\x1f\x7f\x85][^\x00-\x1f\x7f]*$")]
Events = Annotated[tuple[EventId, ...], Meta(max_length=500)]


class NewGroup(Struct, frozen=True, forbid_unknown_fields=True):
    """``after``: events behind this position are handed out; those that come from now on when left out."""

    name: Name
    types: tuple[Code, ...] = ()
    territory: Place = "/"
    after: LogPosition | None = None


class NewLease(Struct, frozen=True, forbid_unknown_fields=True):
    """At most ``limit`` events for so many ``seconds``; where there are none, ``wait`` so many seconds for the first.

    ``member``: what the worker calls itself.
    """

    member: Member
    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    seconds: Hold = 60
    wait: Annotated[int, Meta(ge=0, le=30)] = 0


class Ack(Struct, frozen=True, forbid_unknown_fields=True):
    """These ``events`` (their ids), and all up to a position; neither said: all that the lease holds."""

    events: Events | UnsetType = UNSET
    up_to: LogPosition | UnsetType = UNSET


class Nack(Ack, frozen=True, forbid_unknown_fields=True):
    """Which, as for an acknowledgement; to be given again after so many seconds, by the schedule when left out."""

    delay: Delay | UnsetType = UNSET
    reason: Why | UnsetType = UNSET


class ParkEvents(Struct, frozen=True, forbid_unknown_fields=True):
    """These events are set aside, and why."""

    events: Events
    reason: Why


class Extend(Struct, frozen=True, forbid_unknown_fields=True):
    """From now on for so many seconds."""

    seconds: Hold = 60


class GroupMade(Struct, frozen=True):
    """A new group, and where the fact stands."""

    group: str
    position: int
    events: tuple[ReceiptLine, ...]


class GroupList(Struct, frozen=True):
    items: tuple[GroupRow, ...]


class Leased(Struct, frozen=True):
    """What a worker holds until then; no lease: nothing now. ``attempts``: how often each event was handed out.

    ``withheld``: so many events were passed over, that the group's owner may not read.
    """

    lease: int | None
    until: datetime | None
    head: int
    withheld: int
    attempts: Mapping[str, int]
    events: tuple[CloudEvent, ...]


class Settled(Struct, frozen=True):
    """So many events the lease still holds."""

    lease: int
    left: int


class Extended(Struct, frozen=True):
    """The lease holds so many events until then."""

    lease: int
    until: datetime
    left: int


def group_routes() -> APIRouter:
    """Every route of consumer groups."""
    router = APIRouter(prefix="/groups", tags=["group"])
    router.get("", responses=shaped(GroupList, LISTS), summary="The consumer groups that you see")(groups)
    made = {
        200: answer(GroupMade, "Made before with this key."),
        201: answer(GroupMade, "Made."),
        **problems(SAYS),
    }
    router.post(
        "", status_code=201, responses=made, openapi_extra=body_of(NewGroup), summary="Register a consumer group"
    )(add)  # fmt: skip
    router.get("/{identity}", responses=shaped(GroupRow, SEES), summary="One consumer group")(group_alone)
    alike(
        router,
        lambda call: _leasing(call).groups,
        "Hand out an event or a stretch of the log again, or go on from another position",
        "What became of events, and waits",
    )
    _leases(router)
    return router


def _leases(router: APIRouter) -> None:
    """The routes of workers."""
    given: Declared = {200: answer(Leased, "What is next, or nothing."), **problems(TAKES)}
    router.post(
        "/{identity}/lease", responses=given, openapi_extra=body_of(NewLease), summary="Take the next events"
    )(lease)  # fmt: skip
    settled: Declared = {200: answer(Settled, "Settled, now or before."), **problems(SETTLES)}
    extended: Declared = {200: answer(Extended, "Extended."), **problems(SETTLES)}
    of_a_lease = "/{identity}/leases/{number}"
    router.post(
        f"{of_a_lease}/ack", responses=settled, openapi_extra=body_of(Ack), summary="Acknowledge events of a lease"
    )(ack)  # fmt: skip
    router.post(
        f"{of_a_lease}/nack", responses=settled, openapi_extra=body_of(Nack), summary="Give events of a lease back"
    )(nack)  # fmt: skip
    router.post(
        f"{of_a_lease}/park", responses=settled, openapi_extra=body_of(ParkEvents), summary="Set events aside"
    )(park)  # fmt: skip
    router.post(
        f"{of_a_lease}/extend", responses=extended, openapi_extra=body_of(Extend), summary="Keep a lease for longer"
    )(extend)  # fmt: skip


def groups(call: Calling, lang: Lang = None) -> Response:
    found, actor = _leasing(call).groups, call.may(LISTING).account
    return as_json(GroupList(tuple(group_row(found, each) for each in found.seen_by(actor))))


def group_alone(identity: Identity, call: Calling, lang: Lang = None) -> Response:
    found = _leasing(call).groups
    return as_json(group_row(found, seen(found, call, LISTING, identity)))


def add(call: Calling, body: Body, key: KeyHeader = None, lang: Lang = None) -> Response:
    actor = call.may("register-consumer-group").account
    wanted = read(NewGroup, body, call.language)
    own = key_in(key, call.language)
    done = _leasing(call).groups.add(actor, wanted.name, wanted.types, wanted.territory, wanted.after, own)
    made = identity_of(done.receipt.stream)
    headers = {"Location": f"/api/v1/groups/{made}", "Cycle-Position": str(done.receipt.position)}
    told = GroupMade(made, done.receipt.position, done.receipt.events)
    return as_json(told, 201 if done.new else 200, headers)


async def lease(identity: Identity, call: Calling, body: Body, lang: Lang = None) -> Response:
    call.may(CONSUMING)
    wanted = read(NewLease, body, call.language)
    taken = await _taken(identity, call, wanted)
    return as_json(await run_in_threadpool(_told, call, taken))


async def _taken(identity: str, call: Call, wanted: NewLease) -> Taken:
    """What there is, or the first that comes until the wait is over.

    Raises:
        Stopped: too many wait.
    """
    taken = await run_in_threadpool(_look, identity, call, wanted)
    if taken.lease or not wanted.wait:
        return taken
    feeds: Feeds = call.request.app.state.feeds
    until = monotonic() + wanted.wait
    with feeds.place(actor_of(call), call.request.scope):
        async with feeds.tail.heard() as bell:
            # Whoever has gone away would hold what nobody works on.
            while not feeds.tail.is_ending and not await call.request.is_disconnected():
                bell.arm()
                looked = monotonic()
                taken = await run_in_threadpool(_look, identity, call, wanted)
                left = until - monotonic()
                if taken.lease or left <= 0:
                    break
                if taken.at_head:
                    await bell.wait(min(left, LOOK_SECONDS))
                    # While much is recorded others have it in hand: not every bell is worth a look.
                    await asyncio.sleep(looked + PAUSE_SECONDS - monotonic())
    return taken


def _look(identity: str, call: Call, wanted: NewLease) -> Taken:
    actor = call.anew(CONSUMING).account
    return _leasing(call).lease(actor, identity, wanted.member, wanted.limit, wanted.seconds)


def _told(call: Call, taken: Taken) -> Leased:
    feeds: Feeds = call.request.app.state.feeds
    events = tuple(feeds.envelopes.envelope(position, leaf) for position, _, _, leaf in taken.rows)
    attempts = {each.id: taken.attempts[int(each.globalposition)] for each in events}
    number, until = (taken.lease.number, moment(taken.lease.until)) if taken.lease else (None, None)
    return Leased(number, until, call.engine.store.head().position, taken.withheld, attempts, events)


def ack(identity: Identity, number: Number, call: Calling, body: Body, lang: Lang = None) -> Response:
    actor, wanted = call.may(CONSUMING).account, read(Ack, body, call.language)
    return as_json(Settled(number, _leasing(call).ack(actor, identity, number, _chosen(wanted))))


def nack(identity: Identity, number: Number, call: Calling, body: Body, lang: Lang = None) -> Response:
    actor, wanted = call.may(CONSUMING).account, read(Nack, body, call.language)
    delay = None if wanted.delay is UNSET else wanted.delay
    reason = "" if wanted.reason is UNSET else wanted.reason
    return as_json(Settled(number, _leasing(call).nack(actor, identity, number, _chosen(wanted), delay, reason)))


def park(identity: Identity, number: Number, call: Calling, body: Body, lang: Lang = None) -> Response:
    actor, wanted = call.may(CONSUMING).account, read(ParkEvents, body, call.language)
    chosen = Chosen(frozenset(wanted.events))
    return as_json(Settled(number, _leasing(call).park(actor, identity, number, chosen, wanted.reason)))


def extend(identity: Identity, number: Number, call: Calling, body: Body, lang: Lang = None) -> Response:
    actor, wanted = call.may(CONSUMING).account, read(Extend, body, call.language)
    until, left = _leasing(call).extend(actor, identity, number, wanted.seconds)
    return as_json(Extended(number, moment(until), left))


def _chosen(wanted: Ack) -> Chosen:
    events = None if wanted.events is UNSET else frozenset(wanted.events)
    return Chosen(events, None if wanted.up_to is UNSET else wanted.up_to)


def _leasing(call: Call) -> Leasing:
    found: Leasing = call.request.app.state.leasing
    return found
