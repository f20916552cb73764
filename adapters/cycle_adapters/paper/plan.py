"""The three-month plan as a sheet to hang up and to sign."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from msgspec import Struct

from cycle.aggregates.framework.adjustment import PlanAdjusted
from cycle.aggregates.framework.plan import AgreedAction, PlanAgreed
from cycle.aggregates.terms import Nature
from cycle.projections.obstacles import ObstacleRow, obstacles
from cycle.projections.plans import ActionRow, CommitmentRow, NeedRow, PlanRow, actions, commitments, needs, plans
from cycle_adapters.paper.basis import Basis, CannotPrint
from cycle_adapters.paper.typesetting import typeset
from cycle_adapters.paper.witness import Foot, foot
from cycle_adapters.paper.wording import Pair, Wording, by_constituency, capital


class Gift(Struct, frozen=True):
    """Who gives, or what kind of thing is given: promised and received, in words."""

    source: str
    promised: str
    received: str


class ActionLine(Struct, frozen=True):
    number: str
    description: str
    notes: tuple[str, ...]
    answers: tuple[str, ...]
    responsible: str
    due: str
    gifts: tuple[Gift, ...]


class PlanSheet(Struct, frozen=True):
    """What the template ``plan.typ`` shows."""

    lang: str
    title: str
    place: str
    page: str
    pairs: tuple[Pair, ...]
    columns: tuple[str, ...]
    actions: tuple[ActionLine, ...]
    approach_title: str
    approach: tuple[Gift, ...]
    totals_title: str
    totals: tuple[Gift, ...]
    nothing_pledged: str
    obstacles_title: str
    obstacles: tuple[str, ...]
    signatures_title: str
    signatures: tuple[str, ...]
    signature_hint: str
    foot: Foot


def plan_sheet(of: Basis, words: Wording, cycle: int | None, note: bytes | None) -> bytes:
    """The plan of a cycle (None: the newest), as pages to print.

    Raises:
        CannotPrint: no such plan is agreed.
    """
    plan = _chosen(of.rows(plans), cycle)
    pledged = [row for row in of.rows(commitments) if row.cycle == plan.cycle]
    agreed = stated(of, plan.cycle)
    answered = list(dict.fromkeys(each for action in agreed for each in action.obstacles))
    sitting = [row for row in of.members.values() if row.withdrew_on is None]
    sheet = PlanSheet(
        lang=words.language,
        title=words.say("plan", cycle=plan.cycle),
        place=words.place(of),
        page=words.raw("page"),
        pairs=words.head(of, *_pairs(plan, words)),
        columns=words.columns("number", "action", "answers", "responsible", "due", "source", "promised", "received"),
        actions=_lines(of, agreed, pledged, words),
        approach_title=words.say("approach"),
        approach=tuple(_gift(of, row, words) for row in pledged if row.action is None),
        totals_title=words.say("totals"),
        totals=totals(pledged, words),
        nothing_pledged=words.say("nothing-pledged"),
        obstacles_title=words.say("obstacles"),
        obstacles=tuple(_obstacles(of.rows(obstacles), answered, words)),
        signatures_title=words.say("signatures"),
        signatures=tuple(row.name for _, rows in by_constituency(sitting) for row in rows),
        signature_hint=words.say("name-date-signature"),
        foot=foot(of, note, words),
    )
    return typeset("plan", sheet, of.recorded_at)


def _chosen(found: Sequence[PlanRow], cycle: int | None) -> PlanRow:
    if not found:
        raise CannotPrint("no-plan")
    cycles = {row.cycle: row for row in found}
    wanted = max(cycles) if cycle is None else cycle
    if wanted not in cycles:
        raise CannotPrint("no-plan-of-cycle", cycle=cycle, known=", ".join(map(str, sorted(cycles))))
    return cycles[wanted]


def _pairs(plan: PlanRow, words: Wording) -> tuple[Pair, ...]:
    agreed = words.say("agreed-on", on=plan.agreed_on, meeting=plan.meeting, mode=words.word(plan.mode))
    causes = ", ".join(plan.causes) or None
    return (
        words.pair("cycle", words.word(plan.cycle)),
        words.pair("period", words.say("days", starts_on=plan.starts_on, ends_on=plan.ends_on)),
        words.pair("agreed", agreed),
        words.pair("version", words.say("version-of", version=plan.plan_version, causes=causes)),
    )


def stated(of: Basis, cycle: int) -> list[AgreedAction]:
    """The actions of a cycle's plan as it was last agreed or adjusted, in the order of the meeting."""
    found: list[AgreedAction] = []
    for fact in of.facts:
        match fact.recorded.data:
            case PlanAgreed(cycle=of_cycle, actions=agreed) if of_cycle == cycle:
                found = list(agreed)
            case PlanAdjusted(cycle=of_cycle, actions=agreed) if of_cycle == cycle:
                place = {action.action: n for n, action in enumerate(found)}
                found = sorted(agreed, key=lambda action: place.get(action.action, len(place)))
    return found


def _lines(
    of: Basis, agreed: Iterable[AgreedAction], pledged: Sequence[CommitmentRow], words: Wording
) -> tuple[ActionLine, ...]:
    named: dict[str, NeedRow] = {row.need: row for row in of.rows(needs)}
    seen: dict[str, ObstacleRow] = {row.obstacle: row for row in of.rows(obstacles)}
    kept: dict[str, ActionRow] = {row.action: row for row in of.rows(actions)}

    def line(action: AgreedAction) -> ActionLine:
        answers = [f"{need} {named[need].description}" for need in action.needs if need in named]
        answers += [f"{each} {seen[each].description}" for each in action.obstacles if each in seen]
        if action.continues is not None:
            answers.append(words.say("continues", action=action.continues))
        pdesc = kept[action.action].pdesc if action.action in kept else None
        return ActionLine(
            number=action.action,
            description=action.description,
            notes=() if pdesc is None else (words.say("pdesc", reference=pdesc),),
            answers=tuple(answers),
            responsible=of.member(action.responsible),
            due=words.word(action.due_on),
            gifts=tuple(_gift(of, row, words) for row in pledged if row.action == action.action),
        )

    return tuple(map(line, agreed))


def _gift(of: Basis, row: CommitmentRow, words: Wording) -> Gift:
    promised = words.amount(row.pledged, row.unit, row.nature)
    if row.nature is not Nature.CASH:
        promised += f" ({words.word(row.nature)})"
    if row.status in ("waived", "reneged"):
        promised += f" — {words.word(row.status)}"
    received = words.amount(row.received, row.unit, row.nature) if row.received else "—"
    return Gift(of.member(row.member), promised, received)


def totals(pledged: Iterable[CommitmentRow], words: Wording) -> tuple[Gift, ...]:
    """Cash in one line, and each kind of thing in a line of its own: what differs is never added up."""
    sums: dict[tuple[Nature, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in pledged:
        total = sums[row.nature, row.unit]
        total[0] += row.pledged
        total[1] += row.received
    ordered = sorted(sums, key=lambda each: (list(Nature).index(each[0]), each[1]))
    return tuple(
        Gift(_kind(nature, unit, words), *(words.amount(value, unit, nature) for value in sums[nature, unit]))
        for nature, unit in ordered
    )


def _kind(nature: Nature, unit: str, words: Wording) -> str:
    said = capital(words.word(nature))
    return said if nature is Nature.CASH else words.say("total-of", nature=said, unit=unit)


def _obstacles(rows: Iterable[ObstacleRow], answered: Sequence[str], words: Wording) -> Iterable[str]:
    for row in rows:
        if row.obstacle in answered:
            values = {"description": row.description, "severity": row.severity, "solution": row.solution}
            yield words.say("obstacle", obstacle=row.obstacle, **values)
