"""A program that writes until it is stopped, and says what was acknowledged. Run by the tests."""

from __future__ import annotations

import sys

from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from tests.store.saves import save


def main(url: str, name: str, many: int, size: int) -> None:
    store = SqlRecorder(open_database(url))
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(many):
        receipt = store.append(save(name, number * size + 1, size))
        print(receipt.position, receipt.key, flush=True)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
