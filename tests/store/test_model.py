"""Whatever is saved in whatever order, the store agrees with a plain list."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cycle.aggregates.base import LogName, StreamId
from cycle.leaf import leaf_hash
from cycle.store import Append, Conflict, KeyReused, Receipt
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from tests.store.saves import leaf

STREAMS = {"s": "ML-4-01-01", "t": "ML-4-01-01", "u": "platform"}


class Store(RuleBasedStateMachine):
    @initialize()
    def new(self) -> None:
        self.folder = TemporaryDirectory()
        self.store = SqlRecorder(open_database(f"sqlite:///{Path(self.folder.name) / 'a.db'}"))
        self.model: list[tuple[str, int]] = []
        self.receipts: dict[str, tuple[bytes, Receipt]] = {}

    def version(self, stream: str) -> int:
        return sum(1 for s, _ in self.model if s == stream)

    @rule(
        stream=st.sampled_from(list(STREAMS)),
        many=st.integers(1, 4),
        off=st.sampled_from((0, 0, 0, 1, -1)),
        key=st.sampled_from("abcdef"),
        digest=st.sampled_from((b"1", b"2")),
    )
    def append(self, stream: str, many: int, off: int, key: str, digest: bytes) -> None:
        first = self.version(stream) + 1 + off
        leaves = tuple(leaf(stream, first + n, log=STREAMS[stream]) for n in range(many))
        try:
            receipt = self.store.append(Append(leaves, key, digest))
        except KeyReused:
            assert self.receipts[key][0] != digest
        except Conflict:
            assert off
            assert key not in self.receipts
        else:
            if key in self.receipts:
                assert self.receipts[key] == (digest, receipt)
                return
            assert off == 0
            self.receipts[key] = digest, receipt
            self.model += [(stream, first + n) for n in range(many)]

    @rule(after=st.integers(0, 12), limit=st.integers(1, 8), up_to=st.none() | st.integers(0, 12))
    def read(self, after: int, limit: int, up_to: int | None) -> None:
        wanted = [p for p in range(1, len(self.model) + 1) if p > after and (up_to is None or p <= up_to)]
        assert [position for position, *_ in self.store.read(after, limit, up_to=up_to)] == wanted[:limit]

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "store"):
            return
        assert self.store.head().position == len(self.model)
        for log in set(STREAMS.values()):
            assert self.store.log_size(LogName(log)) == sum(1 for s, _ in self.model if STREAMS[s] == log)
        for stream in STREAMS:
            stored = self.store.read_stream(StreamId(stream))
            assert [s.originator_version for s in stored] == list(range(1, self.version(stream) + 1))
        for _, receipt in self.receipts.values():
            for line in receipt.events:
                assert self.model[line.position - 1] == (line.stream, line.version)
                assert leaf_hash(bytes(next(self.store.read(line.position - 1, 1))[3])).hex() == line.leaf

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()


TestStore = Store.TestCase
TestStore.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
