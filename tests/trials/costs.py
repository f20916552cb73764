"""What a trial costs: processor time of each kind of process, of this machine's own accounts."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def seconds_of(processes: Mapping[str, Collection[int]]) -> dict[str, float]:
    """Seconds of processor that processes and all that they have started used until now, by name."""
    known = _all()
    return {name: sum(_with_children(each, known) for each in each_of) for name, each_of in processes.items()}


def _with_children(process: int, known: Mapping[int, tuple[int, float]]) -> float:
    children = [each for each, (parent, _) in known.items() if parent == process]
    return known.get(process, (0, 0.0))[1] + sum(_with_children(each, known) for each in children)


def _all() -> dict[int, tuple[int, float]]:
    """Parent and seconds of every process; those of children that are gone are their parent's."""
    found = {}
    for each in Path("/proc").iterdir():
        if each.name.isdecimal():
            with suppress(FileNotFoundError, ProcessLookupError):
                words = (each / "stat").read_text().rpartition(")")[2].split()
                found[int(each.name)] = int(words[1]), sum(map(int, words[11:15])) / TICKS
    return found
