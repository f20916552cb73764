"""The audit of a live log: every row against its own leaf, its neighbours, and what was sealed before.

One pass in order of position, in memory that grows with logs and streams and not with events. The
sealer signs nothing that has not gone through it, so that what is sealed is what verifies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

from msgspec import Struct

from cycle.catalogue import Language, verbatim
from cycle.failures import REFUSED, Failure
from cycle.proofs.rows import Save, Stored
from cycle.proofs.verify import MAX_LEAF_BYTES, Streams, Wrong, leaf_value, say

NOWHERE = -1
"""The index of what has none: a gap of which nobody can tell any more in which log it was."""

Kept = Callable[[str, int], bytes | None]
"""(log, index) -> the leaf hash that was sealed there, None where nothing is sealed yet."""


class OfLeaf(Failure):
    """What is wrong with a leaf, in the words of the verifier."""

    kind = "broken"

    def __init__(self, wrong: Wrong) -> None:
        super().__init__(wrong.code, **wrong.values)

    def told(self, language: Language) -> str:
        return say(self.cause, language, **self.values)


class Broken(Failure):
    """The first place at which a log does not hold: its log, index and position, as far as they are known."""

    kind = "broken"
    code = "tampered"
    exit_code = REFUSED

    def __init__(self, cause: str, log: str | None, index: int, position: int | None, /, **values: object) -> None:
        super().__init__(
            cause, **{name: each if isinstance(each, Failure) else str(each) for name, each in values.items()}
        )
        self.log, self.index, self.position = log, index, position

    def why(self, language: Language) -> str:
        """What is wrong, without where."""
        return super().told(language)

    def told(self, language: Language) -> str:
        where = "where" if self.log is not None and self.index != NOWHERE else "somewhere"
        return verbatim(
            f"message.broken-{where}",
            language,
            log=str(self.log),
            index=str(self.index),
            position=None if self.position is None else str(self.position),
            why=self.why(language),
        )

    def reasons(self, language: Language) -> list[dict[str, object]]:
        index = None if self.index == NOWHERE else self.index
        place = {"log": self.log, "index": index, "position": self.position}
        return [{"code": self.cause, "text": self.why(language), **place}]


class Standing(Struct, frozen=True):
    """How far an audit has come: between two saves, so that another one can go on from there."""

    position: int = 0
    recorded_at: str = ""
    sizes: dict[str, int] = {}


class Audit:
    """Looks at rows one after another, and keeps of them what those behind must fit to.

    Args:
        kept: what was sealed; a leaf that is not the sealed one does not hold.
        at: where to go on; what is below was looked at before.
        version: (stream, position) -> its version there, for streams met first above the beginning.
    """

    def __init__(
        self, kept: Kept, at: Standing | None = None, version: Callable[[str, int], int] = lambda stream, position: 0
    ) -> None:
        begin = at or Standing()
        self.position, self.recorded_at = begin.position, begin.recorded_at
        self.sizes = dict(begin.sizes)
        self._kept, self._begin, self._version = kept, begin.position, version
        self._streams: dict[str, Streams] = {}
        self._save = Save("", begin.position, begin.position)
        self._saves: Iterator[Save] = iter(())
        self._gap: Broken | None = None

    @property
    def standing(self) -> Standing:
        return Standing(self.position, self.recorded_at, dict(self.sizes))

    @property
    def is_between_saves(self) -> bool:
        return self.position == self._save.last

    @property
    def covered(self) -> int:
        """The last position that a receipt met so far speaks of."""
        return self._save.last

    def read(self, saves: Iterator[Save]) -> None:
        """Take receipts from here, those whose first position is above ``covered``."""
        self._saves = saves

    def check(self, row: Stored) -> tuple[str, bytes]:
        """The log and the leaf hash of a row that holds.

        Raises:
            Broken: it does not, or one before it is gone.
        """
        if self._gap is not None or row.position != self.position + 1:
            return self._missing(row)
        found = sha256(b"\x00" + row.leaf).digest() if type(row.leaf) is bytes else b""
        if not found or found != row.leaf_hash:
            raise self._broken("hash", str(row.log))
        event = self._event(row, found)
        log: str = event["log"]
        self._columns(row, event)
        if event["recorded_at"] < self.recorded_at:
            raise self._broken("earlier", log)
        self._receipt(event)
        self.position, self.recorded_at = row.position, event["recorded_at"]
        self.sizes[log] = self.sizes.get(log, 0) + 1
        return log, found

    def finish(self, sealed: dict[str, int], head: Callable[[], int]) -> None:
        """That nothing is missing at the end; ``head`` is the last position now, for others go on writing.

        Raises:
            Broken: a log is shorter than it was when it was sealed, or a receipt names what is not there.
        """
        for log, size in sorted(sealed.items()):
            if self.sizes.get(log, 0) < size:
                position = self._gap.position if self._gap else None
                raise Broken("shrunk", log, self.sizes.get(log, 0), position, size=size)
        if self._gap is not None:
            raise self._gap
        if not self.is_between_saves:
            raise Broken("receipt-beyond", None, NOWHERE, self.position + 1, last=self._save.last)
        beyond = next(self._saves, None)
        if beyond is not None and beyond.last > head():
            raise Broken("receipt-beyond", None, NOWHERE, self.position + 1, last=beyond.last)

    def _broken(self, cause: str, log: str, **values: object) -> Broken:
        return Broken(cause, log, self.sizes.get(log, 0), self.position + 1, **values)

    def _missing(self, row: Stored) -> tuple[str, bytes]:
        """Behind a gap, look for the log in which something is missing: the first whose indexes skip one."""
        log, index = str(row.log), row.log_index
        expected = self.sizes.get(log, 0)
        if self._gap is None:
            if type(row.position) is int and row.position <= self.position:
                raise Broken("twice", log, index if type(index) is int else expected, row.position)
            self._gap = Broken("gap", None, NOWHERE, self.position + 1)
        if index != expected:
            self._gap.log, self._gap.index = log, expected
            raise self._gap
        self.sizes[log] = expected + 1
        return log, b""

    def _event(self, row: Stored, found: bytes) -> dict[str, Any]:
        """The leaf's own words: of its form, and the one that was sealed here, and behind those of its log."""
        log = str(row.log)
        try:
            if len(row.leaf) > MAX_LEAF_BYTES:
                raise Wrong("long")
            event = leaf_value(row.leaf)
            if type(event) is dict and type(event.get("log")) is str:
                log = event["log"]
            sealed = self._kept(log, self.sizes.get(log, 0))
            if sealed is not None and sealed != found:
                raise self._broken("differs", log)
            streams = self._streams.get(log)
            if streams is None:
                streams = self._streams[log] = Streams(log)
            if self._begin and type(event) is dict and type(event.get("stream")) is str:
                self._ask(streams, event["stream"])
            streams.check(event)
        except Wrong as wrong:
            raise self._broken("leaf", log, why=OfLeaf(wrong)) from None
        assert type(event) is dict
        return event

    def _ask(self, streams: Streams, stream: str) -> None:
        if stream not in streams.versions:
            streams.versions[stream] = self._version(stream, self._begin)

    def _columns(self, row: Stored, event: dict[str, Any]) -> None:
        log = event["log"]
        for name in ("type", "schema", "stream", "version", "log"):
            given = getattr(row, name)
            if given != event[name]:
                raise self._broken("column", log, column=name, given=given, said=event[name])
        if row.log_index != self.sizes.get(log, 0):
            raise self._broken("index", log, given=row.log_index)

    def _receipt(self, event: dict[str, Any]) -> None:
        position = self.position + 1
        if position > self._save.last:
            save = next(self._saves, None)
            if save is None or save.first != position or not save.last >= position:
                raise self._broken("no-receipt", event["log"], position=position)
            self._save = save
        if self._save.key != event["causation"]:
            raise self._broken("receipt-key", event["log"], position=position)
