"""Facts, findings and refusals in sentences: the command line, the API and the pages say the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import cast

import msgspec
from msgspec import Struct

from cycle import catalogue
from cycle.aggregates.base import Check, Event, Finding, Recorded, Refused, Role
from cycle.aggregates.corrections import NO_VALUE, Change, FactCorrected
from cycle.aggregates.framework.decision import Option
from cycle.aggregates.framework.meetings import MeetingOpened
from cycle.aggregates.terms import Worth
from cycle.catalogue import Language, either, printable, shown, text

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
    values: dict[str, object] = {}
    for field in fact.data.__struct_fields__:
        value = getattr(fact.data, field)
        if isinstance(value, tuple):
            values[f"n_{field}"] = len(value)
            value = value if all(isinstance(item, str) for item in value) else ""
        values[field] = value
    waived = isinstance(fact.data, MeetingOpened) and fact.data.quorum.waived
    words = catalogue.template(f"event.{fact.type}", language, "waived" if waived else "")
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
        "reasons": [finding_as_json(f) for f in option.refused_by],
        "warnings": [finding_as_json(f) for f in option.warnings],
    }


def change_line(change: Change, command: str, language: Language) -> str:
    """``Montant : 5 000 → 50 000``."""
    was, now = (_plain(side) for side in (change.was, change.now))
    key = f"field.{change.field}"
    label = text(key, language) if catalogue.has(key) else text("message.occurred-on", language)
    return tidy(catalogue.template("message.pair", language).format(label=label, value=f"{was} → {now}"))


def _plain(side: msgspec.Raw | msgspec.UnsetType) -> str:
    if side is NO_VALUE:
        return "—"
    value = msgspec.json.decode(side)
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def corrections(fact: Recorded[Event], language: Language) -> list[str]:
    """Before and after of every field that a correction sets right."""
    if not isinstance(fact.data, FactCorrected):
        return []
    return [change_line(change, fact.command, language) for change in fact.data.changes]


def guards_saw(fact: Recorded[Event], language: Language) -> list[str]:
    """What the guards saw when the fact was decided, with their articles."""
    seen: tuple[Check, ...] = getattr(fact.data, "checks", ())
    mark = {True: "✓", False: "✗"}
    return [f"{mark[check.met]} {_seen(check, language)}" for check in seen]


def _seen(check: Check, language: Language) -> str:
    where = f" ({article(check.article, language)})" if check.article else ""
    values = cast("Mapping[str, object]", check.values)
    if catalogue.has(f"rule.{check.code}"):
        return tidy(text(f"rule.{check.code}", language, "", **values) + where)
    # A rule that a later release added words for, or that is gone: its code and what it saw.
    seen = ", ".join(f"{name} {shown(value, language)}" for name, value in values.items())
    return tidy(f"{check.code}{where}" + (f" : {seen}" if seen else ""))
