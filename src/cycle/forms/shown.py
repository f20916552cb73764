"""A form as it is shown: every input with its label, its help, what it offers, what it holds, what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from msgspec import Struct
from msgspec import inspect as types

from cycle import catalogue
from cycle.catalogue import Language, field_label, shown, text, word
from cycle.commands import COMMANDS
from cycle.fields import Fault, described
from cycle.forms.choices import Choice, Held
from cycle.forms.declared import Input, Kind, named_by

CHOSEN = (Kind.CHOICE, Kind.SEVERAL, Kind.ORDER)
"""What is chosen among several."""
NOW = "now"
"""What a fact is to say, in the form that sets it right."""
BLANK_ROWS = 3
"""Rows that a list of structs begins with."""


class Shown(Struct, frozen=True):
    """One input. ``value`` is what it holds: words, several of them, or yes; ``id`` that of the element.

    ``optional``: it may be left blank, and holds nothing then. ``rows`` are the parts of each of several
    structs, ``parts`` those of one. ``refers``: the kind of id that is chosen; ``names``: what is typed here
    is how people will call what the command makes; ``of``: the input that says whose things are chosen.
    """

    name: str
    id: str
    kind: Kind
    label: str
    required: bool
    optional: bool = False
    value: Any = ""
    help: tuple[str, ...] = ()
    error: str = ""
    choices: tuple[Choice, ...] = ()
    most: int | None = None
    earliest: str = ""
    latest: str = ""
    parts: tuple[Shown, ...] = ()
    rows: tuple[tuple[Shown, ...], ...] = ()
    refers: str = ""
    names: bool = False
    of: str = ""

    @property
    def described_by(self) -> str:
        """The ids of what explains it, for who does not see it."""
        ids = [f"{self.id}-help"] if self.help else []
        return " ".join([*ids, f"{self.id}-error"] if self.error else ids)


class Sheet:
    """Lays out the inputs of one command in one language.

    Args:
        errors: what is wrong, by the name of the input.
        today: no day lies behind it that has happened; ``rows``: how many a list has at least.
    """

    def __init__(
        self,
        command: str,
        language: Language,
        held: Held,
        today: date,
        errors: Mapping[str, str] | None = None,
        rows: Mapping[str, int] | None = None,
    ) -> None:
        self._command, self._language, self._held, self._today = command, language, held, today
        self._errors, self._rows = errors or {}, rows or {}
        self._naming = named_by(COMMANDS[command])

    def lay_out(self, inputs: Iterable[Input], given: Mapping[str, Any], prefix: str = "") -> tuple[Shown, ...]:
        """The inputs as they are shown, holding what was given."""
        return tuple(self._one(each, given.get(each.name), prefix, given.get(each.of)) for each in inputs)

    def _one(self, each: Input, value: Any, prefix: str, owner: Any) -> Shown:
        name = prefix + each.name
        # Its own come first, and not alone: somebody may mean another one after all.
        choices = tuple(sorted(self._held.offered(each), key=lambda choice: choice.of != owner))
        # What can be chosen may be waiting to be recorded: a list that is empty now stays a list.
        plain = each.kind is Kind.CHOICE and not choices and not self._held.offers(each.refers)
        kind = Kind.TEXT if plain else Kind.CHOICE if each.kind is Kind.TEXT and choices else each.kind
        return Shown(
            name=name,
            id="f-" + name.replace(".", "-"),
            kind=kind,
            label=label_of(self._command, name, self._language),
            required=each.required,
            optional=not each.required and each.default is None,
            value=self._held_value(kind, each, value),
            help=tuple(self._help(each, kind)) if "." not in name else (),
            error=self._errors.get(name, ""),
            choices=self._with_what_is_held(choices, value) if kind in CHOSEN else (),
            most=each.most if kind in (Kind.TEXT, Kind.PROSE) else None,
            earliest=self._today.isoformat() if each.planned and not prefix else "",
            latest=self._today.isoformat() if each.past else "",
            parts=self._parts(each, kind, value, name),
            rows=self._list(each, kind, value, name),
            refers=each.refers if self._held.offers(each.refers) else "",
            names=name == self._naming,
            of=prefix + each.of if each.of else "",
        )

    def _parts(self, each: Input, kind: Kind, value: Any, name: str) -> tuple[Shown, ...]:
        if kind is not Kind.GROUP:
            return ()
        return self.lay_out(each.parts, value if isinstance(value, dict) else {}, f"{name}.")

    def _list(self, each: Input, kind: Kind, value: Any, name: str) -> tuple[tuple[Shown, ...], ...]:
        if kind is not Kind.ROWS:
            return ()
        held = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
        blank = max(self._rows.get(name, BLANK_ROWS) - len(held), 0)
        rows = [*held, *([{}] * blank)]
        return tuple(self.lay_out(each.parts, row, f"{name}.{number}.") for number, row in enumerate(rows))

    def _held_value(self, kind: Kind, each: Input, value: Any) -> Any:
        if value is None:
            value = each.default
        match kind:
            case Kind.TICK:
                return value is True
            case Kind.SEVERAL | Kind.ORDER:
                return [str(item) for item in value] if isinstance(value, list) else []
            case Kind.LINES:
                words = value if isinstance(value, list) else []
                return "\n".join(
                    word(str(item), self._language) if each.form == "code" else str(item) for item in words
                )
            case Kind.GROUP | Kind.ROWS:
                return ""
            case Kind.DECIMAL if self._language == "fr":
                return "" if value is None else str(value).replace(".", ",")
        return "" if value is None else str(value)

    def _with_what_is_held(self, choices: tuple[Choice, ...], value: Any) -> tuple[Choice, ...]:
        """A choice that is there no more stays visible: nobody else is chosen in its place."""
        known = {choice.value for choice in choices}
        held = value if isinstance(value, list) else [value]
        gone = [item for item in held if isinstance(item, str) and item and item not in known]
        return (*choices, *(Choice(item, item) for item in gone))

    def _help(self, each: Input, kind: Kind) -> Iterable[str]:
        if catalogue.has(key := f"help.{self._command}.{each.name}"):
            # It was written for this one, and says what would be said in general.
            yield text(key, self._language)
            return
        if catalogue.has(key := f"help.{each.name}"):
            yield text(key, self._language)
        own = f"help-{kind}" if each.form in ("text", "") else f"help-{each.form}"
        if kind is Kind.LINES and each.form == "code":
            yield text("message.help-lines", self._language)
        if kind is not Kind.CHOICE and catalogue.has(f"message.{own}"):
            yield text(f"message.{own}", self._language)


def label_of(command: str, name: str, language: Language) -> str:
    """The label of an input, by the last part of its name; what a correction sets right is called as ever."""
    parts = [part for part in name.removeprefix(f"{NOW}.").split(".") if not part.isdecimal()]
    if len(parts) == 1:
        return field_label(command, parts[0], language)
    own = f"field.{parts[-2]}.{parts[-1]}"
    return text(own if catalogue.has(own) else f"field.{parts[-1]}", language)


def wrong(
    inputs: Sequence[Input], faults: Iterable[Fault], given: Mapping[str, Any], language: Language
) -> dict[str, str]:
    """What is wrong, by the name of the input that can be mended."""
    found: dict[str, str] = {}
    for fault in faults:
        name, each = _input_at(inputs, fault.field.strip("/").split("/"))
        if each is not None and (each.kind is Kind.GROUP or _is_row(each, name)):
            found.update(_blank_parts(each, name, given, language))
            continue
        missing = _at(given, name) in (None, "", [])
        takes = described(_item(each), language) if each else fault.text
        say = text("message.form-needed", language) if missing else _takes(takes, language)
        found.setdefault(name, say)
    return found


def _is_row(each: Input, name: str) -> bool:
    """Whether a name is that of one row of a list, and not of the list."""
    return each.kind is Kind.ROWS and name.rpartition(".")[2].isdecimal()


def _blank_parts(group: Input, name: str, given: Mapping[str, Any], language: Language) -> dict[str, str]:
    """What is missing of a struct or a row, part by part; of one in which nothing has to be, the struct itself."""
    parts = [f"{name}.{part.name}" for part in group.parts if part.required]
    blank = [part for part in parts if _at(given, part) in (None, "", [])]
    return dict.fromkeys(blank or [name], text("message.form-needed", language))


def _takes(takes: str, language: Language) -> str:
    return catalogue.verbatim("message.form-takes", language, takes=takes)


def _item(each: Input) -> types.Type:
    """The type of what is typed: of lines, that of each."""
    kind = each.type
    return kind.item_type if isinstance(kind, types.VarTupleType) and each.kind is Kind.LINES else kind


def _input_at(inputs: Sequence[Input], path: Sequence[str]) -> tuple[str, Input | None]:
    """The deepest input on a path into JSON, and its name in the form."""
    names: list[str] = []
    found: Input | None = None
    for part in path:
        if part.isdecimal():
            if found is None or found.kind is not Kind.ROWS:
                break
            names.append(part)
            continue
        each = next((each for each in inputs if each.name == part), None)
        if each is None:
            break
        names.append(part)
        found, inputs = each, each.parts
    return ".".join(names), found


def _at(given: Any, name: str) -> Any:
    for part in name.split("."):
        if isinstance(given, list):
            given = given[int(part)] if part.isdecimal() and int(part) < len(given) else None
        else:
            given = given.get(part) if isinstance(given, dict) else None
    return given


def answers(shown_inputs: Iterable[Shown], language: Language) -> Iterable[tuple[str, str]]:
    """What a form holds, in words: for who checks it before it is recorded."""
    for each in shown_inputs:
        if each.kind is Kind.GROUP:
            inner = [f"{label} {value}" for label, value in answers(each.parts, language) if value != "—"]
            yield each.label, ", ".join(inner) or "—"
        elif each.kind is Kind.ROWS:
            rows = [answers(row, language) for row in each.rows]
            said = [", ".join(f"{label} {value}" for label, value in row if value != "—") for row in rows]
            yield each.label, "\n".join(row for row in said if row) or "—"
        else:
            yield each.label, _answer(each, language)


def _answer(each: Shown, language: Language) -> str:
    labels = {choice.value: choice.label for choice in each.choices}
    match each.kind:
        case Kind.TICK:
            return text("word.yes", language) if each.value else "—"
        case Kind.SEVERAL | Kind.ORDER:
            return "\n".join(labels.get(value, value) for value in each.value) or "—"
        case Kind.CHOICE:
            return labels.get(each.value, each.value) or "—"
        case Kind.DAY:
            return str(shown(each.value, language)) if each.value else "—"
        case Kind.NUMBER | Kind.MONEY if each.value.isascii() and each.value.isdecimal():
            return str(shown(int(each.value), language))
    return each.value or "—"
