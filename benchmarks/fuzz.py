"""Five thousand requests that the contract suggests, good and bad: no error of the server, no undocumented answer."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time_ns

from tests.http.fuzzing import MODES, Answers, a_town, fuzz, operations

REQUESTS = 5_000


def main(seed: int) -> int:
    answers, failed = Answers(), 0
    with TemporaryDirectory() as folder, a_town(f"sqlite:///{folder}/cycle.db", Path(folder)) as (app, there):
        found = operations(app)
        count = REQUESTS // (len(found) * len(MODES)) + 1
        while answers.total() < REQUESTS:
            for operation in found:
                for mode in MODES:
                    try:
                        answers += fuzz(operation, mode, count, seed, there)
                    except (Exception, BaseExceptionGroup) as error:
                        failed += 1
                        print(f"{operation.label} {mode}: {error}", flush=True)
            seed += 1
    statuses = Counter[int]()
    for (_, status), times in answers.items():
        statuses[status] += times
    print(f"seed {seed}: {answers.total()} requests to {len(found)} operations, {failed} wrong; {dict(statuses)}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else time_ns() % 1_000_000))
