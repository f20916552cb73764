"""Several processes take from one group at once, and are killed: nothing is with two of them, nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from cycle.subscriptions.lag import lag_of
from tests.groups.town import SECONDS, Town

ROOT = Path(__file__).parents[2]


def consumer(town: Town, member: str, ahead: int = 0, way: str = "settle") -> subprocess.Popen[str]:
    command = (sys.executable, "-m", "tests.groups.consumer", town.url, town.group, member, str(ahead), way)
    return subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def told(process: subprocess.Popen[str]) -> list[int]:
    """What it had in hand."""
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return [int(position) for position in out.split()]


def everything(town: Town) -> list[int]:
    return list(range(1, town.engine.store.head().position + 1))


def test_what_processes_take_at_once_each_has_once(town: Town) -> None:
    town.made(types=(), after=0)
    town.happens(town.dioro, 10)
    wanted = everything(town)
    running = [consumer(town, name) for name in ("one", "two", "three")]
    handled = [told(each) for each in running]
    assert sorted(position for each in handled for position in each) == wanted
    assert lag_of(town.groups, town.own()).events == 0


def test_what_one_had_in_hand_when_it_was_killed_comes_to_another(town: Town) -> None:
    town.made(types=(), after=0)
    wanted = everything(town)
    killed = consumer(town, "one", way="hold")
    assert killed.stdout is not None
    held = [int(position) for position in killed.stdout.readline().split()]
    killed.kill()
    killed.communicate()
    assert len(held) == 3
    others = Counter(told(consumer(town, "two", ahead=SECONDS + 1)))
    assert sorted(others) == wanted
    assert set(others.values()) == {1}
