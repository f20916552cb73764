"""What comes of a form that was sent, as JSON: for the script of our pages, which keeps forms until there is a line."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Response
from msgspec import Struct
from msgspec.structs import replace

from cycle.access import Forbidden
from cycle.aggregates.base import VersionMoved
from cycle.aggregates.framework.root import framework
from cycle.aggregates.terms import FrameworkId
from cycle.catalogue import listed, text, verbatim
from cycle.commands import Said
from cycle.engine import Busy, Done, stream_of
from cycle.forms.typed import Posted, as_sent
from cycle.leaf import LeafError
from cycle.store import Conflict
from cycle.telling import with_names
from cycle_adapters.http.encoding import as_json
from cycle_adapters.http.pages_desk import Desk
from cycle_adapters.http.pages_form import Form, Sent
from cycle_adapters.http.pages_recorded import Meanwhile, sentences
from cycle_adapters.http.problems import RETRY_SECONDS, Reason, Stopped, as_problem, details, stopped_by


class RecordedAnswer(Struct, frozen=True):
    """What a form has led to. ``version`` is that of the framework after it, ``done`` the page that says so."""

    key: str
    framework: str
    version: int
    position: int
    sentences: list[str]
    done: str


class InputError(Struct, frozen=True):
    """One input that is wrong, by its name in the form."""

    name: str
    label: str
    text: str


class FormProblem(Struct, frozen=True, omit_defaults=True):
    """Problem details (RFC 9457) of a form. ``since`` is what was recorded after the version that was looked at."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[InputError, ...] = ()
    reasons: tuple[Reason, ...] = ()
    version: int | None = None
    since: tuple[Meanwhile, ...] = ()


class InJson:
    """For a script: what a page would have said, field by field."""

    def __init__(self, desk: Desk, form: Form, filled: Sent, posted: Posted) -> None:
        self._desk, self._form, self._filled, self._posted = desk, form, filled, posted

    def wrong(self, errors: Mapping[str, str]) -> Response:
        told = self._form.labelled(self._form.laid_out(self._filled, errors), errors)
        found = tuple(InputError(as_sent(self._form.act.inputs, self._posted, n), label, why) for n, label, why in told)
        names = listed(dict.fromkeys(each.label for each in found), self._desk.language)
        return self._problem(Stopped("invalid", fields=names), errors=found)

    def unchecked(self) -> Response:
        title, why = (text(f"message.{key}", self._desk.language) for key in ("check-title", "binds-note"))
        return self._refused("check-first", why, title)

    def not_recorded(self, said: Said, error: Exception) -> Response:
        match error:
            case LeafError():
                why = verbatim("message.bad-text", self._desk.language, why=error.told(self._desk.language))
                return self._refused("bad-text", why)
            case Busy() | Conflict():
                # As with a store that is silent: the same form, sent again in a moment, is recorded.
                return self._problem(Stopped("unavailable", headers={"Retry-After": str(RETRY_SECONDS)}))
        stopped = stopped_by(error, self._desk.call.request)
        if stopped is None or isinstance(error, Forbidden):
            raise error
        return self._problem(stopped, since=self._form.meanwhile(said) if isinstance(error, VersionMoved) else ())

    def recorded(self, done: Done) -> Response:
        receipt = done.receipt
        # A framework that has just been proposed is read, too.
        self._desk.reader.catch_up()
        kind, _, identity = receipt.stream.partition("-")
        found = FrameworkId(identity) if kind == framework.name else self._form.subject.state.id
        answer = RecordedAnswer(
            # Where it led to nothing new, the receipt is that of an earlier one.
            self._filled.key,
            found,
            # That of the moment, so that the same key is answered alike for ever.
            self._desk.engine.store.version_at(stream_of(framework, found), receipt.position),
            receipt.position,
            sentences(self._desk, found, receipt),
            f"/frameworks/{found}/done/{receipt.key}",
        )
        return as_json(answer, 201 if done.new else 200)

    def _refused(self, code: str, why: str, helps: str = "") -> Response:
        stopped = Stopped("refused", why=why)
        stopped.reasons = (Reason(code, why, helps, {}, (), ()),)
        return self._problem(stopped)

    def _problem(
        self, stopped: Stopped, errors: tuple[InputError, ...] = (), since: tuple[Meanwhile, ...] = ()
    ) -> Response:
        told, members = details(stopped, self._desk.language), self._form.subject.state.members
        reasons = tuple(
            replace(each, text=with_names(each.text, members), help=with_names(each.help, members))
            for each in told.reasons
        )
        detail = with_names(told.detail, members)
        problem = FormProblem(told.type, told.title, told.status, detail, errors, reasons, told.version, since)
        response = as_problem(problem, told.status)
        response.headers.update({"Cache-Control": "no-store", **stopped.headers})
        return response
