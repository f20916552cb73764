"""What a form is made for: a command, or the setting right of a fact; its inputs, and its fields as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol

import msgspec
from msgspec import inspect as types
from msgspec.structs import replace

from cycle.aggregates.base import Command, Event, Recorded
from cycle.aggregates.corrections import FactCorrected, fields_of
from cycle.aggregates.framework.anytime import CorrectFact
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.terms import Presence
from cycle.catalogue import Language
from cycle.commands import COMMANDS
from cycle.fields import Fault, faults, pointer
from cycle.forms.declared import Input, Kind, inputs_of
from cycle.forms.shown import NOW

MOMENT = "occurred_on"


class Act(Protocol):
    """Something that a form is filled in for."""

    command: type[Command]
    inputs: Sequence[Input]
    about: Input | None
    """What it says anew, where there can be several of it: that is chosen before the rest is filled in."""

    def begun(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """What the form holds before anything is typed; ``said`` is what its address says already."""

    def data(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of the command."""

    def faults(self, given: Mapping[str, Any], language: Language) -> list[Fault]:
        """Everything that is wrong, by the inputs of the form."""


class Plain:
    """A command as it declares itself."""

    def __init__(self, name: str, set_already: Mapping[str, Any] | None = None, state: Framework | None = None) -> None:
        self.command, self._state = COMMANDS[name], state or Framework()
        self._set = dict(set_already or {})
        self.inputs: Sequence[Input] = [each for each in inputs_of(self.command) if each.name not in self._set]
        paths = " ".join(self.command.restates.values())
        self.about = next((each for each in self.inputs if f"{{{each.name}}}" in paths), None)

    def begun(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """What is said anew is there as it holds; where it is asked who came, there is a row for each member."""
        found = {name: _at(self._state, path, said) for name, path in self.command.restates.items()}
        roll = [{"member": member} for member in self._state.members]
        rolls = {each.name: roll for each in self.inputs if roll and each.required and _counts_who_came(each)}
        return {name: value for name, value in (found | rolls).items() if value not in (None, [])}

    def data(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {**given, **self._set}

    def faults(self, given: Mapping[str, Any], language: Language) -> list[Fault]:
        return faults(self.command, self.data(given), language)


def _at(state: Framework, path: str, said: Mapping[str, Any]) -> Any:
    """What a state holds under a path such as ``needs.{need}.kind``, as JSON; None where there is nothing."""
    found: Any = state
    for part in path.split("."):
        key = str(said.get(part[1:-1])) if part.startswith("{") else part
        found = found.get(key) if isinstance(found, Mapping) else getattr(found, part, None)
    return msgspec.json.decode(msgspec.json.encode(found))


def _counts_who_came(each: Input) -> bool:
    match each.type:
        case types.VarTupleType(item_type=types.StructType(cls=cls)):
            return cls is Presence
    return False


def correctable(fact: Recorded[Event]) -> bool:
    """Whether anything of a fact can be set right: a correction itself is set right in the fact that it is about."""
    return not isinstance(fact.data, FactCorrected)


class Correcting:
    """Setting a fact right: its own fields, as they are believed now, and why."""

    about: Input | None = None

    def __init__(self, fact: Recorded[Event]) -> None:
        self.command: type[Command] = CorrectFact
        self._fact, self._kind = fact, type(fact.data)
        own = [replace(each, required=False) for each in inputs_of(self._kind) if each.name in fact.data.correctable]
        day = Input(MOMENT, Kind.DAY, types.DateType(), True, past=True)
        now = Input(NOW, Kind.GROUP, types.AnyType(), True, parts=(*own, day))
        self.inputs: Sequence[Input] = [now, *(each for each in inputs_of(CorrectFact) if each.name == "reason")]

    def begun(self, said: Mapping[str, Any]) -> dict[str, Any]:
        return {NOW: self._believed()}

    def _believed(self) -> dict[str, Any]:
        fields = fields_of(self._fact)
        return {name: fields[name] for name in self._names() if name in fields}

    def _names(self) -> list[str]:
        return [each.name for each in self.inputs[0].parts]

    def data(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that differ; one that was left blank has no value any more."""
        was, now = self._believed(), given.get(NOW, {})
        changes = {name: now.get(name) for name in self._names() if not _same(was.get(name), now.get(name))}
        reason = {"reason": given["reason"]} if "reason" in given else {}
        return {"fact_version": self._fact.version, "changes": changes, **reason}

    def faults(self, given: Mapping[str, Any], language: Language) -> list[Fault]:
        now = dict(given.get(NOW, {}))
        day = now.pop(MOMENT, None)
        whole = {**msgspec.to_builtins(fields_of(self._fact)), **now}
        whole.pop(MOMENT)
        wrong = [fault for fault in faults(self._kind, whole, language) if fault.field.split("/")[1] in self._names()]
        found = [Fault(pointer(NOW) + fault.field, fault.text) for fault in wrong]
        if not _is_day(day):
            found.append(Fault(pointer(NOW, MOMENT), ""))
        return found + faults(self.command, self.data(given), language)


def _is_day(value: object) -> bool:
    try:
        msgspec.convert(value, date)
    except msgspec.ValidationError:
        return False
    return True


def _same(was: object, now: object) -> bool:
    nothing: tuple[object, ...] = (None, "", 0, False, [])
    return was == now or (was in nothing and now in nothing)
