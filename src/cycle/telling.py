"""Facts, findings and refusals in sentences: the command line, the API and the pages say the same."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from types import SimpleNamespace
from typing import cast, get_type_hints

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from cycle import catalogue
from cycle.aggregates.base import EVENTS, Check, Event, Finding, Recorded, Refused, Role
from cycle.aggregates.corrections import NO_VALUE, Change, FactCorrected
from cycle.aggregates.framework import anytime
from cycle.aggregates.framework.anytime import FrameworkSuspended, Resume
from cycle.aggregates.framework.council import FollowDeliberation
from cycle.aggregates.framework.decision import Option
from cycle.aggregates.framework.meetings import MeetingOpened
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.setup import AdoptPolicy, WithdrawMember
from cycle.aggregates.framework.state import Framework, Member, Stage
from cycle.aggregates.framework.table import triggers
from cycle.aggregates.request import ConfirmRequest, RequestStage
from cycle.aggregates.terms import ActionId, DeadlineKind, MemberId, Worth
from cycle.catalogue import Language, either, listed, printable, shown, text
from cycle.history import Fact
from cycle.projections.requests import RequestRow
from cycle.reading import Overdue
from cycle.shapes import understood

_LEFT_BEHIND = re.compile(r" \([\w\s:]*—\)")
_GAP = re.compile(r" {2,}")


def worth(value: Worth, language: Language) -> str:
    """``50 000 F CFA``, ``12 sacs``."""
    if value.amount_xof is not None:
        currency = "F CFA" if language == "fr" else "XOF"
        return f"{shown(value.amount_xof, language)} {currency}"
    return f"{shown(value.quantity, language)} {value.unit or ''}".strip()


def _shown(value: object, language: Language) -> object:
    match value:
        case Worth():
            return worth(value, language)
        case Struct():
            fields = value.__struct_fields__
            return SimpleNamespace(**{f: _shown(getattr(value, f), language) for f in fields})
        case _:
            return shown(value, language)


def sentence(fact: Recorded[Event], language: Language) -> str:
    """What happened, in one sentence."""
    return what_happened(fact.data, language)


def what_happened(data: Event, language: Language) -> str:
    """The same, of the data of a fact."""
    values: dict[str, object] = {}
    for field in data.__struct_fields__:
        value = getattr(data, field)
        if isinstance(value, tuple):
            values[f"n_{field}"] = len(value)
            value = value if all(isinstance(item, str) for item in value) else ""
        values[field] = value
    waived = isinstance(data, MeetingOpened) and data.quorum.waived
    words = catalogue.template(f"event.{data.type}", language, "waived" if waived else "")
    said = tidy(catalogue.filled(words, language, values, _shown))
    return said[:1].upper() + said[1:]


def tidy(words: str) -> str:
    """Without what an absent value leaves behind, and without control characters."""
    whole = _LEFT_BEHIND.sub("", printable(words)).replace(" —.", ".").rstrip(" —").strip()
    return _GAP.sub(" ", whole)


def article(reference: str, language: Language) -> str:
    """``wocat-pact-1/6`` -> ``wocat-pact-1, article 6``."""
    policy, _, number = reference.partition("/")
    return f"{policy}, article {number}"


def reason(finding: Finding | Check, language: Language) -> str:
    """What a rule saw, with the article that says so."""
    said = tidy(text(f"finding.{finding.code}", language, "", **cast("Mapping[str, object]", finding.values)))
    where = f" ({article(finding.article, language)})" if finding.article else ""
    return f"{said}{where}."


def what_helps(finding: Finding | Check, language: Language) -> str:
    """What would lift a finding, and whom to call."""
    values = cast("Mapping[str, object]", finding.values)
    return tidy(text(f"finding.{finding.code}", language, "help", **values))


def whom_to_call(roles: Iterable[Role], language: Language) -> str:
    return either((text(f"role.{role}", language) for role in roles), language)


def refusal_lines(refused: Refused, language: Language) -> list[str]:
    """One line for each reason: what holds, what helps, and who can lift it."""
    return [" ".join(explained(f, f.lift, language)) for f in refused.findings if f.refuses]


def explained(finding: Finding | Check, lift: Sequence[Role], language: Language) -> list[str]:
    """What a rule saw, what would help, and who can lift it: a sentence each."""
    said = [reason(finding, language), what_helps(finding, language)]
    return [*said, text("message.call", language, "", roles=whom_to_call(lift, language))] if lift else said


def warnings(fact: Recorded[Event]) -> list[Check]:
    """The rules that did not hold when a fact was decided, and only warn."""
    seen: tuple[Check, ...] = getattr(fact.data, "checks", ())
    return [check for check in seen if not check.met]


ALWAYS = frozenset({AdoptPolicy.type, FollowDeliberation.type, WithdrawMember.type})
"""Commands that belong to no stage in particular, beside those of their own module."""


class Missing(Struct, frozen=True):
    """Moves that wait for the same, and what they wait for."""

    moves: tuple[Option, ...]
    findings: tuple[Finding, ...]


class Steps(Struct, frozen=True):
    """The options of a framework in the order in which somebody asks for them."""

    moves: tuple[Option, ...]
    """To another stage, and allowed."""
    missing: tuple[Missing, ...]
    possible: tuple[Option, ...]
    not_yet: tuple[Option, ...]
    any_time: tuple[Option, ...]


def steps(options: Iterable[Option]) -> Steps:
    """What to do first, what is missing for the next stage, and the rest."""
    kinds: dict[str, list[Option]] = defaultdict(list)
    missing: list[Missing] = []
    for option in options:
        # Back from a suspension is the one move that a suspended framework waits for.
        always = at_any_time(option.command)
        stays = not option.to or (always and option.command != Resume.type)
        if stays and always:
            kinds["any_time"].append(option)
        elif stays:
            kinds["possible" if option.allowed else "not_yet"].append(option)
        elif option.allowed:
            kinds["moves"].append(option)
        else:
            same = next((m for m in missing if m.findings == option.refused_by), None)
            if same is not None:
                missing.remove(same)
            missing.append(Missing((*(same.moves if same else ()), option), option.refused_by))
    return Steps(missing=tuple(missing), **{k: tuple(kinds[k]) for k in ("moves", "possible", "not_yet", "any_time")})


def at_any_time(command: str) -> bool:
    """Whether a command belongs to no stage in particular."""
    return command in ALWAYS or framework.commands[command].__module__ == anytime.__name__


def moves_from(stage: Stage) -> list[str]:
    """The commands by which a framework leaves a stage in the ordinary course of things."""
    rows = triggers(stage)
    return [r.command.type for r in rows if r.to and (r.command is Resume or not at_any_time(r.command.type))]


def leads_to(option: Option, state: Framework, on: date) -> Stage | None:
    """The stage that a move leads to; a suspended framework goes back where it was, or to its overdue review."""
    if len(option.to) == 1:
        return option.to[0]
    return state.resumes_in(on) if option.command == Resume.type else None


def headline(state: Framework, commune: str, language: Language) -> str:
    """Where a framework stands, in one line."""
    key = "stage-ended" if state.stage in (Stage.SUSPENDED, Stage.DISSOLVED) else "stage-of"
    values: dict[str, object] = {"stage": state.stage, "cycle": state.cycle, "since": state.stage_since}
    return tidy(text(f"message.{key}", language, "", commune=commune, title=state.title, **values))


def why_suspended(history: Iterable[Recorded[Event]], language: Language) -> str:
    """From which stage a framework was suspended, and why; nothing where it never was."""
    facts = [fact.data for fact in history if isinstance(fact.data, FrameworkSuspended)]
    if not facts:
        return ""
    stage, why = Stage(facts[-1].stage), facts[-1].reason
    return tidy(text("message.suspended-why", language, "", stage=stage, reason=why))


def with_names(words: str, members: Mapping[MemberId, Member]) -> str:
    """A sentence in which a member's number has its name beside it."""

    def name(found: re.Match[str]) -> str:
        member = members.get(MemberId(found[0]))
        return f"{member.name} ({member.id})" if member and member.name not in words else found[0]

    return re.sub(r"\bMB-[0-9]+\b", name, words)


def members_named(finding: Finding, members: Mapping[MemberId, Member]) -> list[str]:
    """The members that a finding is about, as one would call them."""
    numbers = [
        MemberId(str(part).partition(" ")[0])
        for value in finding.values.values()
        for part in (value if isinstance(value, tuple) else (value,))
    ]
    return [f"{members[n].name} ({n})" for n in dict.fromkeys(numbers) if n in members]


def brief(finding: Finding, members: Mapping[MemberId, Member], language: Language) -> str:
    """A finding in one paragraph that ends with whom to call: by name where it is about members."""
    bare = Finding(finding.code, values=finding.values)
    who = listed(members_named(finding, members), language) or whom_to_call(finding.lift, language)
    said = [with_names(reason(bare, language), members), what_helps(bare, language)]
    return " ".join([*said, text("message.call-briefly", language, "", who=who)] if who else said)


def overdue_line(each: Overdue, state: Framework, language: Language) -> str:
    """``action due A-3, Curer le canal: 3 March 2026, 12 days ago; Coopérative Benkadi (MB-2)``."""
    action = state.actions.get(ActionId(each.about))
    member = each.member or (action.responsible if action else None)
    values: dict[str, object] = {
        "kind": f"day-{each.kind}",
        "about": None if each.kind in (DeadlineKind.PLAN, DeadlineKind.NEEDS) else each.about,
        "text": each.text,
        "day": each.day,
        "days": each.days,
        "member": with_names(member, state.members) if member else None,
    }
    return tidy(text("message.overdue-line", language, "", **values))


def finding_as_json(finding: Finding) -> dict[str, object]:
    """A finding for programs: code, values, and its words in both languages."""
    return {
        "code": finding.code,
        "met": finding.met,
        "effect": finding.effect,
        **({"article": finding.article} if finding.article else {}),
        "values": dict(finding.values),
        "lift": list(finding.lift),
        "text": {lang: reason(finding, lang) for lang in catalogue.LANGUAGES},
        "help": {lang: what_helps(finding, lang) for lang in catalogue.LANGUAGES},
    }


def option_as_json(option: Option) -> dict[str, object]:
    return {
        "command": option.command,
        "allowed": option.allowed,
        "label": {lang: text(f"command.{option.command}", lang) for lang in catalogue.LANGUAGES},
        "roles": list(option.roles),
        "to": list(option.to),
        "takes_two": option.takes_two,
        "reasons": [finding_as_json(f) for f in option.refused_by],
        "warnings": [finding_as_json(f) for f in option.warnings],
    }


def act_label(act: str, language: Language) -> str:
    """A command by its words; one that is gone since by its name."""
    key = f"command.{act}"
    return text(key, language) if catalogue.has(key) else act


def option_label(option: Option, language: Language) -> str:
    """A command that may happen next, and whether it takes two people."""
    words = text(f"command.{option.command}", language)
    return text("message.takes-two", language, "", label=words) if option.takes_two else words


def request_status(row: RequestRow, on: date, language: Language) -> str:
    """Whether it waits on a day, has lapsed, or what became of it, when and by whom."""
    lapsed = row.stage is RequestStage.OPEN and not row.waits(on)
    values: dict[str, object] = {"who": row.closed_by, "on": row.closed_on, "reason": row.closed_because}
    return tidy(text(f"message.request-{'lapsed' if lapsed else row.stage}", language, "", **values))


def request_lines(row: RequestRow, language: Language) -> tuple[str, str]:
    """What is asked for, by whom, since when, until when; and who confirms it."""
    values: dict[str, object] = {
        "act": act_label(row.act, language),
        "who": row.asked_by,
        "whom": row.on_behalf_of,
        "since": row.asked_on,
        "reason": row.reason,
        "until": row.lapses_on,
    }
    return (
        tidy(text("message.request-waits", language, "", **values)) + ".",
        tidy(text("message.who-confirms", language, "", who=row.asked_by)),
    )


def confirming(row: RequestRow) -> str:
    """The command that confirms a request, as it is typed."""
    return f"cycle do {ConfirmRequest.type} --id {row.request}"


def request_as_json(row: RequestRow) -> dict[str, object]:
    """A request for programs: the row, its words in both languages, what confirms it, and who cannot."""
    return {
        **asdict(row),
        "label": {lang: act_label(row.act, lang) for lang in catalogue.LANGUAGES},
        "text": {lang: request_lines(row, lang)[0] for lang in catalogue.LANGUAGES},
        "confirm": confirming(row),
        "not_by": [each for each in (row.asked_by, row.on_behalf_of) if each is not None],
    }


def change_line(change: Change, kind: str, language: Language) -> str:
    """``Amount: 5,000 XOF → 50,000 XOF``, for a field of a fact of this type; of a list what differs in it."""
    was, now = _apart(_read(change.was, change.field, kind), _read(change.now, change.field, kind), language)
    key = f"field.{change.field}"
    label = text(key, language) if catalogue.has(key) else text("message.occurred-on", language)
    return tidy(catalogue.template("message.pair", language).format(label=label, value=f"{was} → {now}"))


def _read(side: msgspec.Raw | msgspec.UnsetType, field: str, kind: str) -> object:
    """A value of a field; None where it has none."""
    if side is NO_VALUE:
        return None
    hint = date if field == "occurred_on" else get_type_hints(EVENTS[kind])[field]
    return msgspec.json.decode(side, type=understood(hint))


def _apart(was: object, now: object, language: Language) -> tuple[str, str]:
    """Two values in words; of two lists the entries that are not the same in both, unless it is their order alone."""
    if isinstance(was, tuple) and isinstance(now, tuple) and set(map(repr, was)) != set(map(repr, now)):
        return _entries(was, now, language), _entries(now, was, language)
    return _listed(was, language), _listed(now, language)


def _entries(some: tuple[object, ...], others: tuple[object, ...], language: Language) -> str:
    """What stands in the one list and not so in the other; of an entry of both what it is called, and what differs."""
    same = {_called(each): each for each in others}
    told = (_listed(each, language, beside=same.get(_called(each))) for each in some if each not in others)
    return " ; ".join(told) or "—"


def _called(entry: object) -> object:
    """An entry begins with what it is about."""
    return getattr(entry, entry.__struct_fields__[0]) if isinstance(entry, Struct) else entry


def _listed(value: object, language: Language, beside: object = None) -> str:
    """A value in words; ``beside``: of a struct that is about the same, of which nothing is said twice."""
    match value:
        case Worth():
            return worth(value, language)
        case Struct():
            first, *more = value.__struct_fields__
            names = [name for name in more if beside is None or getattr(value, name) != getattr(beside, name)]
            pairs = ((name, getattr(value, name)) for name in (first, *names))
            said = (f"{_label(name, language)} {_listed(each, language)}" for name, each in pairs if each is not None)
            return ", ".join(said)
        case tuple() if any(isinstance(each, Struct) for each in value):
            return " ; ".join(_listed(each, language) for each in value)
        case _:
            return str(shown(value, language))


def _label(field: str, language: Language) -> str:
    key = f"field.{field}"
    return text(key, language).lower() if catalogue.has(key) else field


def corrections(fact: Recorded[Event], language: Language) -> list[str]:
    """Before and after of every field that a correction sets right."""
    if not isinstance(fact.data, FactCorrected):
        return []
    return [change_line(change, fact.data.fact_type, language) for change in fact.data.changes]


def guards_saw(fact: Recorded[Event], language: Language) -> list[str]:
    """What the guards saw when the fact was decided, with their articles."""
    seen: tuple[Check, ...] = getattr(fact.data, "checks", ())
    mark = {True: "✓", False: "✗"}
    return [f"{mark[check.met]} {_seen(check, language)}" for check in seen]


def _seen(check: Check, language: Language) -> str:
    where = f" ({article(check.article, language)})" if check.article else ""
    values = cast("Mapping[str, object]", check.values)
    for kind in ("rule", "finding"):
        if catalogue.has(f"{kind}.{check.code}"):
            return tidy(text(f"{kind}.{check.code}", language, "", **values) + where)
    # A rule that a later release added words for, or that is gone: its code and what it saw.
    seen = ", ".join(f"{name} {shown(value, language)}" for name, value in values.items())
    return tidy(f"{check.code}{where}" + (f" : {seen}" if seen else ""))


Corrected = Mapping[tuple[str, int], Sequence[Fact]]
"""Stream and version of a fact -> the corrections of it."""


def corrected(facts: Iterable[Fact]) -> Corrected:
    """Which facts of a history correct which others."""
    found: dict[tuple[str, int], list[Fact]] = defaultdict(list)
    for fact in facts:
        data = fact.recorded.data
        if isinstance(data, FactCorrected):
            found[fact.recorded.stream, data.fact_version].append(fact)
    return found


def fact_as_json(fact: Fact, language: Language, later: Corrected) -> dict[str, object]:
    """A fact of a history for programs: where it stands, its sentence, and what corrects what."""
    recorded = fact.recorded
    by = [correction.position for correction in later.get((recorded.stream, recorded.version), ())]
    return {
        "position": fact.position,
        "event": recorded,
        "sentence": sentence(recorded, language),
        "corrections": corrections(recorded, language),
        "corrected_by": by,
    }
