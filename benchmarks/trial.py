"""Many processes under a load, each killed in turn: how soon another goes on, and that nothing is lost.

``python -m benchmarks.trial [COMMANDS A SECOND] [CLIENTS]``: the same trial as in the tests, at its whole size.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import monotonic, process_time, sleep

from tests.trials.clients import Acknowledged
from tests.trials.costs import seconds_of
from tests.trials.trial import KILLS, Trial, trial

from benchmarks.measure import line

SECONDS = 5.0
"""So long it is left in peace before each kill, and so long NATS hangs."""
CALM_SECONDS = 20.0
"""So long before the first of them: what a command costs is measured then."""


def calm(found: Trial) -> tuple[float, float]:
    """What a command costs while nobody is killed; returns from when to when that was."""
    began, had = monotonic(), len(found.load.acknowledged)
    before, own = seconds_of(found.processes), process_time()
    sleep(CALM_SECONDS)
    count, over = len(found.load.acknowledged) - had, monotonic()
    after = {name: spent - before[name] for name, spent in seconds_of(found.processes).items()}
    after |= {"subscribers, and who watches": process_time() - own}
    line("", "commands a second, nobody killed", count / (over - began), "")
    for name, spent in after.items():
        line("", f"processor for a command, {name}, ms", spent / count * 1000, "")
    line("", "in all, ms", sum(after.values()) / count * 1000, "")
    line("", f"processors busy with it, of {os.cpu_count()}", sum(after.values()) / (over - began), "")
    return began, over


def told(found: Trial, per_second: float, began: float, over: float) -> None:
    """What was measured."""
    for each in found.took:
        line("", f"{each.killed} killed: {each.what} after, s", each.seconds, "")
    done = found.load.acknowledged
    times = [each.told - each.began for each in done]
    hung = _between(done, *found.hung)
    calm = _between(done, began, over)
    line("", "commands acknowledged", len(done), "")
    line("", "of them sent more than once", sum(each.times > 1 for each in done), "")
    line("", f"commands a second, {per_second:g} wanted", len(done) / (max(e.told for e in done) - done[0].began), "")
    line("", "99 of 100 acknowledged within, ms", quantiles(times, n=100)[98] * 1000, "")
    line("", "the slowest, s", max(times), "")
    for name, some in (("before the first kill", calm), ("while NATS hung", hung)):
        line("", f"half of the commands within, {name}, ms", median(some) * 1000, "")
        line("", f"99 of 100 within, {name}, ms", quantiles(some, n=100)[98] * 1000, "")


def _between(done: list[Acknowledged], begin: float, end: float) -> list[float]:
    """How long those took that began between two moments."""
    return [each.told - each.began for each in done if begin <= each.began < end]


def main(per_second: float = 200, clients: int = 24) -> None:
    print(f"load {os.getloadavg()[0]:.1f}")
    with TemporaryDirectory(prefix="cycle-trial-") as folder, trial(Path(folder), per_second, clients) as found:
        found.load.goes_on(int(per_second))
        began, over = calm(found)
        for kill in KILLS.values():
            sleep(SECONDS)
            kill(found)
            print(kill.__name__, flush=True)
        found.ends()
        told(found, per_second, began, over)
        line("", "checkpoints of the sealer that were kept, and hold", found.checkpoints, "")
        print(f"load {os.getloadavg()[0]:.1f}; errors told by our processes: {len(found.house.errors())}")


if __name__ == "__main__":
    main(*map(float, sys.argv[1:2]), *map(int, sys.argv[2:3]))
