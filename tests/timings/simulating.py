"""Frameworks of differing speed, observed for a while: how each estimator fares where the truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from statistics import median
from typing import NamedTuple

from cycle.timings.estimators import Curve, Ending, Recurrence, kaplan_meier, wang_chang

MEAN_DAYS, VARIATION, WITHIN = 150.0, 0.5, 0.2
"""The mean interval, the coefficient of variation of speeds between frameworks, and that within one."""
OBSERVED_DAYS = (200, 900)
"""Each framework has been observed for somewhere between these."""
FRAMEWORKS, REPLICATES, SEEDS = 100, 300, 200


class Score(NamedTuple):
    """What became of a median over many runs."""

    error: float
    covered: float


def interval(random: Random, speed: float) -> int:
    shape = 1 / WITHIN**2
    return max(1, round(random.gammavariate(shape, speed / shape)))


def speed(random: Random) -> float:
    shape = 1 / VARIATION**2
    return random.gammavariate(shape, MEAN_DAYS / shape)


def truth(random: Random, draws: int = 200_000) -> float:
    """The median interval of a framework."""
    return median(interval(random, speed(random)) for _ in range(draws))


def observed(random: Random, frameworks: int = FRAMEWORKS) -> Iterator[Recurrence]:
    for number in range(frameworks):
        left, closed, own = random.randint(*OBSERVED_DAYS), list[int](), speed(random)
        while (days := interval(random, own)) <= left:
            closed.append(days)
            left -= days
        yield Recurrence(str(number), tuple(closed), left)


def pooled(frameworks: list[Recurrence]) -> Curve | None:
    """One Kaplan-Meier curve over all intervals, as if each were of a framework of its own."""
    closed = [Ending(f"{each.cluster}/{n}", days, 1) for each in frameworks for n, days in enumerate(each.closed)]
    running = [Ending(each.cluster, each.running) for each in frameworks if each.running is not None]
    return kaplan_meier(closed + running)


def ours(frameworks: list[Recurrence]) -> Curve | None:
    return wang_chang(frameworks, REPLICATES)


def scored(estimator: Callable[[list[Recurrence]], Curve | None], true: float, seeds: int) -> Score:
    """The relative error of the mean median, and how often its interval holds the truth."""
    found, covered = list[float](), 0
    for seed in range(seeds):
        curve = estimator(list(observed(Random(seed))))
        assert curve is not None
        assert curve.median.days is not None
        found.append(curve.median.days)
        lower, upper = curve.median.lower, curve.median.upper
        covered += lower is not None and lower <= true and (upper is None or true <= upper)
    return Score(sum(found) / len(found) / true - 1, covered / seeds)


def closed_only(frameworks: list[Recurrence]) -> Curve | None:
    """The median of what has ended, as a spreadsheet would have it."""
    return kaplan_meier([Ending(each.cluster, days, 1) for each in frameworks for days in each.closed])


def main() -> None:
    """What each way of counting makes of the same frameworks."""
    true = truth(Random(1))
    print(f"{FRAMEWORKS} frameworks, {SEEDS} runs; the true median is {true:.0f} days")
    for name, estimator in (("closed only", closed_only), ("pooled", pooled), ("ours", ours)):
        score = scored(estimator, true, SEEDS)
        print(
            f"{name:12} {true * (1 + score.error):4.0f} days   its 95 % interval holds the truth in {score.covered:.1%}"
        )


if __name__ == "__main__":
    main()
