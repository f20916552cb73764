"""Files that are not whole backups: each is refused in one line, and nothing of it is written."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cycle.demo import Simulated
from cycle.failures import Failure
from cycle_adapters.files import backup as files
from cycle_adapters.files.archive import Archive, Damaged, Newer
from cycle_adapters.files.deliberations import recorded
from cycle_adapters.files.lines import BadLine
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from tests.files.everything import everything, nobody, restore

EVENTS, RECEIPTS, MANIFEST = "events.jsonl", "receipts.jsonl", "manifest.json"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A backup of a short real history."""
    folder = tmp_path_factory.mktemp("whole")
    with Simulated(f"sqlite:///{folder / 'a.db'}", 3) as simulated:
        simulated.tell(recorded, frameworks=1, cycles=1)
        file = io.BytesIO()
        files.backup(simulated.engine.store, file, nobody)
    return file.getvalue()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, to be copied: that is quicker than to make one."""
    path = tmp_path_factory.mktemp("empty") / "empty.db"
    with closing(SqlRecorder(open_database(f"sqlite:///{path}"))):
        return path


Parts = dict[str, bytes]


def taken_apart(backup: bytes) -> Parts:
    with ZipFile(io.BytesIO(backup)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def put_together(parts: Parts) -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def changed(part: str, change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Parts], None]:
    """The lines of a part are others."""

    def change_it(parts: Parts) -> None:
        parts[part] = b"".join(line + b"\n" for line in change(parts[part].splitlines()))

    return change_it


def said(**values: object) -> Callable[[Parts], None]:
    """The manifest says something else."""

    def say_it(parts: Parts) -> None:
        manifest = json.loads(parts[MANIFEST]) | values
        text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        parts[MANIFEST] = text.encode() + b"\n"

    return say_it


def without(part: str) -> Callable[[Parts], None]:
    return lambda parts: parts.pop(part) and None


def line(number: int, old: bytes, new: bytes) -> Callable[[list[bytes]], list[bytes]]:
    return lambda ls: [*ls[: number - 1], ls[number - 1].replace(old, new, 1), *ls[number:]]


def with_a_part_more(parts: Parts) -> None:
    manifest = json.loads(parts[MANIFEST])
    said(parts=manifest["parts"] | {"vault.jsonl": manifest["parts"][EVENTS]})(parts)
    parts["vault.jsonl"] = parts[EVENTS]


SPOILT: dict[str, tuple[Callable[[Parts], None], type[Failure], str]] = {
    "a space in an event": (changed(EVENTS, line(4, b'":', b'": ')), BadLine, "events.jsonl: line 4: not the canon"),
    "an event twice": (changed(EVENTS, lambda ls: [*ls[:5], *ls[4:]]), BadLine, "events.jsonl: line 6: .* where"),
    "an event of tomorrow": (changed(EVENTS, line(4, b'"schema":1', b'"schema":9')), BadLine, "line 4.*schema 9"),
    "another day": (changed(EVENTS, line(4, b'"occurred_on":"2', b'"occurred_on":"1')), Damaged, "part events.jsonl"),
    "the last event gone": (changed(EVENTS, lambda ls: ls[:-1]), Damaged, "part events.jsonl"),
    "the last line cut": (lambda p: p.update({EVENTS: p[EVENTS][:-9]}), Damaged, "part events.jsonl"),
    "no events": (lambda p: p.update({EVENTS: b""}), Damaged, "part events.jsonl"),
    "a receipt gone": (changed(RECEIPTS, lambda ls: [*ls[:2], *ls[3:]]), BadLine, "receipts.jsonl: line 3: .*begins"),
    "the last receipt gone": (changed(RECEIPTS, lambda ls: ls[:-1]), Damaged, "part receipts.jsonl"),
    "another key": (changed(RECEIPTS, line(3, b'"key":"', b'"key":"x')), Damaged, "part receipts.jsonl"),
    "another digest": (changed(RECEIPTS, line(3, b'"digest":"', b'"digest":"00')), Damaged, "part receipts.jsonl"),
    "half a digest": (changed(RECEIPTS, line(3, b'"digest":"', b'"digest":"x')), BadLine, "line 3: not a row"),
    "a receipt of nothing": (changed(RECEIPTS, line(3, b"{", b"")), BadLine, "receipts.jsonl: line 3: not a row"),
    "a receipt cut": (lambda p: p.update({RECEIPTS: p[RECEIPTS][:-3]}), Damaged, "part receipts.jsonl"),
    "no receipts": (without(RECEIPTS), Damaged, "part receipts.jsonl"),
    "no manifest": (without(MANIFEST), Damaged, "is not a backup of cycle"),
    "another kind": (said(kind="bundle"), Damaged, "is not a backup of cycle"),
    "a manifest of nothing": (lambda p: p.update({MANIFEST: b"{}"}), Damaged, "is not a backup of cycle"),
    "a manifest with spaces": (lambda p: p.update({MANIFEST: p[MANIFEST] + b" "}), Damaged, "part manifest.json"),
    "a lower head": (said(head=3), BadLine, "receipts.jsonl: line .*ends at position .*, and the events at 3"),
    "a higher head": (said(head=100_000), Damaged, "part receipts.jsonl"),
    "a newer format": (said(format=2, parts=7), Newer, "newer release of cycle: update"),
    "a table of tomorrow": (with_a_part_more, Newer, "newer release of cycle: update"),
    "a file more": (lambda p: p.update({"notes.txt": b"?"}), Damaged, "part notes.txt"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_wrong_is_named_and_nothing_is_written(
    whole: bytes, database_url: str, tmp_path: Path, name: str
) -> None:
    spoil, kind, words = SPOILT[name]
    parts = taken_apart(whole)
    spoil(parts)
    (tmp_path / "b.zip").write_bytes(put_together(parts))
    with closing(SqlRecorder(open_database(database_url))) as store:
        with pytest.raises(kind, match=words) as caught:
            restore(store, tmp_path / "b.zip")
        for language in ("fr", "en"):
            assert "\n" not in caught.value.told(language)  # type: ignore[arg-type]
        assert "rien n'a été écrit" in caught.value.told("fr")
        assert not any(everything(store).values())
        (tmp_path / "b.zip").write_bytes(put_together(taken_apart(whole)))
        restore(store, tmp_path / "b.zip")


def comes_to_nothing_or_is_the_same(spoilt: bytes, whole: bytes, empty: Path) -> bool:
    """Is it restored? If so, it must hold what the whole one holds."""
    with TemporaryDirectory() as folder:
        path, target = Path(folder) / "b.zip", Path(folder) / "a.db"
        path.write_bytes(spoilt)
        shutil.copyfile(empty, target)
        with closing(SqlRecorder(open_database(f"sqlite:///{target}"))) as store:
            try:
                restore(store, path)
            except Failure:
                assert not any(everything(store).values())
                return False
            again = io.BytesIO()
            files.backup(store, again, nobody)
    assert again.getvalue() == whole
    return True


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 10**7), bit=st.integers(0, 7))
def test_a_flipped_bit_changes_nothing_unseen(whole: bytes, empty: Path, place: int, bit: int) -> None:
    """A few bits of an archive mean nothing, such as its dates; every other is found."""
    place %= len(whole)
    spoilt = whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :]
    comes_to_nothing_or_is_the_same(spoilt, whole, empty)


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 10**7))
def test_a_bit_of_the_contents_is_always_found(whole: bytes, empty: Path, place: int) -> None:
    place = 50 + place % (whole.rindex(b"PK\x03\x04") - 50)
    spoilt = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    # A part's header, with its name, is no longer than this.
    if not any(whole[at : at + 2] == b"PK" for at in range(max(0, place - 90), place + 1)):
        assert not comes_to_nothing_or_is_the_same(spoilt, whole, empty)


@settings(max_examples=60, deadline=None)
@given(size=st.integers(0, 10**7))
def test_a_file_that_is_cut_off_is_refused_wherever_it_ends(whole: bytes, empty: Path, size: int) -> None:
    assert not comes_to_nothing_or_is_the_same(whole[: size % len(whole)], whole, empty)


def test_a_backup_says_when_it_is_not_what_was_written(whole: bytes, tmp_path: Path) -> None:
    """As when it is read back, before it gets its name."""
    parts = taken_apart(whole)
    changed(EVENTS, line(4, b'"occurred_on":"2', b'"occurred_on":"1'))(parts)
    (tmp_path / "b.zip").write_bytes(put_together(parts))
    with Archive(tmp_path / "b.zip") as archive, pytest.raises(Damaged, match="events"):
        archive.check()
