"""A form as a page: what it is about, what is said with every command, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import uuid4

from fastapi.responses import HTMLResponse
from msgspec import Struct, json
from msgspec.structs import replace

from cycle.aggregates.base import By, Role
from cycle.aggregates.framework.state import Framework
from cycle.catalogue import shown, text, word
from cycle.commands import KEY, Said, read_command
from cycle.fields import takes_free_text
from cycle.forms.acts import Act
from cycle.forms.choices import Choice, Held
from cycle.forms.declared import made_by
from cycle.forms.shown import BLANK_ROWS, Sheet, Shown, answers, wrong
from cycle.forms.typed import Posted, gathered
from cycle.forms.waiting import Made, NotRecorded, settled
from cycle_adapters.http.pages_desk import Desk
from cycle_adapters.http.pages_recorded import Meanwhile, since

ON, ROLE, FOR, LATE, VERSION, AFTER, SENT, TARGET, CHECKED, ADD, CHANGE = (
    "_on", "_role", "_for", "_late", "_version", "_after", "_key", "_target", "_checked", "_add", "_change",
)  # fmt: skip
"""What is said with every command; no field of a command begins so."""
ROWS = "_rows."
"""How many rows a list has: ``_rows.seats``."""


class Subject(Struct, frozen=True):
    """What a form is about. ``base`` is the address of what it is about, ``back`` of where one came from.

    ``targets``: where the command is about something of the commune, what that can be, and ``refers`` the kind
    of its id; ``version``: that of the framework that the page showed; ``line`` says of which fact it is.
    """

    base: str
    back: str
    name: str
    commune: str
    state: Framework = Framework()
    target: str | None = None
    targets: tuple[Choice, ...] | None = None
    refers: str = ""
    version: int | None = None
    line: str = ""


class Sent(Struct, frozen=True):
    """What is said with a command, as it was typed; ``given`` are its own fields."""

    given: dict[str, Any]
    on: str
    role: str
    on_behalf_of: str
    late: bool
    key: str
    version: str
    target: str
    rows: dict[str, int]
    after: str = ""


def fresh(act: Act, today: date, version: int | None, asked: Mapping[str, str]) -> Sent:
    """A form that nobody has filled in; an address may say some of it already."""
    said = gathered(act.inputs, {name: [value] for name, value in asked.items()})
    given = {**act.begun(said), **{name: value for name, value in said.items() if value not in ({}, [], False)}}
    return Sent(
        given, today.isoformat(), "", "", False, uuid4().hex, "" if version is None else str(version),
        asked.get(TARGET, ""), {},
    )  # fmt: skip


def sent(act: Act, posted: Posted) -> Sent:
    """What was sent, with one more row where that was asked for."""

    def one(name: str) -> str:
        return posted.get(name, [""])[-1].strip()

    rows = {
        name.removeprefix(ROWS): int(one(name)) for name in posted if name.startswith(ROWS) and one(name).isdecimal()
    }
    if one(ADD):
        rows[one(ADD)] = rows.get(one(ADD), BLANK_ROWS) + 1
    given = gathered(act.inputs, posted)
    return Sent(
        given, one(ON), one(ROLE), one(FOR), bool(one(LATE)), one(SENT), one(VERSION), one(TARGET), rows, one(AFTER)
    )


class Form:
    """One command's form on one subject."""

    template, check_template = "form.html", "check.html"
    says_when = True
    """Whether the day and the role are said by who fills it in."""

    def __init__(self, desk: Desk, subject: Subject, act: Act, roles: tuple[Role, ...], action: str) -> None:
        self._desk, self.subject, self.act, self.roles, self.action = desk, subject, act, roles, action
        self.name = act.command.type
        made = made_by(act.command)
        self.makes = made.kind if made else ""

    @property
    def today(self) -> date:
        return self._desk.engine.today(self.subject.state.zone)

    def say(self, key: str) -> str:
        return self._desk.say(key)

    def laid_out(self, filled: Sent, errors: Mapping[str, str]) -> tuple[Shown, ...]:
        """The command's own inputs."""
        held = Held(self._desk.reader, self.subject.state, self.subject.commune, self._desk.language)
        rows = {name: min(count, 200) for name, count in filled.rows.items()}
        return Sheet(self.name, self._desk.language, held, self.today, errors, rows).lay_out(
            self.act.inputs, filled.given
        )

    def settled(self, filled: Sent) -> tuple[Sent, dict[str, str]]:
        """What was sent with the ids of what it waits for, and what is not recorded yet, by the name of the input."""
        made = Made(self._desk.engine, self._desk.actor, self.subject.commune, self.subject.state.id)
        given, waiting = settled(self.act.inputs, filled.given, made.id_of)
        beside = {FOR: (filled.on_behalf_of, "MemberId"), TARGET: (filled.target, self.subject.refers)}
        found = {}
        for name, (value, kind) in beside.items():
            try:
                found[name] = made.id_of(value, kind)
            except NotRecorded:
                found[name] = value
                waiting.append(name)
        why = text("message.form-waits", self._desk.language)
        return replace(filled, given=given, on_behalf_of=found[FOR], target=found[TARGET]), dict.fromkeys(waiting, why)

    def faults(self, filled: Sent) -> dict[str, str]:
        """What is wrong, by the name of the input."""
        language = self._desk.language
        found = wrong(self.act.inputs, self.act.faults(filled.given, language), filled.given, language)
        try:
            day: date | None = date.fromisoformat(filled.on)
        except ValueError:
            day = None
        if day is None or len(filled.on) != 10:
            found[ON] = text("message.form-needed", language)
        if filled.role not in [role.value for role in self.roles]:
            found[ROLE] = text("message.form-choose", language)
        if filled.on_behalf_of and not re.fullmatch(r"\S{1,120}", filled.on_behalf_of):
            found[FOR] = text("message.form-choose", language)
        targets = self.subject.targets
        if targets is not None and filled.target not in [each.value for each in targets]:
            found[TARGET] = text("message.form-choose", language)
        return found

    def saying(self, filled: Sent) -> Said:
        """The command with all that is said with it."""
        command = read_command(self.name, json.encode(self.act.data(filled.given)))
        by = By(self._desk.actor, Role(filled.role), filled.on_behalf_of or None)
        key = filled.key if re.fullmatch(KEY, filled.key) else None
        version = int(filled.version) if filled.version.isdecimal() else None
        target = filled.target if self.subject.targets is not None else self.subject.target
        return Said(
            command=command, by=by, on=date.fromisoformat(filled.on), target=target, key=key,
            late_record=filled.late, version=version, after=frozenset(filled.after.split()),
        )  # fmt: skip

    def page(
        self,
        filled: Sent,
        errors: Mapping[str, str] | None = None,
        *,
        status: int = 200,
        notices: tuple[str, ...] = (),
        since: tuple[str, ...] = (),
        not_yet: Sequence[str] = (),
        beware: Sequence[str] = (),
        step: str = "",
    ) -> HTMLResponse:
        """The form. ``notices`` say why it was not recorded, ``since`` what others have recorded meanwhile.

        ``not_yet`` says why it would not be recorded now: it is filled in all the same, and sent when it can be;
        ``beware`` what a rule only warns of.
        """
        errors = errors or {}
        inputs = self.laid_out(filled, errors)
        return self._desk.page(
            self.template,
            status=status,
            path=self.action,
            form=self,
            inputs=inputs,
            filled=filled,
            errors=errors,
            summary=self._summary(inputs, errors),
            notices=notices,
            since=since,
            not_yet=not_yet,
            beware=beware,
            step=step,
            **self.envelope(filled),
        )

    def envelope(self, filled: Sent) -> dict[str, Any]:
        """What is asked with every command."""
        language = self._desk.language
        members = self.subject.state.members.values()
        return {
            "title": text(f"command.{self.name}", language),
            "about": self.subject,
            "today": self.today.isoformat(),
            "role_choices": [Choice(role.value, word(role, language)) for role in self.roles],
            "for_choices": [Choice(member.id, f"{member.name} ({member.id})") for member in members],
            "public": takes_free_text(self.act.command),
            "binds": self.act.command.binds,
            "takes_two": self.act.command.seconds,
            "only_role": self.roles[0].value if len(self.roles) == 1 else "",
        }

    def meanwhile(self, said: Said) -> tuple[Meanwhile, ...]:
        """What others have recorded about the subject since its sender looked."""
        return since(self._desk, self.subject.state.id, said)

    def labelled(self, inputs: tuple[Shown, ...], errors: Mapping[str, str]) -> list[tuple[str, str, str]]:
        """Every error with the name of its input, and how that is called."""
        said = {ON: "on-label", ROLE: "role-as", FOR: "for-label", TARGET: "target-label", SENT: "key"}
        known = {each.name: each.label for each in _all(inputs)}
        known |= {name: text(f"message.{label}", self._desk.language) for name, label in said.items()}
        return [(name, known.get(name, name), why) for name, why in errors.items()]

    def _summary(self, inputs: tuple[Shown, ...], errors: Mapping[str, str]) -> list[tuple[str, str, str]]:
        """Every error with the id of its input, so that one gets there from the top."""
        ids = {each.name: each.id for each in _all(inputs)}
        ids |= {name: f"f-{name.strip('_')}" for name in (ON, ROLE, FOR, TARGET)}
        return [(ids.get(name, "form"), label, why) for name, label, why in self.labelled(inputs, errors)]

    def check_page(self, filled: Sent, posted: Posted, **more: Any) -> HTMLResponse:
        """What is about to be recorded, in words, before it binds anybody; ``more`` is what the page tells beside."""
        language = self._desk.language
        on_behalf = {each.value: each.label for each in self.envelope(filled)["for_choices"]}
        said = [
            (text("message.on-label", language), str(shown(date.fromisoformat(filled.on), language))),
            (text("message.role-as", language), word(filled.role, language)),
        ]
        if filled.on_behalf_of:
            said.append((text("message.for-label", language), on_behalf.get(filled.on_behalf_of, filled.on_behalf_of)))
        kept = [
            (name, value) for name, values in posted.items() for value in values if name not in (ADD, CHANGE, CHECKED)
        ]
        return self._desk.page(
            self.check_template,
            path=self.action,
            form=self,
            answers=[*answers(self.laid_out(filled, {}), language), *(said if self.says_when else ())],
            kept=kept,
            **more,
            **self.envelope(filled),
        )


def _all(inputs: tuple[Shown, ...]) -> list[Shown]:
    found = []
    for each in inputs:
        found += [each, *_all(each.parts)]
        for row in each.rows:
            found += _all(row)
    return found
