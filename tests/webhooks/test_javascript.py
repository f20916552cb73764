"""The receiver of the docs in JavaScript, with the verifier of the specification, believes what is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import pytest

from tests.docs.test_webhooks import snippet
from tests.js.parties import NODE, packages
from tests.operations.processes import running, said
from tests.postgres import free_port
from tests.webhooks.town import Town


@pytest.fixture
def receiver_js(town: Town, tmp_path: Path) -> Iterator[tuple[Popen[str], str]]:
    """A receiver in Node.js and the address of it; it reads the secret from a file beside it."""
    (tmp_path / "node_modules").symlink_to(packages())
    port = free_port()
    made = town.registered(types=("document-attached",), url=f"http://127.0.0.1:{port}/hook")
    (tmp_path / "secret").write_text(made.secret)
    script = tmp_path / "receiver.mjs"
    script.write_text(snippet("javascript").replace('"secret"', repr(str(tmp_path / "secret"))), "utf-8")
    with running(str(NODE), str(script), str(port)) as process:
        assert said(process) == "listening\n"
        yield process, made.webhook


def test_it_verifies_what_is_sent(town: Town, receiver_js: tuple[Popen[str], str]) -> None:
    process, identity = receiver_js
    positions = town.happens(town.dioro, 2)
    town.rounds()
    assert [said(process).split() for _ in positions] == [
        ["org.cycle.document-attached.v1", f"{position:020}"] for position in positions
    ]
    assert town.webhooks.queue.counts(identity).delivered == 2  # type: ignore[arg-type]


def test_it_takes_nothing_that_another_secret_signs(town: Town, receiver_js: tuple[Popen[str], str]) -> None:
    _, identity = receiver_js
    town.webhooks.rotate("dhis", identity, overlap_hours=0)  # type: ignore[arg-type]
    [position] = town.happens(town.dioro)
    town.rounds()
    assert town.delivery(identity, position).answers[-1].what == "401"  # type: ignore[arg-type]
