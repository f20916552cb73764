"""A worker of a group as a process of its own: takes, tells what it has in hand, and acknowledges until all is done."""

from __future__ import annotations

import sys

from cycle.subscriptions.lag import lag_of
from tests.groups.town import Town, positions


def main(url: str, group: str, member: str, ahead: str, way: str) -> None:
    """``ahead``: so many seconds its clock is ahead; ``way`` hold: it never settles what it takes first."""
    town = Town(url)
    town.later(float(ahead)).group = group
    while True:
        taken = town.lease(member, limit=3)
        if taken.lease is not None:
            print(*positions(taken), flush=True)
            if way == "hold":
                sys.stdin.read()
            town.ack(taken)
        elif lag_of(town.groups, town.own()).events == 0:
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
