"""What a decision may know beside its own aggregate: looked up before it, passed in as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from msgspec import Struct

from cycle.aggregates.base import By, Event, Recorded
from cycle.aggregates.commune import Commune
from cycle.aggregates.deliberation import Deliberation
from cycle.aggregates.organisation import Organisation
from cycle.aggregates.person import Person
from cycle.aggregates.terms import DeliberationId, OrganisationId
from cycle.policy import Policy


class Known(Struct, frozen=True):
    """``on`` is the day on which the command's fact happened, ``today`` the day on which it is said.

    ``late_record`` says that the fact is known to be recorded after later ones. A reference that
    a command carries and nobody knows is absent from its mapping (or None). ``new_id`` is a
    fresh id for an aggregate that the command founds.
    """

    on: date
    today: date
    by: By
    new_id: str = ""
    late_record: bool = False
    policy: Policy | None = None
    """The policy that the framework runs under, or is proposed under."""
    policies: Sequence[Policy] = ()
    """The newest version of each policy that may be adopted."""
    commune: Commune | None = None
    active_frameworks: int = 0
    """Frameworks of the commune that are not dissolved."""
    deliberations: Mapping[DeliberationId, Deliberation] = {}
    organisations: Mapping[OrganisationId, Organisation] = {}
    person: Person | None = None
    """Whom the command names."""
    administered: bool = False
    """Whether an administrator of everything holds office today."""
    for_tokens: frozenset[str] = frozenset()
    """What a token of the account may be issued for."""
    seconded_by: str = ""
    """The account that confirms, of a command that takes two."""
    history: Sequence[Recorded[Event]] = ()
    """The aggregate's own facts as they are believed now, for a correction."""
