"""Saying commands over HTTP, and the receipts of what they did."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated, Any, cast

from fastapi import APIRouter, Header, Path, Response
from msgspec.structs import asdict, replace
from pydantic import WithJsonSchema

from cycle.access import Forbidden
from cycle.aggregates.base import By, Command, LogName, Role
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.request import ActRequested
from cycle.catalogue import Language, text
from cycle.commands import BESIDE, BY_COMMAND, COMMANDS, FOUNDING, KEY, SELF_NAMED, Said
from cycle.engine import Done, Engine
from cycle.fields import Fault
from cycle.reading import PlaceUnknown
from cycle.store import KeyReused, Receipt
from cycle_adapters.http.bodies import Body, Saying, said
from cycle_adapters.http.calling import Call, Calling
from cycle_adapters.http.declaring import PROBLEMS_OF_SAYING, Declared, answer, problems, shaped
from cycle_adapters.http.encoding import as_json
from cycle_adapters.http.parameters import NAME, Identity, Lang
from cycle_adapters.http.problems import Stopped, invalid
from cycle_adapters.http.shapes import ReceiptAnswer, RequestAnswer, SignedReceiptAnswer

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""The whole id of a framework: nothing has to be looked for."""
TAG = re.compile(r'"([0-9]{1,15})"')
KeyHeader = Annotated[
    str | None,
    # What it may be is said in words of our own, and no less in the contract.
    WithJsonSchema({"type": "string", "pattern": KEY}),
    Header(alias="Idempotency-Key", description="The command's key: sent again with it, it is done once."),
]
IfMatch = Annotated[str | None, Header(alias="If-Match", description="The version that was looked at, as its ETag.")]
Name = Annotated[str, Path(description="The name of the command.")]
SAYABLE = tuple(name for name in COMMANDS if name not in BESIDE)
"""What is said over HTTP: all but what is half of something that only its own verb does wholly."""
OF_A_FRAMEWORK = frozenset(
    name for name, command in COMMANDS.items() if BY_COMMAND[name] is framework and command not in FOUNDING
)
"""Commands that are said at the address of a framework."""
_headers = {"Location": {"description": "Where to read what it did.", "schema": {"type": "string"}}}
SAID: Declared = {
    200: answer(ReceiptAnswer, "Nothing new: what was recorded before.", _headers),
    201: answer(ReceiptAnswer, "Recorded.", _headers),
}
ASKED: Declared = {202: answer(RequestAnswer, "Asked for: another account confirms it.", _headers)}


def saying_routes() -> APIRouter:
    """Every route that records, and the receipts."""
    router = APIRouter()
    declared = {**SAID, **ASKED, **problems((*PROBLEMS_OF_SAYING, "version-needed", "unknown-command"))}
    of_a_framework, of_others = ("/frameworks/{identity}/commands/{command}", "/commands/{command}")
    router.post(of_a_framework, status_code=201, responses=declared, summary="Say a command about a framework")(
        say_of_framework
    )
    router.post(of_others, status_code=201, responses=declared, summary="Say a command about something else")(say)
    receipt = shaped(SignedReceiptAnswer, ("sign-in-needed", "forbidden", "out-of-scope", "not-found", "invalid"))
    router.get("/receipts/{key}", responses=receipt, summary="The receipt of a command")(receipt_of)
    return router


def say_of_framework(
    identity: Identity, command: Name, call: Calling, body: Body, key: KeyHeader = None, seen: IfMatch = None,
    lang: Lang = None,
) -> Response:  # fmt: skip
    call.may(known(command, of_a_framework=True))
    saying, wish = said(command, body, call.language)
    if saying.target is not None:
        raise invalid([_not_here(call.language)], call.language)
    target = identity if ID.fullmatch(identity) else call.reads("frameworks").find_framework(identity)
    state: Framework = call.engine.framework(cast("Any", target), fresh=False)
    call.request.state.commune = state.commune
    return done(call, wish, saying, target, key_in(key, call.language), version_in(seen, wish, call.language))


def say(
    command: Name, call: Calling, body: Body, key: KeyHeader = None, seen: IfMatch = None, lang: Lang = None
) -> Response:
    call.may(known(command, of_a_framework=False))
    saying, wish = said(command, body, call.language)
    names_itself = type(wish) in FOUNDING or command in SELF_NAMED
    if names_itself and saying.target is not None:
        raise invalid([_not_here(call.language)], call.language)
    if not names_itself and saying.target is None:
        needed = text("message.field-needed", call.language, "", takes=text("message.type-word", call.language))
        raise invalid([Fault("/target", needed)], call.language)
    return done(call, wish, saying, saying.target, key_in(key, call.language), version_in(seen, wish, call.language))


def known(command: str, *, of_a_framework: bool) -> str:
    """The command, where it is said at this address.

    Raises:
        Stopped: there is no such command, or it is said elsewhere.
    """
    if command not in SAYABLE:
        raise Stopped("unknown-command", near=", ".join(get_close_matches(command, SAYABLE, 3)) or "—")
    if (command in OF_A_FRAMEWORK) is not of_a_framework:
        own = "/commands/" if of_a_framework else "/frameworks/{id}/commands/"
        raise Stopped("said-elsewhere", path=f"/api/v1{own}{command}")
    return command


def _not_here(language: Language) -> Fault:
    return Fault("/target", text("message.field-not-here", language))


def key_in(header: str | None, language: Language) -> str:
    """The key of a command.

    Raises:
        Stopped: there is none, or it cannot be one.
    """
    if not header:
        raise Stopped("idempotency-key-missing")
    if not re.fullmatch(KEY, header):
        raise invalid([Fault("Idempotency-Key", text("message.type-key", language))], language)
    return header


def version_in(header: str | None, wish: Command, language: Language) -> int | None:
    """The version that the sender looked at.

    Raises:
        Stopped: none is said where one has to be, or it is no version.
    """
    if header is None:
        if wish.binds:
            raise Stopped("version-needed")
        return None
    found = TAG.fullmatch(header.strip())
    if not found:
        raise invalid([Fault("If-Match", text("message.type-tag", language))], language)
    return int(found[1])


def done(call: Call, wish: Command, saying: Saying, target: str | None, key: str, version: int | None) -> Response:
    """Carry a command out, and answer with its receipt."""
    assert call.caller is not None
    account, engine = call.caller.account, call.engine
    given = saying.role or _role(call, account, wish, target, key)
    by = By(account, given, saying.on_behalf_of)
    whole = Said(
        command=wish, by=by, on=saying.occurred_on, target=target, key=key,
        correlation=saying.correlation, late_record=saying.late_record, version=version,
    )  # fmt: skip
    try:
        found = engine.carry_out(whole)
    except KeyReused:
        # Sent again without a role, when another one has become the first that the account holds.
        before = None if saying.role else role_before(engine, account, key)
        if before in (None, given):
            raise
        found = engine.carry_out(replace(whole, by=By(account, before, saying.on_behalf_of)))
    return receipt_answer(found)


def _role(call: Call, account: str, wish: Command, target: str | None, key: str) -> Role:
    engine = call.engine
    try:
        return engine.door.role_of(account, wish, target, call.began)
    except Forbidden as forbidden:
        # Whoever has lost the right since still hears what his first sending did.
        if before := role_before(engine, account, key):
            return before
        engine.door.note(None, forbidden)
        raise


def role_before(engine: Engine, account: str, key: str) -> Role | None:
    """The role in which an account used a key before."""
    receipt = engine.store.receipt(key)
    if receipt is None:
        return None
    by = engine.fact(receipt[1].events[-1]).by
    return by.role if by.actor == account else None


def receipt_answer(found: Done) -> Response:
    """A receipt: 201 the first time, 200 where nothing new was recorded, 202 where a second person is waited for."""
    receipt = found.receipt
    kind, _, identity = receipt.stream.partition("-")
    about = f"frameworks/{identity}/history" if kind == framework.name else f"receipts/{receipt.key}"
    headers = {
        "Location": f"/api/v1/{about}",
        "Cycle-Position": str(receipt.position),
        "ETag": f'"{receipt.version}"',
        **({} if found.new else {"Idempotent-Replay": "true"}),
    }
    if receipt.events[-1].type == ActRequested.type:
        return as_json({"request": identity, **asdict(receipt)}, 202, headers)
    return as_json(receipt, 201 if found.new else 200, headers)


def receipt_of(key: Annotated[str, Path(pattern=NAME)], call: Calling, lang: Lang = None) -> Response:
    caller, engine = call.may("receipt"), call.engine
    found = engine.store.receipt(key)
    if found is None:
        raise PlaceUnknown(key)
    receipt: Receipt = found[1]
    # Whether there is such a key is told to who may read where it was used.
    engine.act(caller.account, "receipt", LogName(receipt.events[-1].log))
    signed = call.doors.rooms.seals.signed(receipt)
    return as_json({**asdict(receipt), "signed": signed or None}, headers={"Cycle-Position": str(receipt.position)})
