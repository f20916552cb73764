"""``cycle group``: what is said, what is shown, and how each mistake is told."""

from __future__ import annotations

import pytest

from tests.cli.run import Cli
from tests.groups.town import Town, number, positions
from tests.webhooks.town import DHIS


@pytest.fixture
def cli(town: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("CYCLE_ACTOR", DHIS)
    monkeypatch.setenv("COLUMNS", "250")
    return Cli(town.url, capsys)


def added(cli: Cli, town: Town, *more: str) -> str:
    made = cli.ok("--json", "group", "add", "entrepôt", "--type", "document-attached", *more).json
    town.group = made["group"]
    return town.group


def test_a_group_from_its_registration_to_its_removal(cli: Cli, town: Town) -> None:
    assert "The consumer group" in cli.ok("group", "add", "other", lang="en").out
    identity = added(cli, town, "--territory", "Dioro")
    town.happens(town.dioro, 2)
    town.happens(town.koula)
    taken = town.lease("worker-1", limit=1, seconds=3_600)
    _, row = cli.ok("--json", "group", "list").json
    assert (row["territory"], row["lag"]["events"], row["leased"]) == ("ML/Ségou/Ségou/ML-4-01-01", 2, 1)
    told = cli.ok("group", "list", lang="en").out
    assert f"{identity} entrepôt" in told
    assert "active · owner: dhis · territory: ML/Ségou/Ségou/ML-4-01-01 · types: document-attached" in told
    assert "2 waiting, 1 of them with workers · 0 parked · 0 acknowledged" in told
    assert "behind by 2 events" in told
    assert "worker-1 holds 1 event until" in told
    assert f"(lease {number(taken)})" in told
    town.ack(taken)
    assert "suspendu : Entretien" in cli.ok("group", "pause", identity[-6:], "--reason", "Entretien").out
    assert town.lease().lease is None
    cli.ok("group", "resume", identity)
    assert town.lease().lease is not None
    assert "supprimé : Fin" in cli.ok("group", "remove", identity, "--reason", "Fin").out
    assert len(cli.ok("--json", "group", "list").json) == 1


def test_what_became_of_events_is_shown_and_they_are_handed_out_again(cli: Cli, town: Town) -> None:
    identity = added(cli, town)
    first, second, third = town.happens(town.dioro, 3)
    town.ack(town.lease())
    rows = cli.ok("--json", "group", "deliveries", identity).json
    assert [(each["position"], each["stage"]) for each in rows] == [
        (third, "delivered"), (second, "delivered"), (first, "delivered"),
    ]  # fmt: skip
    told = cli.ok("group", "deliveries", identity, "--limit", "1", lang="en").out
    assert "delivered · 1 attempt · last answer: ack: one" in told
    for words, expected in (
        (("replay", identity, "--event", rows[2]["event"]), [first]),
        (("replay", identity, "--after", str(first), "--up-to", str(second)), [second]),
        (("rewind", identity, "--after", str(second)), [third]),
    ):
        cli.ok("group", *words)
        taken = town.lease()
        assert positions(taken) == expected
        town.ack(taken)


@pytest.mark.parametrize(
    "words",
    [(), ("--up-to", "3"), ("--after", "1"), ("--after", "1", "--stop"), ("--event", "e", "--stop")],
)
def test_a_replay_says_one_thing(cli: Cli, town: Town, words: tuple[str, ...]) -> None:
    ran = cli("group", "replay", added(cli, town), *words, lang="en")
    assert (ran.code, "--event ID, --after POSITION with --up-to" in ran.err) == (2, True)


def test_each_mistake_is_told(cli: Cli, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = added(cli, town)

    def told(code: int, words: str, *arguments: str) -> None:
        ran = cli("group", *arguments, lang="en")
        assert (ran.code, words in ran.err) == (code, True), ran.err

    told(2, "you see no subscription xyz", "pause", "xyz", "--reason", "?")
    told(1, "No events are called so: plan-agred", "add", "w", "--type", "plan-agred")
    told(1, "does not stand still", "resume", identity)
    told(1, "No replay is under way", "replay", identity, "--stop")
    told(2, "nothing is remembered of an event e-1", "replay", identity, "--event", "e-1")
    monkeypatch.setenv("CYCLE_ACTOR", "mayor")
    told(1, "holds no role that allows this", "list")
    told(1, "holds no role that allows this", "add", "w")
