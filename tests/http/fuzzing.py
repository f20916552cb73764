"""Requests that the contract itself suggests, good and bad ones; every answer is held against the contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx2
import msgspec
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import FrameworkId
from cycle.commands import COMMANDS
from cycle.engine import Engine
from cycle.groups.known import Groups
from cycle.subscriptions.known import identity_of
from cycle.vault.keys import new_key
from cycle_adapters.http.app import make_app
from cycle_adapters.http.problems import URN, ProblemDetails
from tests.engine.path import DIORO, MET
from tests.engine.path import Path as Way
from tests.http.town import API, WIDE, Named, named, rooms

MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
OWN = [not_a_server_error, positive_data_acceptance]
"""Checks that know statuses alone: ours know the problem."""
Operation = APIOperation[Any, Any, Any, Any]
Answers = Counter[tuple[str, int]]
OF_GROUPS = "/groups"


class There(NamedTuple):
    """What there is, and chance does not find."""

    framework: FrameworkId
    group: str


@contextmanager
def a_town(url: str, folder: Path) -> Iterator[tuple[FastAPI, There]]:
    """The application over a framework whose plan is monitored and that a group is handed, with a vault."""
    new_key(folder / "vault.key")
    with Engine(url, vault_key=folder / "vault.key") as engine:
        framework = Way(engine).to(Stage.MONITORING)
        group = identity_of(Groups(engine).add("integrator", "warehouse", after=0).receipt.stream)
        yield make_app(engine, Named(engine), rooms(engine), WIDE), There(framework, group)


def operations(app: FastAPI) -> list[Operation]:
    """Every operation of the contract."""
    schema = schemathesis.openapi.from_asgi(f"{API}/openapi.json", app)
    return [found.ok() for found in schema.get_all_operations()]


def fuzz(operation: Operation, mode: GenerationMode, count: int, seed: int, there: There) -> Answers:
    """Send so many requests to one operation; returns how they were answered.

    Raises:
        Exception: an answer that the contract does not declare, or an error of the server.
    """
    answers: Answers = Counter()
    headers = named(_who(operation))

    @seeded(seed)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case) -> None:
        # Whoever asks to wait for what does not happen waits longer than the fuzzer does.
        for asked in (case.query, case.body):
            if isinstance(asked, dict):
                asked.pop("wait", None)
        if answers.total() % 4:
            # A browser says where it comes from: whoever sends a cookie and does not is refused at once.
            (case.cookies or {}).clear()
            if mode is GenerationMode.POSITIVE:
                _make_sense(case, there)
        response = case.call(headers=headers)
        answers[operation.label, response.status_code] += 1
        hold(response.status_code, response.content, mode, case.as_curl_command())
        # That something else was looked at is said before a text is held against what can be recorded.
        moved = [negative_data_rejection] if response.status_code == httpx2.codes.PRECONDITION_FAILED else []
        case.validate_response(response, excluded_checks=[*OWN, *moved], headers=headers)

    send()
    return answers


def _who(operation: Operation) -> str:
    """Somebody who may: each role has an account of its own."""
    command = COMMANDS.get(operation.path.rpartition("/")[2])
    if OF_GROUPS in operation.path:
        return "integrator"
    return command.roles[0].value if command else "auditor"


def _make_sense(case: Case, there: There) -> None:
    """What chance does not find: a framework or a group, and a day on which something may have happened."""
    if "identity" in (case.path_parameters or {}):
        case.path_parameters["identity"] = there.group if OF_GROUPS in case.path else there.framework
    if isinstance(case.body, dict) and "occurred_on" in case.body:
        case.body["occurred_on"] = MET.isoformat()
        case.body.pop("role", None)
        if "target" in case.body:
            case.body["target"] = DIORO
    for name in ("min_position", "commune", "framework"):
        (case.query or {}).pop(name, None)
    if case.path.endswith("/comparison"):
        case.query = {**(case.query or {}), "side": ["region=A", "2024-01-01..2025-01-01"]}
    if "{picture}" in case.path:
        (case.query or {}).pop("by", None)
        case.query = {**(case.query or {}), "framework": there.framework}
    if "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = uuid4().hex
    (case.headers or {}).pop("If-Match", None)


def hold(status: int, content: bytes, mode: GenerationMode, sent: str) -> None:
    """What the contract allows is read, and refused by rules alone; nothing is ever our fault.

    Raises:
        AssertionError: it was not.
    """
    if status >= 400:
        told = msgspec.json.decode(content, type=ProblemDetails)
        kind = told.type.removeprefix(URN)
        if {error.field.startswith("/data/changes") for error in told.errors} == {True}:
            # Whatever is corrected there is JSON without a declared shape, in which no text is blank.
            return
        if {error.field for error in told.errors} & {"side", "by", "framework"} and "/timings/" in sent:
            # That a period ends behind its beginning, and which picture takes groups, no contract can say.
            return
        assert kind not in ("unexpected", "unavailable"), (content, sent)
        assert mode is GenerationMode.NEGATIVE or kind not in ("invalid", "bad-json", "media-type"), (content, sent)
