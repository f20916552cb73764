"""Where the truth is known: the estimator finds it, and the same trial turns the pooled curve away."""

from __future__ import annotations

from random import Random

import pytest

from tests.timings.simulating import SEEDS, Score, ours, pooled, scored, truth


@pytest.fixture(scope="module")
def true() -> float:
    return truth(Random(1))


def holds(score: Score) -> bool:
    return abs(score.error) <= 0.05 and score.covered >= 0.90


def test_frameworks_of_differing_speed_are_measured_right(true: float) -> None:
    assert holds(scored(ours, true, SEEDS))


def test_the_same_trial_rejects_one_curve_over_pooled_intervals(true: float) -> None:
    assert not holds(scored(pooled, true, SEEDS))
