"""What a framework remembers in order to decide: the cycle that runs, and what is still open.

What is settled leaves the state when its cycle closes, so that a framework of two hundred cycles
decides as fast as a new one; projections keep the rest. Mappings are never changed in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum

from msgspec import Struct

from cycle.aggregates.terms import (
    ActionId,
    CommuneCode,
    Constituency,
    ContributionId,
    DeadlineKind,
    DeliberationId,
    FrameworkId,
    Ledger,
    MeetingId,
    MemberId,
    Nature,
    NeedId,
    NeedKind,
    ObstacleId,
    OrganisationId,
    Outcome,
    PolicyId,
    Presence,
    Seat,
    Use,
    Votes,
    Window,
    Worth,
)


class Quorum(Struct, frozen=True, omit_defaults=True, gc=False):
    """How many members had to be there and how many were. ``rule`` is the policy's article.

    ``of`` is how many members there were; 0 in facts of the first release, which do not say it.
    """

    rule: str
    required: int
    present: int
    met: bool
    waived: bool = False
    of: int = 0


class Stage(StrEnum):
    """The customer's names, in the order of the cycle."""

    DELIBERATION = "deliberation"
    NEEDS_IDENTIFICATION = "needs-identification"
    MEETING = "meeting"
    PLAN = "plan"
    MONITORING = "monitoring"
    ADJUSTMENT = "adjustment"
    SUSPENDED = "suspended"
    DISSOLVED = "dissolved"


class Member(Struct, frozen=True, gc=False):
    id: MemberId
    organisation: OrganisationId
    constituency: Constituency
    name: str
    sector: str | None = None
    may_invest: bool = False
    since: date = date.min


class FoundingDeliberation(Struct, frozen=True, gc=False):
    """The council's decision that the framework rests on, as far as it has got.

    ``since`` is the day of the last fact about it. An annulment is the supervising authority's and
    undoes the decision; a repeal is the council's own and ends it.
    """

    id: DeliberationId
    number: str
    outcome: Outcome
    decided_on: date
    votes: Votes | None = None
    transmitted_on: date | None = None
    executory_on: date | None = None
    annulled_on: date | None = None
    repealed_on: date | None = None
    since: date = date.min

    @property
    def stands(self) -> bool:
        return self.annulled_on is None and self.repealed_on is None


class Need(Struct, frozen=True, gc=False):
    """An open need: not withdrawn, and not answered by a completed action."""

    id: NeedId
    cycle: int
    profession: MemberId
    kind: NeedKind
    description: str
    since: date = date.min


class MeetingStage(StrEnum):
    CONVENED = "convened"
    OPEN = "open"
    ADJOURNED = "adjourned"
    CLOSED = "closed"


class Meeting(Struct, frozen=True, gc=False):
    """The meeting that is pending, in session or last closed in this cycle.

    ``since`` is the day on which it was convened, ``acted_on`` that of the last act about it.
    """

    id: MeetingId
    held_on: date
    call: int = 1
    stage: MeetingStage = MeetingStage.CONVENED
    invited: frozenset[MemberId] = frozenset()
    attendance: tuple[Presence, ...] = ()
    quorum: Quorum | None = None
    second_call: bool = False
    """It was adjourned for lack of quorum: the next one is its second call."""
    since: date = date.min
    acted_on: date = date.min


class ActionStage(StrEnum):
    PROPOSED = "proposed"
    AGREED = "agreed"
    STARTED = "started"
    COMPLETED = "completed"
    ABANDONED = "abandoned"
    CARRIED_OVER = "carried-over"

    @property
    def final(self) -> bool:
        return self in _FINAL


_FINAL = frozenset({ActionStage.COMPLETED, ActionStage.ABANDONED, ActionStage.CARRIED_OVER})


class Action(Struct, frozen=True, gc=False):
    id: ActionId
    cycle: int
    description: str
    stage: ActionStage = ActionStage.PROPOSED
    needs: tuple[NeedId, ...] = ()
    obstacles: tuple[ObstacleId, ...] = ()
    continues: ActionId | None = None
    responsible: MemberId | None = None
    due_on: date | None = None
    percent: int = 0
    pdesc: str | None = None
    since: date = date.min


class Contribution(Struct, frozen=True, gc=False):
    """An open promise; it leaves the state when received in full, waived or reneged."""

    id: ContributionId
    cycle: int
    member: MemberId
    ledger: Ledger
    nature: Nature
    use: Use
    pledged: Worth
    received: Worth
    action: ActionId | None = None
    due_on: date | None = None
    since: date = date.min


class Plan(Struct, frozen=True, gc=False):
    """The plan in force, or the last one until the next is agreed."""

    cycle: int
    version: int
    window: Window
    closed_on: date | None = None

    @property
    def free_from(self) -> date:
        """The first day on which the next plan may begin: after the last day, or once it is closed."""
        after = self.window.ends_on + timedelta(days=1)
        return min(after, self.closed_on) if self.closed_on else after


class Committee(Struct, frozen=True, gc=False):
    """``cycle`` is the last cycle for which it was installed, kept or renewed."""

    cycle: int
    seats: tuple[Seat, ...]
    since: date = date.min


class Mandate(Struct, frozen=True, gc=False):
    cycle: int
    version: int
    tasks: tuple[str, ...]
    since: date = date.min


class ObstacleStage(StrEnum):
    IDENTIFIED = "identified"
    COMMUNICATED = "communicated"
    SOLUTION_AGREED = "solution-agreed"
    RESOLVED = "resolved"
    ACCEPTED = "accepted"
    CARRIED_OVER = "carried-over"

    @property
    def open(self) -> bool:
        return self in _OPEN


_OPEN = frozenset({ObstacleStage.IDENTIFIED, ObstacleStage.COMMUNICATED, ObstacleStage.SOLUTION_AGREED})


class Obstacle(Struct, frozen=True, gc=False):
    """``before`` is how far it had got when it was carried over; it goes on from there."""

    id: ObstacleId
    cycle: int
    severity: int
    description: str
    stage: ObstacleStage = ObstacleStage.IDENTIFIED
    before: ObstacleStage | None = None
    since: date = date.min


class Framework(Struct, frozen=True):
    """The state of one consultation framework. ``cycle`` is 0 until it is formalised."""

    version: int = 0
    id: FrameworkId = FrameworkId("")
    commune: CommuneCode = CommuneCode("")
    title: str = ""
    zone: str = "Africa/Bamako"
    policy: PolicyId = PolicyId("")
    policy_version: int = 0
    policy_digest: str = ""
    proposed_on: date | None = None
    stage: Stage | None = None
    stage_since: date | None = None
    cycle: int = 0
    cycle_since: date | None = None

    sectors: tuple[str, ...] = ()
    actors: frozenset[tuple[str, str]] = frozenset()
    """Sector and name."""
    members: Mapping[MemberId, Member] = {}
    submitted: bool = False
    deliberation: FoundingDeliberation | None = None

    needs: Mapping[NeedId, Need] = {}
    spoken: frozenset[MemberId] = frozenset()
    """Professions that have validated their needs or declared none."""
    needs_due_on: date | None = None

    meeting: Meeting | None = None
    rounds: int = 0
    actions: Mapping[ActionId, Action] = {}
    """Proposed or agreed in this cycle, and carried over from the last."""
    ranking: tuple[ActionId, ...] = ()
    contributions: Mapping[ContributionId, Contribution] = {}
    delivered: tuple[ContributionId, ...] = ()
    """Promises to actions of this cycle of which something has arrived."""
    plan: Plan | None = None
    previous_plan: Plan | None = None

    committee: Committee | None = None
    mandate: Mandate | None = None
    obstacles: Mapping[ObstacleId, Obstacle] = {}
    unapproved_minutes: tuple[MeetingId, ...] = ()

    suspended_from: Stage | None = None
    suspension_lifts: bool = True
    """False while the founding deliberation stays annulled or repealed."""
    deadlines_passed: frozenset[tuple[DeadlineKind, str, date]] = frozenset()
    """Kind, what it was about, the day: what is put off to a later day has another deadline."""

    members_counted: int = 0
    needs_counted: int = 0
    meetings_counted: int = 0
    actions_counted: int = 0
    contributions_counted: int = 0
    obstacles_counted: int = 0

    @property
    def actor_sectors(self) -> frozenset[str]:
        """The sectors in which an actor is identified."""
        return frozenset(sector for sector, _ in self.actors)

    def since(self, thing: str) -> date | None:
        """The day on which something that a fact may name came to be; None when it is not there."""
        found: Member | Need | Meeting | Action | Contribution | Obstacle | None = None
        match thing.partition("-")[0]:
            case "MB":
                found = self.members.get(MemberId(thing))
            case "N":
                found = self.needs.get(NeedId(thing))
            case "M":
                found = self.meeting if self.meeting and self.meeting.id == thing else None
            case "A":
                found = self.actions.get(ActionId(thing))
            case "C":
                found = self.contributions.get(ContributionId(thing))
            case "O":
                found = self.obstacles.get(ObstacleId(thing))
            case "cycle" if thing == f"cycle-{self.cycle}":
                return self.cycle_since
        return found.since if found is not None else None

    def strand_since(self, strand: str) -> date | None:
        """The day of the last fact of a strand but the stage, which the front door asks about by itself."""
        last = {
            "meeting": self.meeting.acted_on if self.meeting else None,
            "committee": self.committee.since if self.committee else None,
            "mandate": self.mandate.since if self.mandate else None,
            "deliberation": self.deliberation.since if self.deliberation else None,
        }
        return last.get(strand)

    def represented(self) -> frozenset[Constituency]:
        """The constituencies that have a member."""
        return frozenset(member.constituency for member in self.members.values())

    def professions(self) -> tuple[MemberId, ...]:
        """The professional organisations among the members."""
        wanted = Constituency.PROFESSIONAL_ORGANISATION
        return tuple(m.id for m in self.members.values() if m.constituency is wanted)

    def negotiated(self) -> tuple[Action, ...]:
        """The actions proposed for the plan of this cycle that have not been withdrawn."""
        return tuple(a for a in self.actions.values() if a.cycle == self.cycle)

    def unsettled(self) -> tuple[Action, ...]:
        """The actions of the plan of this cycle that have no outcome yet."""
        return tuple(a for a in self.negotiated() if not a.stage.final)

    def open_obstacles(self) -> tuple[Obstacle, ...]:
        return tuple(o for o in self.obstacles.values() if o.stage.open)

    def resumes_in(self, on: date) -> Stage | None:
        """Where a suspended framework goes back to on a day: where it was, or to its overdue review."""
        over = self.plan is not None and on > self.plan.window.ends_on
        overdue = over and self.suspended_from in (Stage.PLAN, Stage.MONITORING)
        return Stage.ADJUSTMENT if overdue else self.suspended_from

    def in_session(self) -> bool:
        return self.meeting is not None and self.meeting.stage is MeetingStage.OPEN
