"""Logs to be sealed, the same in every run, and sealers for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random

from msgspec.structs import replace

from cycle.store import Append, LogRecorder, NewLeaf
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.sealer import Sealer
from tests.proofs.sealing import KEY
from tests.store.saves import leaf

FIRST = datetime(2026, 3, 1, 8, tzinfo=UTC)
LOGS = tuple(f"ML-4-01-0{n}" for n in range(1, 6))


class Teller:
    """Writes saves of one to three facts; now and then one save speaks to two logs."""

    def __init__(self, store: LogRecorder, seed: int = 1) -> None:
        self._store, self._chance = store, Random(seed)
        self._versions: dict[str, int] = {}
        self.number = 0

    def tell(self, saves: int) -> None:
        for _ in range(saves):
            self.number += 1
            key = f"key-{self.number}"
            logs = [self._chance.choice(LOGS)] * self._chance.choice([1, 1, 2, 3])
            if self._chance.random() < 0.1:
                logs.append(self._chance.choice(LOGS))
            leaves = tuple(self._leaf(log, key) for log in logs)
            at = FIRST + timedelta(minutes=self.number)
            self._store.append(Append(leaves, key, sha256(key.encode()).digest(), recorded_at=at))

    def _leaf(self, log: str, key: str) -> NewLeaf:
        stream = f"{log}-framework-{self._chance.randrange(3)}"
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        found = leaf(stream, version, log=log, key=key, note=f"fait {self.number}")
        # Ids as the verifier wants them.
        return _with_id(found, f"0185958b-1c00-7000-8000-{self._chance.randrange(16**12):012x}")


def _with_id(of: NewLeaf, identity: str) -> NewLeaf:
    state = of.state.replace(f'"id":"{of.id}"'.encode(), f'"id":"{identity}"'.encode())
    return replace(of, id=identity, state=state, hole=of.hole + len(identity) - len(of.id))


class Clock:
    """A clock that goes on by a second at each look."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        self.seconds += 1
        return FIRST + timedelta(days=1, seconds=self.seconds)

    def elapsed(self) -> float:
        return self.seconds


def sealer(store: LogRecorder, path: Path, clock: Clock | None = None) -> Sealer:
    return Sealer(store, Folder(path), KEY, (clock or Clock()).now)
