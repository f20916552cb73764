"""The demo is deterministic, whole, and as canonical as everything else."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import pytest
from rfc8785 import dumps

from cycle.aggregates import credentials
from cycle.aggregates.acts import DeliberationsImported, TerritoryMoved, acts
from cycle.aggregates.base import EVENTS
from cycle.aggregates.disclosure import disclosure
from cycle.aggregates.group import group
from cycle.aggregates.person import person
from cycle.aggregates.webhook import webhook
from cycle.demo import LogNotEmpty, Simulated, Summary
from cycle.demo.places import sample_communes
from cycle.demo.words import words
from cycle.engine import AGGREGATES
from cycle_adapters.files.deliberations import recorded


def leaves(path: Path, seed: int, frameworks: int, cycles: int) -> tuple[list[bytes], Summary]:
    with Simulated(f"sqlite:///{path}", seed) as simulated:
        summary = simulated.tell(recorded, frameworks=frameworks, cycles=cycles)
        return [bytes(leaf) for *_, leaf in simulated.engine.store.read(0)], summary


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[bytes], Summary]:
    """The demo as ``cycle demo`` tells it."""
    return leaves(tmp_path_factory.mktemp("demo") / "a.db", 1, 20, 6)


@pytest.fixture(scope="module")
def facts(told: tuple[list[bytes], Summary]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(leaf) for leaf in told[0]]


def test_the_same_seed_gives_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tests.demo.test_demo import digest; print(digest(*sys.argv[1:]))"
    )

    def told(name: str, seed: int, hashing: str) -> str:
        arguments = (sys.executable, "-c", program, str(tmp_path / name), str(seed))
        environment = {**os.environ, "PYTHONHASHSEED": hashing, "TZ": "Asia/Tokyo" if hashing == "2" else "UTC"}
        root = Path(__file__).parents[2]
        return subprocess.run(arguments, env=environment, cwd=root, capture_output=True, text=True, check=True).stdout

    first = told("a.db", 7, "1")
    assert first == told("b.db", 7, "2")
    assert first != told("c.db", 8, "1")


def digest(path: str, seed: str) -> str:
    """Of every leaf of a small demo, in order."""
    return hashlib.sha256(b"\n".join(leaves(Path(path), int(seed), 3, 2)[0])).hexdigest()


def test_the_default_story_has_everything_that_goes_wrong_in_life(
    told: tuple[list[bytes], Summary], facts: list[dict[str, Any]]
) -> None:
    summary = told[1]
    assert (summary.communes, summary.frameworks, summary.events) == (20, 20, len(facts))
    # What the operator does with the whole log is not part of the story of its communes; and nobody in the demo is
    # a person of flesh and blood: the vault asks for a key, and `make demo` for nothing.
    # The machines of others are no part of it either.
    told_elsewhere = (acts, person, disclosure, webhook, group)
    known = {event.type for aggregate in AGGREGATES if aggregate not in told_elsewhere for event in aggregate.events}
    known |= {DeliberationsImported.type, TerritoryMoved.type}
    # Whoever looks at the demo chooses who to be: nobody signs in.
    known -= {event.type for event in EVENTS.values() if event.__module__ == credentials.__name__}
    assert known == {fact["type"] for fact in facts}
    assert len({fact["id"] for fact in facts}) == len(facts)


def test_what_the_types_alone_do_not_tell(facts: list[dict[str, Any]]) -> None:
    seen = {(fact["type"], name, str(value)) for fact in facts for name, value in fact["data"].items()}
    outcomes = {fact["data"]["outcome"] for fact in facts if fact["type"] == "council-deliberated"}
    assert outcomes == {"adopted", "rejected", "deferred"}
    assert ("plan-not-agreed", "deadlock", "True") in seen
    assert ("meeting-convened", "call", "2") in seen
    assert {str(n) for n in (1, 2, 3)} <= {value for kind, name, value in seen if name == "severity"}
    for field, values in {
        "reason": {"no-quorum", "time", "security"},
        "kind": {"mid-term", "end", "overdue", "needs", "action", "plan", "contribution"},
        "nature": {"cash", "in-kind", "labour", "land"},
        "ledger": {"action", "approach"},
        "mode": {"consensus", "vote"},
    }.items():
        assert values <= {value for _, name, value in seen if name == field}, field
    corrected = {c["field"] for f in facts if f["type"] == "fact-corrected" for c in f["data"]["changes"]}
    assert corrected == {"worth", "attendance", "occurred_on"}
    assert any(fact["data"].get("continues") for fact in facts if fact["type"] == "action-proposed")
    assert any(fact["data"].get("objections") for fact in facts if fact["type"] == "minutes-approved")


def test_land_is_promised_by_those_who_have_it(facts: list[dict[str, Any]]) -> None:
    members = {(f["stream"], f["data"]["member"]): f["data"] for f in facts if f["type"] == "member-admitted"}
    pledges = [f for f in facts if f["type"] == "contribution-pledged" and f["data"]["nature"] == "land"]
    givers = {members[f["stream"], f["data"]["member"]]["constituency"] for f in pledges}
    assert givers == {"municipality", "professional-organisation"}


def test_every_leaf_is_what_an_independent_implementation_of_rfc_8785_writes(
    told: tuple[list[bytes], Summary], facts: list[dict[str, Any]]
) -> None:
    assert [dumps(fact) for fact in facts] == told[0]


def test_frameworks_that_live_on_turn_six_times_and_none_ends_in_the_future(facts: list[dict[str, Any]]) -> None:
    closed = Counter(fact["stream"] for fact in facts if fact["type"] == "cycle-closed")
    dissolved = {fact["stream"] for fact in facts if fact["type"] == "framework-dissolved"}
    assert len(closed) == 20
    assert {closed[stream] for stream in closed if stream not in dissolved} == {6}
    assert {closed[stream] for stream in dissolved} == {3}
    assert max(fact["recorded_at"] for fact in facts) < "2026-11"


def test_what_happens_is_recorded_after_it_happened_mostly_soon_sometimes_weeks_later(
    facts: list[dict[str, Any]],
) -> None:
    moments = [fact["recorded_at"] for fact in facts]
    assert moments == sorted(moments)
    lags = sorted(
        (date.fromisoformat(fact["recorded_at"][:10]) - date.fromisoformat(fact["occurred_on"])).days for fact in facts
    )
    assert lags[0] == 0
    assert median(lags) <= 5
    assert 0.005 < sum(lag > 30 for lag in lags) / len(lags) < 0.1


def test_a_log_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    leaves(tmp_path / "a.db", 1, 1, 1)
    with pytest.raises(LogNotEmpty):
        leaves(tmp_path / "a.db", 1, 1, 1)


def test_the_sample_has_the_twenty_communes_of_the_source_under_codes_of_their_own() -> None:
    communes = sample_communes()
    assert len(communes) == len({c.code for c in communes}) == len({c.name for c in communes}) == 20
    assert {c.region for c in communes} == {"Ségou", "Koulikoro"}
    assert all(2 <= len(c.sectors) <= 3 and set(c.sectors) <= set(words().trades) for c in communes)
    aliases = {c.name: c.aliases for c in communes if c.aliases}
    assert aliases == {
        "Boky-Wèrè": ("Bokywere",),
        "Kokry": ("Kokry centre",),
        "Sirakorala": ("Sirakorola",),
        "Togouni": ("Tougouni",),
        "Dialakoroba": ("Dialakoraba",),
    }
