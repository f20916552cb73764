"""The trial of subscribers at its whole size: every kind of them, eight writers, an insert that is held open.

``python -m benchmarks.subscribers --seeds 20 --appends 200``: each seed on a new SQLite file, a new PostgreSQL
database and a new NATS. It says what each subscriber heard again, and ends with 1 where one missed an event, heard one
out of order, or heard what was never recorded. ``--first`` begins with another seed.
"""

from __future__ import annotations

import logging
import sys
from argparse import ArgumentParser
from os import environ
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from tests.nats.server import node
from tests.postgres import cluster, new_database
from tests.subscribers.kinds import KINDS
from tests.subscribers.subscriber import Outcome
from tests.subscribers.trial import trial
from tests.webhooks.receiver import receiving
from tests.webhooks.town import Town, made_key

from cycle.settings import WEBHOOK_NETWORKS


def once(url: str, folder: Path, seed: int, appends: int) -> bool:
    """One trial on a new database; whether everybody heard everything."""
    begin = perf_counter()
    with receiving() as receiver, node(folder / "nats") as nats:
        town = Town(url, made_key(folder), receiver).begun()
        try:
            found = trial(town, nats, KINDS, seed, appends)
        except AssertionError as error:
            # Something is missing, and who misses it says so.
            print(f"seed {seed}: {error}", flush=True)
            return False
        finally:
            town.close()
    say(url.partition(":")[0].partition("+")[0], seed, perf_counter() - begin, found)
    return all(each.is_whole for each in found.values())


def say(kind: str, seed: int, seconds: float, found: dict[str, Outcome]) -> None:
    events = len(next(iter(found.values())).recorded)
    wrong = [name for name, each in found.items() if not each.is_whole]
    again = ", ".join(f"{name} {each.again}" for name, each in found.items())
    print(f"{kind:10}  seed {seed:3}  {events} events in {seconds:.0f} s; again: {again}; wrong: {wrong}", flush=True)


def main(first: int, seeds: int, appends: int) -> int:
    # The receiver stands on this machine, without TLS.
    environ[WEBHOOK_NETWORKS.variable] = "127.0.0.0/8"
    failed = 0
    # What a cut or a kill has a worker say is no news here.
    logging.getLogger("cycle").setLevel(logging.CRITICAL)
    with TemporaryDirectory() as folder, cluster(Path(folder) / "postgres") as running:
        for seed in range(first, first + seeds):
            for url in (f"sqlite:///{folder}/{seed}.db", new_database(running)):
                with TemporaryDirectory() as own:
                    failed += not once(url, Path(own), seed, appends)
    print(f"{2 * seeds} trials, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--appends", type=int, default=200)
    arguments = parser.parse_args()
    sys.exit(main(arguments.first, arguments.seeds, arguments.appends))
