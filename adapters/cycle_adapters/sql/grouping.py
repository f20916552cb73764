"""Group commit: appends that arrive together are committed together.

The caller that finds the writer free leads: it takes everybody's waiting saves, writes them in one
transaction and wakes the others. No thread of its own, no waiting for company: a lone caller
commits at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Condition

from cycle.store import Append, Receipt

Outcome = Receipt | Exception
MOST_LEAVES = 5_000
"""A group stops growing here, so that nobody waits for a very large transaction."""


class _Waiting:
    __slots__ = ("outcome", "save")

    def __init__(self, save: Append) -> None:
        self.save = save
        self.outcome: Outcome | None = None


class GroupCommit:
    """Turns single saves into groups. ``commit`` gives one outcome for each save, in order."""

    def __init__(self, commit: Callable[[Sequence[Append]], Sequence[Outcome]]) -> None:
        self._commit = commit
        self._changed = Condition()
        self._waiting: list[_Waiting] = []
        self._led = False

    def append(self, save: Append) -> Receipt:
        """Store one save, in whatever company.

        Raises:
            Conflict, KeyReused, Unavailable: this save's own outcome.
        """
        mine = _Waiting(save)
        with self._changed:
            self._waiting.append(mine)
            while self._led and mine.outcome is None:
                self._changed.wait()
            if mine.outcome is None:
                self._led = True
        if mine.outcome is None:
            self._lead(mine)
        outcome = mine.outcome
        if isinstance(outcome, Receipt):
            return outcome
        assert outcome is not None
        raise outcome

    def _lead(self, mine: _Waiting) -> None:
        group: list[_Waiting] = []
        try:
            while mine.outcome is None:
                with self._changed:
                    group = self._take()
                outcomes = self._commit([waiting.save for waiting in group])
                with self._changed:
                    for waiting, outcome in zip(group, outcomes, strict=True):
                        waiting.outcome = outcome
                    group = []
                    self._changed.notify_all()
        except BaseException as error:
            with self._changed:
                for waiting in group:
                    waiting.outcome = error if isinstance(error, Exception) else RuntimeError(repr(error))
            raise
        finally:
            with self._changed:
                self._led = False
                self._changed.notify_all()

    def _take(self) -> list[_Waiting]:
        leaves, taken = 0, 0
        for waiting in self._waiting:
            if taken and leaves + len(waiting.save.leaves) > MOST_LEAVES:
                break
            leaves += len(waiting.save.leaves)
            taken += 1
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return group
