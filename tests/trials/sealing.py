"""A sealer that is killed and started again, and somebody who keeps every checkpoint that it ever published."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from threading import Event

from cycle.proofs.tree import verify_consistency
from cycle.store import LogRecorder
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.live import Old, Sealed, kept_checkpoint, verify_live
from tests.trials.program import Program

LOOK_SECONDS = 0.05
SAID = re.compile(r"position ([\d,]+)")
PATIENCE_SECONDS = 60.0


class Keeping:
    """Looks at what is published as long as it runs, and keeps each note that it has not met before."""

    def __init__(self, path: Path) -> None:
        self._path, self._stopped = path, Event()
        self.notes: dict[bytes, None] = {}

    def run(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS):
            self.look()

    def stop(self) -> None:
        self._stopped.set()

    def look(self) -> None:
        published = [self._path / "registry" / "checkpoint", *self._path.glob("logs/*/checkpoint")]
        self.notes |= {each.read_bytes(): None for each in published if each.exists()}


class Sealing:
    """The seals of one house."""

    def __init__(self, program: Program, path: Path) -> None:
        self.program, self.keeping = program, Keeping(path)
        self._path = path

    def again(self, position: int) -> None:
        """Kill the sealer, whatever it is at, and start another one; wait until that has sealed so far."""
        self.program.kill()
        self.program.start()
        waited = Event()
        for _ in range(int(PATIENCE_SECONDS / LOOK_SECONDS)):
            if self._sealed >= position:
                return
            waited.wait(LOOK_SECONDS)
        raise AssertionError(f"it does not seal: {self.program.log.read_text()}")

    @property
    def _sealed(self) -> int:
        """How far it says that it has sealed."""
        said = SAID.findall(self.program.log.read_text())
        return max((int(each.replace(",", "")) for each in said), default=0)

    def holds(self, store: LogRecorder) -> int:
        """How many checkpoints were kept: each is the beginning of the next one of its log, and of what is in the log.

        Raises:
            ProofError, Broken: it is not.
        """
        self.keeping.look()
        folder = Folder(self._path)
        assert not folder.refused.exists(), folder.refused.read_text()
        kept = [old for note in self.keeping.notes if (old := kept_checkpoint(note, folder.key, (), 0))]
        by_log = defaultdict[str | None, list[Old]](list)
        for each in kept:
            by_log[each.log].append(each)
        for log, of_it in by_log.items():
            tree = folder.registry().tree if log is None else folder.tree(log)
            checkpoints = sorted((each.checkpoint for each in of_it), key=lambda found: found.size)
            for old, now in zip(checkpoints, [*checkpoints[1:], folder.checkpoint(log)], strict=True):
                assert now is not None
                proof = [] if old.size == now.size else tree.consistency(old.size, now.size)
                verify_consistency(old.size, old.root, now.size, now.root, proof)
        verify_live(store, Sealed(folder), kept)
        return len(kept)
