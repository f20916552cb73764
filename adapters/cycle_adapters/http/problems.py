"""Errors: RFC 9457 problem details for programs, a page for people, in the language asked for. Never internals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from cycle.access import EVERYWHERE, Forbidden
from cycle.aggregates.base import Finding, LogName, Refused, Role, VersionMoved
from cycle.catalogue import Language, listed, text, verbatim
from cycle.commands import BadInput
from cycle.engine import Busy, Engine
from cycle.failures import Failure
from cycle.feed import AheadOfLog
from cycle.fields import Fault
from cycle.groups.shapes import LeaseLost
from cycle.identity.failures import IdentityRefused, NotSignedIn, Wait
from cycle.leaf import LeafError
from cycle.projections.runner import NotThereYet
from cycle.proofs.audit import NOWHERE, Broken
from cycle.reading import PlaceAmbiguous, PlaceUnknown
from cycle.sealing import CannotProve, CannotSeal
from cycle.store import Conflict, KeyReused, Unavailable
from cycle.subscriptions.known import NoSubscription
from cycle.telling import reason, refusal_lines, what_helps
from cycle.vault.keys import VaultError
from cycle_adapters.http.callers import SignInNeeded
from cycle_adapters.http.encoding import JSON, PROBLEM, as_json

if TYPE_CHECKING:
    from cycle_adapters.http.pages import Pages

URN = "urn:cycle:problem:"
OF_SIGNING_IN: Mapping[str, int] = {
    "bad-form": 400,
    "wrong-credential": 403,
    "second-factor-needed": 403,
    "second-factor-to-set-up": 403,
    "bad-credential": 422,
    "provider-silent": 503,
    "no-second-factor-here": 503,
}
"""Problems that only who signs in meets."""
PROBLEMS: Mapping[str, int] = {
    **OF_SIGNING_IN,
    "bad-json": 400,
    "idempotency-key-missing": 400,
    "sign-in-needed": 401,
    "forbidden": 403,
    "out-of-scope": 403,
    "cross-origin": 403,
    "not-found": 404,
    "unknown-command": 404,
    "said-elsewhere": 404,
    "not-sealed": 404,
    "nothing-to-print": 404,
    "method-not-allowed": 405,
    "ambiguous": 409,
    "conflict": 409,
    "key-reused": 409,
    "ahead-of-log": 409,
    "lease-lost": 409,
    "version-moved": 412,
    "too-large": 413,
    "media-type": 415,
    "invalid": 422,
    "not-provable": 422,
    "refused": 422,
    "version-needed": 428,
    "too-many-requests": 429,
    "unexpected": 500,
    "damaged-log": 500,
    "unavailable": 503,
    "not-there-yet": 503,
    "no-secret-here": 503,
    "busy": 503,
}
"""Every problem with its status; its words are ``problem.<code>`` of the catalogue."""
OF_PAGES: Mapping[str, int] = {"not-a-form": 415}
"""Problems that only a page has, of which the contract says nothing."""
RETRY_SECONDS = 1
NOTHING_SEALED = ("not-sealed", "no-seals", "where")
"""Why there is no seal: none yet, or nobody seals here."""
NOT_OF_THE_SHEET = ("log-shrunk", "note-too-long")
"""Why nothing is printed where the seals are at fault, and not who asked."""
STEPS = ("/sign-in/code", "/second-factor")
"""Steps of signing in: who has come too late begins anew, and is not led back to one."""
GIVES_BACK = ("sign-in-needed", "bad-form")
"""Problems of a session: the form is as good as before, for whoever has one."""
AGAIN = "/again"
"""Ends the address at which a form is shown as it had been typed."""
NEEDS_A_SEAL = ("/second-factor", "/sign-in/code", "/api/v1/session")
"""Where the vault's key opens or seals a second factor."""


class Reason(Struct, frozen=True, omit_defaults=True):
    """One reason of a refusal. ``lift``: the roles that can change it; ``who``: accounts that hold one there."""

    code: str
    text: str
    help: str
    values: Mapping[str, str | int | tuple[str, ...]]
    lift: tuple[Role, ...]
    who: tuple[str, ...]
    article: str | None = None


class FieldError(Struct, frozen=True):
    """One field that is wrong: a JSON pointer into the body, or the name of a parameter; and what it takes."""

    field: str
    text: str


class ProblemDetails(Struct, frozen=True, omit_defaults=True):
    """What was asked, what holds, what would help; ``reference`` stands in the log of the server."""

    type: str
    title: str
    status: int
    detail: str
    reasons: tuple[Reason, ...] = ()
    errors: tuple[FieldError, ...] = ()
    version: int | None = None
    reference: str | None = None


class Stopped(Exception):  # noqa: N818
    """A request that goes no further; ``values`` fill the words of the problem."""

    def __init__(self, code: str, *, headers: Mapping[str, str] | None = None, **values: object) -> None:
        super().__init__(code)
        self.code, self.headers, self.values = code, dict(headers or {}), values
        self.errors: tuple[FieldError, ...] = ()
        self.reasons: tuple[Reason, ...] = ()
        self.version: int | None = None
        self.reference: str | None = None


def invalid(faults: list[Fault], language: Language) -> Stopped:
    """What cannot be read, field by field."""
    stopped = Stopped("invalid", fields=listed(dict.fromkeys(fault.field for fault in faults), language))
    stopped.errors = tuple(FieldError(*fault) for fault in faults)
    return stopped


def not_in_time(seconds: int) -> Stopped:
    return Stopped("too-many-requests", headers={"Retry-After": str(seconds)}, seconds=seconds)


def spoken(request: Request) -> Language:
    """The language asked for: ``lang``, else the one that ``Accept-Language`` likes better, else French."""
    asked = request.query_params.get("lang")
    if asked in ("fr", "en"):
        return "en" if asked == "en" else "fr"
    liked = {"fr": 0.0, "en": 0.0}
    for part in request.headers.get("accept-language", "").split(","):
        name, _, weight = part.strip().lower().partition(";q=")
        primary = name.partition("-")[0]
        if primary in liked:
            liked[primary] = max(liked[primary], _weight(weight))
    return "en" if liked["en"] > liked["fr"] else "fr"


def _weight(written: str) -> float:
    try:
        return float(written) if written else 1.0
    except ValueError:
        return 0.0


def stopped_by(error: Exception, request: Request) -> Stopped | None:
    """The problem that an error is; None for a mistake of ours."""
    language = spoken(request)
    match error:
        case Stopped():
            return error
        case SignInNeeded():
            return _sign_in(error, language)
        case Forbidden() if not getattr(request.state, "signed_in", True):
            return _sign_in(SignInNeeded(), language)
        case Refused():
            return _refused(error, request, language)
        case PlaceUnknown() | NoSubscription():
            return Stopped("not-found", list=_list_for(request))
        case PlaceAmbiguous():
            return Stopped("ambiguous", candidates=", ".join(error.candidates))
        case RequestValidationError():
            return invalid([_of_parameter(each, language) for each in error.errors()], language)
        case HTTPException():
            return _by_status(error, request)
        case LeafError() | BadInput():
            return invalid([Fault("/data", _why_not_kept(error, language))], language)
        case KeyReused():
            return Stopped("key-reused")
        case Busy() | Conflict():
            return Stopped("conflict")
        case NotThereYet():
            return Stopped("not-there-yet", headers={"Retry-After": str(RETRY_SECONDS)})
        case Wait():
            return not_in_time(error.seconds)
        case NotSignedIn():
            return Stopped("wrong-credential", why=sentence_of(error, language))
        case IdentityRefused():
            return Stopped("bad-credential", why=sentence_of(error, language))
        case Failure() if error.kind == "provider":
            headers = {"Retry-After": str(RETRY_SECONDS)}
            return Stopped("provider-silent", headers=headers, why=sentence_of(error, language))
        case LeaseLost():
            return Stopped("lease-lost", why=sentence_of(error, language))
        case AheadOfLog():
            return Stopped("ahead-of-log", why=sentence_of(error, language))
        case CannotSeal() if error.cause in NOTHING_SEALED:
            return Stopped("not-sealed")
        case CannotProve():
            return _not_proved(error, language)
        case Broken():
            return damaged(error)
        case Failure() if error.kind == "cannot-print" and error.cause not in NOT_OF_THE_SHEET:
            return Stopped("nothing-to-print", why=sentence_of(error, language))
        case VaultError() if request.url.path in NEEDS_A_SEAL:
            return Stopped("no-second-factor-here")
        case VaultError() if request.url.path.startswith("/api/v1/webhooks"):
            return Stopped("no-secret-here")
        case Unavailable() | SQLAlchemyError() | Failure():
            # Their own words name files, hosts and statements.
            return Stopped("unavailable", headers={"Retry-After": str(RETRY_SECONDS)})
        case _:
            return None


def _not_proved(error: CannotProve, language: Language) -> Stopped:
    stopped = Stopped("not-provable", why=sentence_of(error, language))
    fields = ("index", "size") if error.cause == "index" else ("from", "to")
    stopped.errors = tuple(FieldError(field, error.told(language)) for field in fields)
    return stopped


def damaged(broken: Broken) -> Stopped:
    """The first place at which the log does not hold, as far as it is known."""
    index = "?" if broken.index == NOWHERE else str(broken.index)
    return Stopped("damaged-log", log=broken.log or "?", index=index)


def _sign_in(needed: SignInNeeded, language: Language) -> Stopped:
    why = text(f"sign-in.{needed.cause}", language)
    return Stopped("sign-in-needed", headers={"WWW-Authenticate": "Bearer"}, why=why)


def sentence_of(failure: Failure, language: Language) -> str:
    """A failure of signing in as a page says it."""
    words = failure.told(language)
    return f"{words[:1].upper()}{words[1:]}."


def _refused(refused: Refused, request: Request, language: Language) -> Stopped:
    first = refused.findings[0].code
    # What may not be read is answered as what does not exist is.
    if first == "framework-unknown" or (isinstance(refused, Forbidden) and first == "nothing-there"):
        return Stopped("not-found", list=_list_for(request))
    code = "refused"
    if isinstance(refused, Forbidden):
        code = "forbidden"
    elif isinstance(refused, VersionMoved):
        code = "version-moved"
    stopped = Stopped(code, why=" ".join(refusal_lines(refused, language)))
    stopped.reasons = tuple(_reason(finding, request, language) for finding in refused.findings if finding.refuses)
    if isinstance(refused, VersionMoved):
        stopped.version = refused.version
        stopped.headers["ETag"] = f'"{refused.version}"'
    return stopped


def _reason(finding: Finding, request: Request, language: Language) -> Reason:
    words = reason(finding, language), what_helps(finding, language)
    return Reason(
        finding.code, *words, dict(finding.values), finding.lift, _who_lifts(finding.lift, request), finding.article
    )


def _who_lifts(roles: tuple[Role, ...], request: Request) -> tuple[str, ...]:
    """The accounts that hold one of these roles where the request is about."""
    engine: Engine = request.app.state.engine
    door, commune = engine.door, getattr(request.state, "commune", "")
    path = door.home(LogName(commune))[0] if commune else EVERYWHERE
    return tuple(dict.fromkeys(each for role in roles for each in door.now.holders(role, path, door.today())))


def _of_parameter(error: Mapping[str, object], language: Language) -> Fault:
    where = error["loc"]
    assert isinstance(where, tuple)
    # Of several values of one parameter the last part is which.
    name = next(str(part) for part in reversed(where) if isinstance(part, str))
    kinds = {
        "picture": "picture",
        "date": "day",
        "datetime": "moment",
        **{kind: kind for kind in ("position", "cursor", "tag", "event", "metric", "duration", "side", "by")},
    }
    context = error.get("ctx")
    kind = str(context.get("takes")) if isinstance(context, dict) and "takes" in context else ""
    if kind in kinds:
        return Fault(name, text(f"message.type-{kinds[kind]}", language))
    return Fault(name, text("message.type-int" if "int" in str(error["type"]) else "message.type-text", language))


def _by_status(error: HTTPException, request: Request) -> Stopped:
    if error.status_code == 405:
        allow = (error.headers or {}).get("Allow", "GET")
        return Stopped("method-not-allowed", headers={"Allow": allow}, allow=allow)
    return Stopped("not-found", list=_list_for(request))


def _why_not_kept(error: Exception, language: Language) -> str:
    if isinstance(error, LeafError):
        return verbatim("message.bad-text", language, why=error.told(language))
    return text("message.type-json", language)


LISTS: Mapping[str, str] = {
    "/api/v1/logs/": "/api/v1/communes",
    "/api/v1/policies/": "/api/v1/policies",
    "/api/v1/webhooks/": "/api/v1/webhooks",
    "/api/v1/groups/": "/api/v1/groups",
    "/api/v1/catalogue/": "/api/v1/catalogue",
    "/api/v1/subscriptions/": "/api/v1/subscriptions",
    "/catalogue/": "/catalogue",
    "/subscriptions/": "/subscriptions",
    "/api/": "/api/v1/frameworks",
}
"""Where the names stand that an address may hold, by how it begins."""


def _list_for(request: Request) -> str:
    return next((found for begin, found in LISTS.items() if request.url.path.startswith(begin)), "/")


def details(stopped: Stopped, language: Language) -> ProblemDetails:
    """A problem in words."""
    return ProblemDetails(
        URN + stopped.code,
        text(f"problem.{stopped.code}", language, "title"),
        {**PROBLEMS, **OF_PAGES}[stopped.code],
        verbatim(f"problem.{stopped.code}", language, **stopped.values),
        stopped.reasons,
        stopped.errors,
        stopped.version,
        stopped.reference,
    )


def asks_for_json(request: Request) -> bool:
    """Whether a program asks: at an address of the API, of a file of JSON, or by saying so.

    A browser that follows a link from a page to a file of the API says that it would rather see a page.
    """
    path, accepts = request.url.path, request.headers.get("accept", "").lower()
    if path.startswith("/api/") and request.method == "GET" and "text/html" in accepts:
        return False
    return path.startswith("/api/") or path.endswith(".json") or JSON in accepts


def as_problem(told: Struct, status: int) -> Response:
    """Problem details as they are sent."""
    return as_json(told, status, media=PROBLEM)


def answered(stopped: Stopped, request: Request) -> Response:
    """A problem as the one who asked can read it."""
    language = spoken(request)
    told = details(stopped, language)
    if stopped.code == "sign-in-needed" and _asks_for_a_page(request):
        return _to_sign_in(request, language)
    response = as_problem(told, told.status) if asks_for_json(request) else _as_page(told, stopped, request, language)
    response.headers.update({"Cache-Control": "no-store", "Content-Language": language, **stopped.headers})
    return response


def _as_page(told: ProblemDetails, stopped: Stopped, request: Request, language: Language) -> Response:
    """A problem as a page; what was typed into a form that a session has not got any more is given back."""
    look: Pages = request.app.state.look
    typed = getattr(request.state, "typed", None) if stopped.code in GIVES_BACK else None
    said: dict[str, Any] = {"status": told.status, "title": told.title, "detail": told.detail, "path": "/"}
    if stopped.code == "not-found":
        # The page leads to the frameworks by a link of its own.
        said["detail"] = verbatim("problem.not-found", language, list="")
    if not typed:
        return look.page("problem.html", language, **said)
    path, query = request.url.path, [pair for pair in parse_qsl(request.url.query) if pair[0] != "lang"]
    asked = f"?{urlencode(query)}" if query else ""
    return look.page(
        "kept.html",
        language,
        **said,
        kept=[(name, value) for name, values in typed.items() for value in values],
        again=f"{path.removesuffix(AGAIN)}{AGAIN}{asked}",
        nobody=stopped.code == "sign-in-needed",
    )


def _asks_for_a_page(request: Request) -> bool:
    """Whether somebody may sign in on a page, and then see this one."""
    signs_in = getattr(request.app.state, "signs_in", False)
    return signs_in and request.method in ("GET", "HEAD") and not asks_for_json(request)


def _to_sign_in(request: Request, language: Language) -> Response:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.url.path in STEPS:
        wanted = "/"
    return RedirectResponse(f"/sign-in?{urlencode({'lang': language, 'to': wanted})}", 303)


ANSWERED: tuple[type[Exception], ...] = (
    Stopped, SignInNeeded, Refused, PlaceUnknown, PlaceAmbiguous, RequestValidationError, HTTPException,
    BadInput, KeyReused, Busy, Conflict, NotThereYet, Unavailable, SQLAlchemyError, Failure,
)  # fmt: skip
"""Whatever an error of these is, somebody who asks can meet it."""


def answer_problems(app: FastAPI) -> None:
    """Let every error be answered in words."""

    def answer(request: Request, error: Exception) -> Response:
        stopped = stopped_by(error, request)
        if stopped is None:
            raise error
        return answered(stopped, request)

    for kind in ANSWERED:
        handler: Callable[[Request, Exception], Response] = answer
        app.exception_handler(kind)(handler)
