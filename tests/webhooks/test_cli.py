"""``cycle webhook``: what is said, what is shown, and how each mistake is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.run import Cli
from tests.webhooks.town import DHIS, Town


@pytest.fixture
def cli(town: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("CYCLE_ACTOR", DHIS)
    monkeypatch.setenv("CYCLE_VAULT_KEY", str(town.key))
    monkeypatch.setenv("COLUMNS", "250")
    return Cli(town.url, capsys)


def added(cli: Cli, town: Town, *more: str) -> dict[str, Any]:
    made: dict[str, Any] = cli.ok(
        "--json", "webhook", "add", town.receiver.url, "--type", "document-attached", *more
    ).json
    return made


def test_a_webhook_from_its_registration_to_its_removal(cli: Cli, town: Town) -> None:
    said = cli.ok("webhook", "add", town.receiver.url, "--type", "document-attached", "--territory", "Dioro", lang="en")
    secret = said.out.splitlines()[-1]
    assert "is not shown again" in said.out
    positions = town.happens(town.dioro, 2)
    town.happens(town.koula)
    town.rounds()
    assert town.receiver.positions == positions
    assert town.receiver.sent[0].signed_by(secret)

    [row] = cli.ok("--json", "webhook", "list").json
    identity = row["webhook"][-6:]
    assert row["territory"] == "ML/Ségou/Ségou/ML-4-01-01"
    assert row["deliveries"] == {"waiting": 0, "parked": 0, "delivered": 2, "withheld": 0}
    told = cli.ok("webhook", "list", lang="en").out
    assert f"{row['webhook']} {town.receiver.url}" in told
    assert "active · owner: dhis · territory: ML/Ségou/Ségou/ML-4-01-01 · types: document-attached" in told
    assert "0 waiting · 0 parked · 2 delivered" in told
    assert "behind by 0 events" in told
    assert "withheld" not in told

    assert "suspendu : Entretien" in cli.ok("webhook", "pause", identity, "--reason", "Entretien").out
    assert "paused" in cli.ok("webhook", "list", lang="en").out
    cli.ok("webhook", "resume", identity)
    rotated = cli.ok("--json", "webhook", "rotate", identity, "--overlap-hours", "0").json
    assert rotated["secret"] not in ("", secret)
    assert "supprimé : Fin" in cli.ok("webhook", "remove", identity, "--reason", "Fin").out
    assert cli.ok("--json", "webhook", "list").json == []
    assert cli.ok("webhook", "list").out.strip()


def test_what_was_sent_is_shown_and_sent_again(cli: Cli, town: Town) -> None:
    identity = added(cli, town)["webhook"]
    first, second, third = town.happens(town.dioro, 3)
    town.receiver.answers = lambda sent: 500 if sent.position == second else 200
    town.rounds()
    rows = cli.ok("--json", "webhook", "deliveries", identity).json
    assert [(each["position"], each["stage"]) for each in rows] == [
        (third, "waiting"), (second, "waiting"), (first, "delivered"),
    ]  # fmt: skip
    told = cli.ok("webhook", "deliveries", identity, "--stage", "waiting", lang="en").out.splitlines()
    assert "0 attempts" in told[0]
    assert "last answer" not in told[0]
    assert "1 attempt · last answer: 500" in told[1]
    assert "next on" in told[1]
    assert cli.ok("webhook", "deliveries", identity, "--stage", "parked").out.strip()

    town.receiver.answers = lambda sent: 200
    town.later(10).rounds()
    for words, expected in (
        (("replay", identity, "--event", rows[2]["event"]), [first]),
        (("replay", identity, "--after", str(first), "--up-to", str(second)), [second]),
        (("rewind", identity, "--after", str(second)), [third]),
    ):
        town.receiver.forget()
        cli.ok("webhook", *words)
        town.rounds()
        assert town.receiver.positions == expected


@pytest.mark.parametrize(
    "words",
    [(), ("--up-to", "3"), ("--after", "1"), ("--after", "1", "--stop"), ("--event", "e", "--stop")],
)
def test_a_replay_says_one_thing(cli: Cli, town: Town, words: tuple[str, ...]) -> None:
    identity = added(cli, town)["webhook"]
    ran = cli("webhook", "replay", identity, *words, lang="en")
    assert (ran.code, "--event ID, --after POSITION with --up-to" in ran.err) == (2, True)


def test_each_mistake_is_told(cli: Cli, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = added(cli, town)["webhook"]
    added(cli, town)

    def told(code: int, words: str, *arguments: str) -> None:
        ran = cli("webhook", *arguments, lang="en")
        assert (ran.code, words in ran.err) == (code, True), ran.err

    told(2, "you see no subscription xyz", "pause", "xyz", "--reason", "?")
    told(2, "several subscriptions end in", "resume", "")
    told(1, "No events are called so: plan-agred", "add", town.receiver.url, "--type", "plan-agred")
    told(2, "url", "add", "ftp://example.org/")
    told(1, "does not stand still", "resume", identity)
    told(1, "No replay is under way", "replay", identity, "--stop")
    told(2, "nothing is remembered of an event e-1", "replay", identity, "--event", "e-1")
    monkeypatch.delenv("CYCLE_WEBHOOK_NETWORKS")
    told(1, "https addresses only", "add", town.receiver.url)
    monkeypatch.delenv("CYCLE_VAULT_KEY")
    told(4, "CYCLE_VAULT_KEY", "add", "https://example.org/hook")
    told(4, "CYCLE_VAULT_KEY", "rotate", identity)
    monkeypatch.setenv("CYCLE_ACTOR", "mayor")
    told(1, "holds no role that allows this", "list")
    told(1, "holds no role that allows this", "pause", identity, "--reason", "?")


def test_a_replay_is_counted_with_dry_run_and_nothing_is_recorded(cli: Cli, town: Town) -> None:
    identity = added(cli, town)["webhook"]
    first, *_ = town.happens(town.dioro, 2)
    head = town.engine.store.head()
    told = cli.ok("webhook", "rewind", identity, "--after", str(first), "--dry-run", lang="en").out
    assert "1 event would be delivered: 0 again, 1 for the first time" in told
    assert "Of the communes: ML-4-01-01 (1)." in told
    assert "1 event that waits or was still to come would not be delivered." in told
    french = cli.ok("webhook", "replay", identity, "--after", "0", "--up-to", str(first), "--dry-run").out
    assert "1 événement serait livré" in french
    found = cli.ok("--json", "webhook", "rewind", identity, "--after", "0", "--dry-run").json
    assert (found["first"], found["types"]) == (2, [{"name": "document-attached", "events": 2}])
    assert (
        "No event would be delivered."
        in cli.ok("webhook", "rewind", identity, "--after", "9999", "--dry-run", lang="en").out
    )
    assert town.engine.store.head() == head
    ran = cli("webhook", "replay", identity, "--stop", "--dry-run", lang="en")
    assert (ran.code, "which stretch is to be counted" in ran.err) == (2, True)
