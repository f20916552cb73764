"""Frameworks at risk: the signs that are seen of each, with their points; no prediction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from msgspec import Struct

from cycle.aggregates.terms import PolicyId
from cycle.history import Cutoffs
from cycle.policy import Policy, sample
from cycle.projections.spells import stage_visit
from cycle.reading import Filters, Reader
from cycle.timings.measuring import DEFINITION
from cycle.timings.sheets import sheets
from cycle.timings.signs import PROJECTIONS, SIGNS, Look, Seen


class SignWeight(Struct, frozen=True):
    """What is looked for, and its points."""

    sign: str
    points: int


class SignSeen(Struct, frozen=True):
    """A sign that was seen."""

    sign: str
    points: int
    seen: Seen


class AtRisk(Struct, frozen=True):
    """A framework of which something was seen; ``total`` is the sum of the points of its parts."""

    commune: str
    framework: str
    policy: str
    total: int
    parts: Sequence[SignSeen]


class Risks(Struct, frozen=True):
    """Where to look first, and why: no prediction. The most points first.

    ``frameworks``: how many were looked at; ``dissolved`` ones are left out. ``next`` is behind which to go on.
    """

    definition: int
    as_of: date
    known_at: datetime | None
    at: int | None
    signs: Sequence[SignWeight]
    frameworks: int
    dissolved: int
    at_risk: Sequence[AtRisk]
    next: str | None


def at_risk(reader: Reader, filters: Filters, cutoffs: Cutoffs, limit: int | None = None, after: str = "") -> Risks:
    """The frameworks of which something is seen inside some cut-offs; without a day, as of today.

    Args:
        limit: how many frameworks to tell at most, of those behind ``after``.

    Raises:
        Forbidden: the account may read it nowhere, or not in the commune that is named.
    """
    on = cutoffs.as_of or reader.engine.today()
    policies = _Policies(reader)
    found, looked, dissolved = list[AtRisk](), 0, 0
    for sheet in sheets(reader.together(filters, cutoffs), PROJECTIONS, on):
        if sheet.dissolved:
            dissolved += 1
            continue
        looked += 1
        name = sheet.policy(sheet.of(stage_visit)[-1].entered)
        if parts := _parts(Look(sheet, policies.called(name))):
            total = sum(part.points for part in parts)
            found.append(AtRisk(sheet.commune, sheet.framework, name, total, parts))
    behind = sorted((each for each in found if _place(each) > after), key=_place)
    told = behind[:limit]
    more = _place(told[-1]) if len(behind) > len(told) else None
    weights = [SignWeight(sign.code, sign.points) for sign in SIGNS.values()]
    return Risks(DEFINITION, on, cutoffs.known_at, cutoffs.at, weights, looked, dissolved, told, more)


def _parts(look: Look) -> list[SignSeen]:
    seen = ((sign, sign.seen(look)) for sign in SIGNS.values())
    return [SignSeen(sign.code, sign.points, found) for sign, found in seen if found]


def _place(each: AtRisk) -> str:
    """Where a framework stands among all: the most points first."""
    return f"{1_000 - each.total:04}/{each.framework}"


def _shipped(name: str) -> Policy | None:
    """The policy that comes with the programme, also where nobody has published it."""
    policy = sample()
    return policy if policy.name == name else None


class _Policies:
    """Policies by the names that facts call them by."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[str, Policy] = {}

    def called(self, name: str) -> Policy:
        if name not in self._known:
            policy, _, version = name.rpartition("-")
            found = self._reader.engine.policy(PolicyId(policy), int(version)) or _shipped(name)
            assert found is not None, f"a framework runs under {name}, which nobody has published"
            self._known[name] = found
        return self._known[name]
