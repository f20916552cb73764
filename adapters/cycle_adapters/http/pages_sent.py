"""What comes of a form that was sent: recorded, or what is wrong with it; a page, or JSON for who asks for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from fastapi import Response
from msgspec.structs import replace

from cycle.access import Forbidden
from cycle.aggregates.base import Refused, VersionMoved
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.setup import ProposeFramework
from cycle.catalogue import text, verbatim
from cycle.commands import KEY, Said
from cycle.engine import Busy, Done
from cycle.failures import Failure
from cycle.forms.typed import Posted
from cycle.leaf import LeafError
from cycle.store import Conflict, KeyReused, Unavailable
from cycle.telling import refusal_lines, with_names
from cycle_adapters.http.pages_desk import Desk
from cycle_adapters.http.pages_form import ADD, CHANGE, CHECKED, SENT, Form, Sent, fresh, sent
from cycle_adapters.http.pages_sent_json import InJson
from cycle_adapters.http.problems import asks_for_json

STEP = "_step"


class Answers(Protocol):
    """How whoever sent a form hears what came of it."""

    def wrong(self, errors: Mapping[str, str]) -> Response:
        """Inputs that cannot be read, each with what it takes."""

    def unchecked(self) -> Response:
        """It binds people, and nobody has looked at it once more."""

    def not_recorded(self, said: Said, error: Exception) -> Response:
        """It was not recorded, and why.

        Raises:
            Forbidden: the account may not say it.
        """

    def recorded(self, done: Done) -> Response:
        """It is recorded, now or before."""


def carried_out(desk: Desk, form: Form, posted: Posted) -> Response:
    """What was sent: shown again with what is wrong, checked where it binds, or recorded."""
    filled = sent(form.act, posted)
    answers: Answers
    if asks_for_json(desk.call.request):
        answers = InJson(desk, form, filled, posted)
        if not re.fullmatch(KEY, filled.key):
            # Whoever sends again by himself has to be known again.
            return answers.wrong({SENT: text("message.type-key", desk.language)})
    else:
        answers = page = OnAPage(desk, form, filled, posted)
        if ADD in posted or CHANGE in posted:
            return page.again(filled)
    whole, waiting = form.settled(filled)
    if errors := {**form.faults(whole), **waiting}:
        return answers.wrong(errors)
    if form.act.command.binds and CHECKED not in posted:
        return answers.unchecked()
    said = form.saying(whole)
    if isinstance(said.command, ProposeFramework):
        desk.call.request.state.commune = said.command.commune
    try:
        done = desk.engine.carry_out(said)
    except (Refused, KeyReused, Busy, Conflict, Unavailable, Failure, LeafError) as error:
        return answers.not_recorded(said, error)
    return answers.recorded(done)


def given_back(form: Form, typed: Posted) -> Response:
    """A form with what somebody had typed before his session ended. Nothing comes of it but the page.

    So it need not have been given to this session: it is no more than an address that fills a form in.
    """
    return form.page(sent(form.act, typed), notices=(form.say("given-back"),), step=typed.get(STEP, [""])[-1])


class OnAPage:
    """For a browser: the form with all that was typed, or the page that says that it is done."""

    def __init__(self, desk: Desk, form: Form, filled: Sent, posted: Posted) -> None:
        self._desk, self._form, self._filled, self._posted = desk, form, filled, posted
        self._step = posted.get(STEP, [""])[-1]

    def again(self, filled: Sent, status: int = 200, notice: str = "", meanwhile: tuple[str, ...] = ()) -> Response:
        """The form as it was sent."""
        notices = (notice,) if notice else ()
        return self._form.page(filled, status=status, notices=notices, since=meanwhile, step=self._step)

    def wrong(self, errors: Mapping[str, str]) -> Response:
        return self._form.page(self._filled, errors, status=422, step=self._step)

    def unchecked(self) -> Response:
        return self._form.check_page(self._filled, self._posted)

    def not_recorded(self, said: Said, error: Exception) -> Response:
        language, filled = self._desk.language, self._filled
        match error:
            case VersionMoved():
                again = replace(filled, version=str(error.version), after="")
                return self.again(again, 412, text("message.changed-since", language), self._meanwhile(said))
            case Forbidden():
                raise error
            case Refused():
                lines = refusal_lines(error, language)
                notices = tuple(with_names(line, self._form.subject.state.members) for line in lines)
                return self._form.page(filled, status=422, notices=notices, step=self._step)
            case KeyReused():
                return self._sent_before(said)
            case LeafError():
                return self.again(filled, 422, verbatim("message.bad-text", language, why=error.told(language)))
            case Unavailable() | Failure():
                return self.again(filled, 503, text("message.kept-try-again", language))
        return self.again(filled, 409, text("message.kept-try-again", language))

    def _sent_before(self, said: Said) -> Response:
        """The form with a key of its own, and what was recorded meanwhile: it need be sent only once more."""
        version, form = self._form.subject.version, self._form
        begun = fresh(form.act, form.today, version, {})
        again = replace(self._filled, key=begun.key, version=begun.version if said.version is not None else "")
        meanwhile = self._meanwhile(said) if again.version else ()
        return self.again(again, 409, text("message.sent-before", self._desk.language), meanwhile)

    def _meanwhile(self, said: Said) -> tuple[str, ...]:
        return tuple(each.sentence for each in self._form.meanwhile(said))

    def recorded(self, done: Done) -> Response:
        kind, _, identity = done.receipt.stream.partition("-")
        base = f"/frameworks/{identity}" if kind == framework.name else self._form.subject.base
        return self._desk.go_to(f"{base}/done/{done.receipt.key}" + (f"?step={self._step}" if self._step else ""))
