"""The things that facts are about: communes, frameworks, cycles, plans, actions, obstacles, meetings, organisations.

Never natural persons. A thing is called the same wherever it is handed on: ``0199…`` is a framework, ``0199…/cycle-2``
its second cycle, ``0199…/A-7`` an action.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from cycle.aggregates.base import Event, Recorded
from cycle.aggregates.framework.adjustment import (
    CycleClosed,
    CycleOpened,
    PlanAdjusted,
    PlanReviewed,
    ReviewOpened,
)
from cycle.aggregates.framework.anytime import DeadlinePassed, DocumentAttached
from cycle.aggregates.framework.committee import (
    CommitteeInstalled,
    CommitteeKept,
    CommitteeMemberReplaced,
    CommitteeRenewed,
    MandateAmended,
    MandateDefined,
)
from cycle.aggregates.framework.council import FrameworkFormalised
from cycle.aggregates.framework.monitoring import MonitoringStarted
from cycle.aggregates.framework.needs import (
    NeedIdentified,
    NeedsIdentificationClosed,
    NeedsIdentificationOpened,
    NeedsReopened,
)
from cycle.aggregates.framework.plan import PlanAgreed, PlanWithdrawn
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.setup import MemberAdmitted
from cycle.aggregates.organisation import organisation
from cycle.aggregates.standing import named
from cycle.exports.trail import Trail


class Thing(StrEnum):
    """The types of things."""

    COMMUNE = "commune"
    FRAMEWORK = "framework"
    CYCLE = "cycle"
    PLAN = "plan"
    ACTION = "action"
    OBSTACLE = "obstacle"
    MEETING = "meeting"
    ORGANISATION = "organisation"


class Object(NamedTuple):
    """One thing."""

    type: Thing
    id: str


class Link(NamedTuple):
    """What a fact, or a thing, has to do with a thing."""

    qualifier: str
    object: Object


SUBJECT = "subject"
OF_PLAN = (PlanAgreed, PlanAdjusted, PlanWithdrawn, PlanReviewed, MonitoringStarted, ReviewOpened)
"""What happens to a plan itself."""
OF_CYCLE = (
    CycleOpened, CycleClosed, FrameworkFormalised,
    NeedsIdentificationOpened, NeedsIdentificationClosed, NeedsReopened, NeedIdentified,
    CommitteeInstalled, CommitteeKept, CommitteeRenewed, CommitteeMemberReplaced, MandateDefined, MandateAmended,
)  # fmt: skip
"""What happens to a cycle itself."""
_BY_LETTER = {"A": Thing.ACTION, "O": Thing.OBSTACLE, "M": Thing.MEETING}
_NUMBERED = re.compile(r"([AOM])-[1-9][0-9]*")
_MEMBER = re.compile(r"MB-[1-9][0-9]*")


def subject_of(recorded: Recorded[Event], cycle: int) -> Object:
    """The one thing that a fact is about."""
    kind, _, identity = recorded.stream.partition("-")
    if kind == organisation.name:
        return Object(Thing.ORGANISATION, identity)
    if kind != framework.name:
        # A deliberation is an act of the commune's council.
        return Object(Thing.COMMUNE, recorded.log)
    event = recorded.data
    if isinstance(event, OF_PLAN):
        return Object(Thing.PLAN, f"{identity}/plan-{cycle}")
    if isinstance(event, OF_CYCLE) and cycle:
        return Object(Thing.CYCLE, f"{identity}/cycle-{cycle}")
    if isinstance(event, MemberAdmitted):
        return Object(Thing.ORGANISATION, event.organisation)
    first = _about(event)
    return _numbered(identity, first) or Object(Thing.FRAMEWORK, identity)


def _about(event: Event) -> str:
    """What a fact names first: its first field, or what it says that it is about."""
    if isinstance(event, (DocumentAttached, DeadlinePassed)):
        return event.about or ""
    fields = event.__struct_fields__
    first = getattr(event, fields[0]) if fields else ""
    return first if isinstance(first, str) and fields[0] in _BY_LETTER.values() else ""


def _numbered(identity: str, name: str) -> Object | None:
    found = _NUMBERED.fullmatch(name)
    return Object(_BY_LETTER[found[1]], f"{identity}/{name}") if found else None


def links_of(recorded: Recorded[Event], trail: Trail) -> list[Link]:
    """Every thing that a fact has to do with, each once: first its subject, last the framework and the commune."""
    found: dict[Object, Link] = {}
    for link in _links(recorded, trail):
        found.setdefault(link.object, link)
    return list(found.values())


def _links(recorded: Recorded[Event], trail: Trail) -> Iterator[Link]:
    kind, _, identity = recorded.stream.partition("-")
    yield Link(SUBJECT, subject_of(recorded, trail.cycle))
    if kind == framework.name:
        for name in named(recorded.data):
            numbered = _numbered(identity, name)
            if numbered is not None:
                yield Link(numbered.type, numbered)
            elif _MEMBER.fullmatch(name) and name in trail.members:
                yield Link("member", Object(Thing.ORGANISATION, trail.members[name]))
        if trail.cycle:
            yield Link(Thing.CYCLE, Object(Thing.CYCLE, f"{identity}/cycle-{trail.cycle}"))
        yield Link(Thing.FRAMEWORK, Object(Thing.FRAMEWORK, identity))
    yield Link(Thing.COMMUNE, Object(Thing.COMMUNE, recorded.log))


def belongs(recorded: Recorded[Event], trail: Trail, links: list[Link]) -> Iterator[tuple[Object, Link]]:
    """What a fact tells of how things belong together."""
    kind, _, identity = recorded.stream.partition("-")
    home = Object(Thing.COMMUNE, recorded.log)
    if kind == organisation.name:
        yield Object(Thing.ORGANISATION, identity), Link("in", home)
    if kind != framework.name:
        return
    whole = Object(Thing.FRAMEWORK, identity)
    yield whole, Link("in", home)
    for _, thing in links:
        if thing.type is Thing.PLAN:
            yield thing, Link("of", Object(Thing.CYCLE, thing.id.replace("/plan-", "/cycle-")))
        elif thing.type in (Thing.CYCLE, Thing.ACTION, Thing.OBSTACLE, Thing.MEETING):
            yield thing, Link("of", whole)
    match recorded.data:
        case PlanAgreed(cycle=cycle, actions=actions) | PlanAdjusted(cycle=cycle, actions=actions):
            plan = Object(Thing.PLAN, f"{identity}/plan-{cycle}")
            for action in actions:
                yield plan, Link("contains", Object(Thing.ACTION, f"{identity}/{action.action}"))
        case MemberAdmitted(organisation=member):
            yield whole, Link("member", Object(Thing.ORGANISATION, member))
