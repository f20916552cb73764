"""The rules, for everybody: which policies are published, and what each says."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from msgspec import Struct

from cycle.aggregates.rulebook import PolicyPublished
from cycle.policy import Policy, Words
from cycle.reading import PlaceUnknown
from cycle_adapters.http.answering import matches
from cycle_adapters.http.calling import Calling
from cycle_adapters.http.declaring import shaped
from cycle_adapters.http.encoding import as_json
from cycle_adapters.http.parameters import NAME, Lang, Position

PUBLIC: dict[str, Any] = {"security": []}
# A token that does not hold is told, here as everywhere.
PROBLEMS_OF_POLICIES = ("sign-in-needed", "not-found", "invalid")


class PolicyLine(Struct, frozen=True):
    """A published version. ``digest``: SHA-256 (hex) of the document as RFC 8785 writes it."""

    policy: str
    version: int
    digest: str
    title: Words


class PolicyList(Struct, frozen=True):
    """Every version of every policy, in the order in which they were published."""

    items: tuple[PolicyLine, ...]


class PolicyAnswer(PolicyLine, frozen=True, kw_only=True):
    """One version, with the whole document; ``newest`` says which is the newest one."""

    newest: int
    document: Policy


def policy_routes() -> APIRouter:
    """Both routes."""
    router = APIRouter()
    every = shaped(PolicyList, ("sign-in-needed", "invalid"), unchanged=True)
    router.get("/policies", responses=every, summary="The policies that are published", openapi_extra=PUBLIC)(policies)
    one = shaped(PolicyAnswer, PROBLEMS_OF_POLICIES, unchanged=True)
    router.get("/policies/{policy}", responses=one, summary="One policy", openapi_extra=PUBLIC)(policy_alone)
    return router


def policies(call: Calling, lang: Lang = None) -> Response:
    found = [line(each) for each in call.engine.published()]
    return tagged(call, PolicyList(tuple(found)), f"{len(found)}")


def policy_alone(
    policy: Annotated[str, Path(pattern=NAME)],
    call: Calling,
    version: Annotated[Position | None, Query(description="The newest when left out.")] = None,
    lang: Lang = None,
) -> Response:
    own = {each.policy_version: each for each in call.engine.published() if each.policy == policy}
    newest = max(own, default=0)
    fact = own.get(newest if version is None else version)
    if fact is None:
        raise PlaceUnknown(policy)
    found = PolicyAnswer(fact.policy, fact.policy_version, fact.policy_digest, fact.document.title,
                         newest=newest, document=fact.document)  # fmt: skip
    return tagged(call, found, f"{fact.policy_digest}-{newest}")


def line(fact: PolicyPublished) -> PolicyLine:
    return PolicyLine(fact.policy, fact.policy_version, fact.policy_digest, fact.document.title)


def tagged(call: Calling, value: Struct, version: str) -> Response:
    """Policies are only ever added: how many there are, or which it is, says all."""
    headers = {"Cache-Control": "no-cache", "ETag": f'"{version}"'}
    if matches(call.request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(None, 304, headers)
    return as_json(value, headers=headers)
