"""Group commit: appends that arrive together are committed together.

The caller that gets the writer takes everybody's waiting saves and writes them in one transaction;
the others find their outcome when it is their turn. No thread of its own, no waiting for company:
a lone caller commits at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock

from msgspec import Struct

from cycle.store import Append, Receipt

Outcome = Receipt | Exception
MOST_LEAVES = 5_000
"""A group stops growing here, so that nobody waits for a very large transaction."""


class _Waiting(Struct, eq=False):
    save: Append
    outcome: Outcome | None = None


class GroupCommit:
    """Turns single saves into groups. ``commit`` gives one outcome for each save, in order."""

    def __init__(self, commit: Callable[[Sequence[Append]], Sequence[Outcome]]) -> None:
        self._commit = commit
        self._writer = Lock()
        self._waiting: deque[_Waiting] = deque()

    def append(self, save: Append) -> Receipt:
        """Store one save, in whatever company.

        Raises:
            Conflict, KeyReused, Unavailable: this save's own outcome.
        """
        mine = _Waiting(save)
        self._waiting.append(mine)
        with self._writer:
            while mine.outcome is None:
                self._write(self._take())
        if isinstance(mine.outcome, Receipt):
            return mine.outcome
        raise mine.outcome

    def _write(self, group: Sequence[_Waiting]) -> None:
        try:
            outcomes = self._commit([waiting.save for waiting in group])
            for waiting, outcome in zip(group, outcomes, strict=True):
                waiting.outcome = outcome
        except BaseException as error:
            # Nobody may wait for a writer that is gone.
            for waiting in group:
                waiting.outcome = error if isinstance(error, Exception) else RuntimeError(repr(error))
            raise

    def _take(self) -> Sequence[_Waiting]:
        """What waits, in the order of arrival, and no more than one transaction should hold."""
        group = [self._waiting.popleft()]
        leaves = len(group[0].save.leaves)
        while self._waiting and leaves + len(self._waiting[0].save.leaves) <= MOST_LEAVES:
            group.append(self._waiting.popleft())
            leaves += len(group[-1].save.leaves)
        return group
