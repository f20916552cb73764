"""The words that facts and commands are written in: ids, enumerations, bounded texts, money."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, NewType

from msgspec import Meta, Struct

# That a text is more than blanks is asked once, where a command is read: a pattern here would be
# tried again on every fact of every replay.
Text = Annotated[str, Meta(min_length=1, max_length=2000)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Code = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Reference = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[^\s]+$")]
"""Points at a person or a paper kept elsewhere; never a name."""
Someone = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[^\s]+$"), "someone"]
"""Points at a natural person; what is handed on for evaluation leaves it out (``cycle.exports``)."""
Personal = Annotated[str, Meta(min_length=1, max_length=200), "personal"]
"""Something about a person: never in a leaf, only sealed there, and forgotten when the person is (``personal``)."""
Telephone = Annotated[str, Meta(min_length=3, max_length=40, pattern=r"^[+(]?[0-9][0-9 ().-]*$"), "personal"]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Percent = Annotated[int, Meta(ge=0, le=100)]
AmountXof = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]
"""Whole XOF: the currency has no smaller unit."""
Quantity = Annotated[Decimal, Meta()]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Past = Annotated[date, "past"]
"""A day on which something happened: not before ``EARLIEST`` (base), not after the day of its fact."""
Planned = Annotated[date, "planned"]
"""A day for which something is planned: from the day of its fact on, for ``PLANNED_YEARS`` (base) at most."""


class Of(Struct, frozen=True):
    """A mark: what is named here belongs to the member whom another field of the same command names."""

    field: str


Territory = Annotated[str, Meta(min_length=1, max_length=800)]
"""A path of names, from the country down: ``ML/Ségou/Macina/ML-4-02-01``; ``/`` is everywhere."""

# Ids of other aggregates: what a command names so is looked up before the decision.
CommuneCode = NewType("CommuneCode", str)
FrameworkId = NewType("FrameworkId", str)
DeliberationId = NewType("DeliberationId", str)
OrganisationId = NewType("OrganisationId", str)
PolicyId = NewType("PolicyId", str)
PersonId = NewType("PersonId", str)
RequestId = NewType("RequestId", str)
SubscriptionId = NewType("SubscriptionId", str)
WebhookId = NewType("WebhookId", SubscriptionId)
GroupId = NewType("GroupId", SubscriptionId)

# Ids inside one framework: a letter and a number that never comes twice.
MemberId = NewType("MemberId", str)  # MB-1
NeedId = NewType("NeedId", str)  # N-1
MeetingId = NewType("MeetingId", str)  # M-1
ActionId = NewType("ActionId", str)
ContributionId = NewType("ContributionId", str)  # C-1
ObstacleId = NewType("ObstacleId", str)  # O-1


# Inside one account.
GrantId = NewType("GrantId", str)  # G-1
TokenId = NewType("TokenId", str)  # the public part of cyc_<id>_<secret>


class AccountKind(StrEnum):
    """Who acts through an account."""

    PERSON = "person"
    MACHINE = "machine"


class Constituency(StrEnum):
    """The kinds of member that a framework brings together."""

    MUNICIPALITY = "municipality"
    PROFESSIONAL_ORGANISATION = "professional-organisation"
    TECHNICAL_SERVICE = "technical-service"
    PARTNER = "partner"
    NGO = "ngo"


class Outcome(StrEnum):
    """What a council did with a text."""

    ADOPTED = "adopted"
    REJECTED = "rejected"
    DEFERRED = "deferred"
    NOTED = "noted"


class Votes(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """One vote of a council. ``proxies`` is absent where the source does not state them."""

    in_office: Count
    present: Count
    in_favour: Count
    against: Count = 0
    abstaining: Count = 0
    proxies: Count | None = None

    @property
    def cast(self) -> int:
        return self.in_favour + self.against + self.abstaining


class NeedKind(StrEnum):
    INVESTMENT = "investment"
    BUSINESS_ENVIRONMENT = "business-environment"
    CAPACITY_BUILDING = "capacity-building"


class LogisticsKind(StrEnum):
    INVITATION = "invitation"
    ROOM = "room"
    CHAIR_HIRE = "chair-hire"
    ACCOMMODATION = "accommodation"
    OTHER = "other"


class AdjournReason(StrEnum):
    NO_QUORUM = "no-quorum"
    TIME = "time"
    DISAGREEMENT = "disagreement"
    SECURITY = "security"


class DecisionMode(StrEnum):
    CONSENSUS = "consensus"
    VOTE = "vote"


class Ledger(StrEnum):
    """Two ledgers: what builds the actions, and what keeps the approach itself going."""

    ACTION = "action"
    APPROACH = "approach"


class Nature(StrEnum):
    CASH = "cash"
    IN_KIND = "in-kind"
    LABOUR = "labour"
    LAND = "land"


class Use(StrEnum):
    OPERATING = "operating"
    CAPITAL = "capital"


class Worth(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """How much: whole XOF for cash, a quantity with its unit for everything else, never both."""

    amount_xof: AmountXof | None = None
    quantity: Quantity | None = None
    unit: Name | None = None


class IncentiveKind(StrEnum):
    TRAINING_SUPPORT = "training-support"
    LAND_ACCESS = "land-access"
    LINKING = "linking"
    INTERMEDIATION = "intermediation"


class Aspect(StrEnum):
    SOCIO_CULTURAL = "socio-cultural"
    ECONOMIC = "economic"
    MANAGEMENT = "management"


class Method(StrEnum):
    OBSERVATION = "observation"
    MEASUREMENT = "measurement"


class Rhythm(StrEnum):
    AD_HOC = "ad-hoc"
    REGULAR = "regular"


class MandateCause(StrEnum):
    INSTALLATION = "installation"
    RESULTS = "results"
    NEW_NEEDS = "new-needs"


class ReviewKind(StrEnum):
    MID_TERM = "mid-term"
    END = "end"
    OVERDUE = "overdue"


class Sheet(StrEnum):
    """What is printed of a framework."""

    PLAN = "plan"
    ATTENDANCE = "attendance"
    MINUTES = "minutes"


class ExportForm(StrEnum):
    """How tables and facts are handed on for evaluation."""

    CSV = "csv"
    DELIBERATIONS = "deliberations"
    OCEL = "ocel"
    PARQUET = "parquet"
    REPORT = "report"
    XES = "xes"
    XLSX = "xlsx"


class PersonField(StrEnum):
    """What is kept of a person, all of it personal."""

    NAME = "name"
    TELEPHONE = "telephone"
    FUNCTION = "function"


class ErasureReason(StrEnum):
    """Why a person is forgotten. No free text: it would stay when all else is gone."""

    OWN_REQUEST = "own-request"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    NO_LONGER_NEEDED = "no-longer-needed"
    RECORDED_IN_ERROR = "recorded-in-error"


class Purpose(StrEnum):
    """What somebody wants to see personal values for."""

    CONTACT = "contact"
    IDENTITY = "identity"
    PAYMENT = "payment"
    AUDITING = "auditing"
    OWN_REQUEST = "own-request"


class ActionOutcome(StrEnum):
    COMPLETED = "completed"
    CARRIED_OVER = "carried-over"
    ABANDONED = "abandoned"


class DeadlineKind(StrEnum):
    """Deadlines that become a fact when they pass."""

    NEEDS = "needs"
    MEETING = "meeting"
    ACTION = "action"
    PLAN = "plan"
    CONTRIBUTION = "contribution"


class Window(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """The days of a plan, both included."""

    starts_on: date
    ends_on: date


class Presence(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """Who came for one member. ``youth`` are counted among women and men, not beside them."""

    member: MemberId
    women: Count = 0
    men: Count = 0
    youth: Count = 0
    proxies: Count = 0


class Seat(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """One seat of the monitoring committee, held for a member by a person (a reference)."""

    member: MemberId
    person: Someone
    woman: bool = False
    youth: bool = False
