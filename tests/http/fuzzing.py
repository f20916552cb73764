"""Requests that the contract itself suggests, good and bad ones; every answer is held against the contract."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from cycle_adapters.http.problems import URN, ProblemDetails
from tests.http.town import API, named

MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
Answers = Counter[tuple[str, int]]


OWN = [not_a_server_error, positive_data_acceptance]
"""Checks that know statuses alone: ours know the problem."""


def hold(status: int, content: bytes, mode: GenerationMode, sent: str) -> None:
    """What the contract allows is read, and refused by rules alone; nothing is ever our fault.

    Raises:
        AssertionError: it was not.
    """
    if status >= 400:
        kind = msgspec.json.decode(content, type=ProblemDetails).type.removeprefix(URN)
        assert kind not in ("unexpected", "unavailable"), (content, sent)
        assert mode is GenerationMode.NEGATIVE or kind not in ("invalid", "bad-json", "media-type"), (content, sent)


def operations(app: FastAPI) -> list[APIOperation[Any, Any, Any]]:
    """Every operation of the contract."""
    schema = schemathesis.openapi.from_asgi(f"{API}/openapi.json", app)
    return [found.ok() for found in schema.get_all_operations()]


def fuzz(operation: APIOperation[Any, Any, Any], mode: GenerationMode, count: int, seed: int, account: str) -> Answers:
    """Send so many requests to one operation; returns how they were answered.

    Raises:
        Exception: an answer that the contract does not declare, or an error of the server.
    """
    answers: Answers = Counter()

    @seeded(seed)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case) -> None:
        response = case.call(headers=named(account))
        answers[operation.label, response.status_code] += 1
        hold(response.status_code, response.content, mode, case.as_curl_command())
        case.validate_response(response, excluded_checks=OWN, headers=named(account))

    send()
    return answers
