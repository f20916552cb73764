"""The demo is deterministic, whole, and as canonical as everything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rfc8785 import dumps

from cycle.aggregates.framework.root import framework
from cycle.demo import LogNotEmpty, Simulated, Summary
from cycle.demo.places import sample_communes
from cycle_adapters.files.deliberations import recorded

NOT_IN_THE_STORY = {
    "policy-adopted",  # the sample has one version of its policy
}


def leaves(path: Path, seed: int, frameworks: int, cycles: int) -> tuple[list[bytes], Summary]:
    with Simulated(f"sqlite:///{path}", seed) as simulated:
        summary = simulated.tell(recorded, frameworks=frameworks, cycles=cycles)
        return [bytes(row.state) for row in simulated.engine.store.read(0, 10**6)], summary


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, _ = leaves(tmp_path / "a.db", 7, 3, 2)
    again, _ = leaves(tmp_path / "b.db", 7, 3, 2)
    other, _ = leaves(tmp_path / "c.db", 8, 3, 2)
    assert first == again
    assert first != other


def test_the_default_story_has_everything_that_goes_wrong_in_life(tmp_path: Path) -> None:
    told, summary = leaves(tmp_path / "a.db", 1, 20, 6)
    assert (summary.communes, summary.frameworks, summary.events) == (20, 20, len(told))
    types = {json.loads(leaf)["type"] for leaf in told}
    assert {event.type for event in framework.events} - types == NOT_IN_THE_STORY
    assert all(dumps(json.loads(leaf)) == leaf for leaf in told)
    assert len({json.loads(leaf)["id"] for leaf in told}) == len(told)


def test_a_log_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    leaves(tmp_path / "a.db", 1, 1, 1)
    with pytest.raises(LogNotEmpty):
        leaves(tmp_path / "a.db", 1, 1, 1)


def test_the_sample_has_the_twenty_communes_of_the_source_under_codes_of_their_own() -> None:
    communes = sample_communes()
    assert len(communes) == len({c.code for c in communes}) == len({c.name for c in communes}) == 20
    assert {c.region for c in communes} == {"Ségou", "Koulikoro"}
    known = Path(__file__).parents[3] / "shared/data/territory/communes-of-4-cercles.csv"
    names = {line.split(",")[2] for line in known.read_text("utf-8").splitlines()}
    missing = [c.name for c in communes if not {c.name, *c.aliases} & names]
    assert missing == []
