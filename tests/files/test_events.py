"""A log as a file, byte for byte; the first line that cannot be part of it is named."""

from __future__ import annotations

import io
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cycle.aggregates.base import LogName
from cycle.demo import Simulated
from cycle.engine import Engine
from cycle.store import Conflict
from cycle_adapters.files.deliberations import recorded
from cycle_adapters.files.events import export, import_
from cycle_adapters.files.lines import BadLine, checked
from cycle_adapters.whole import NotWritten
from tests.engine.test_engine import begun, said


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A short real history as a file."""
    folder = tmp_path_factory.mktemp("log")
    with Simulated(f"sqlite:///{folder / 'a.db'}", 3) as simulated:
        simulated.tell(recorded, frameworks=2, cycles=1)
        file = io.BytesIO()
        export(simulated.engine, file)
    return file.getvalue()


def test_out_and_in_again_is_the_same_to_the_byte(log: bytes, engine: Engine) -> None:
    seen: list[int] = []
    count = import_(engine, io.BytesIO(log), seen.append)
    assert count == log.count(b"\n") == seen[-1] == engine.store.head().position
    file = io.BytesIO()
    assert export(engine, file) == count
    assert file.getvalue() == log


def test_a_key_that_came_with_a_log_is_done_already(engine: Engine, sqlite_url: str, tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path / 'other.db'}") as other:
        identity = begun(other)
        command = said(_suspend(), identity, key="phone-7")
        receipt = other.execute(command)
        file = io.BytesIO()
        export(other, file)
    import_(engine, io.BytesIO(file.getvalue()), lambda done: None)
    assert engine.execute(command) == receipt


def _suspend():  # type: ignore[no-untyped-def]
    from cycle.aggregates.framework.anytime import Suspend

    return Suspend(reason="insécurité")


def test_a_log_goes_into_an_empty_database_only(log: bytes, engine: Engine) -> None:
    import_(engine, io.BytesIO(log), lambda done: None)
    with pytest.raises(Conflict, match="not empty"):
        import_(engine, io.BytesIO(log), lambda done: None)


def swapped(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], lines[4], lines[3], *lines[5:]]


BAD = {
    "a space more": (lambda ls: [*ls[:4], ls[4].replace(b'":', b'": ', 1), *ls[5:]], 5, "canonical"),
    "a line twice": (lambda ls: [*ls[:5], ls[4], *ls[5:]], 6, "version|comes twice"),
    "an unknown type": (lambda ls: [*ls[:4], _retyped(ls[4]), *ls[5:]], 5, "not known to this release"),
    "a newer schema": (lambda ls: [*ls[:4], ls[4].replace(b'"schema":1', b'"schema":9'), *ls[5:]], 5, "schema 9"),
    "carriage returns": (lambda ls: [line + b"\r" for line in ls], 1, "canonical"),
    "an empty line": (lambda ls: [*ls[:4], b"", *ls[4:]], 5, "not JSON"),
    "a byte order mark": (lambda ls: [b"\xef\xbb\xbf" + ls[0], *ls[1:]], 1, "not JSON"),
    "an older time": (
        lambda ls: [*ls[:9], ls[9].replace(b'"recorded_at":"2023', b'"recorded_at":"2022'), *ls[10:]],
        10,
        "recorded before",
    ),
    "a missing field": (
        lambda ls: [*ls[:4], ls[4].replace(b'"role":"auditor"', b'"rule":"auditor"'), *ls[5:]],
        5,
        "canonical|the field “role” is missing|no field “rule”",
    ),
}


def _retyped(line: bytes) -> bytes:
    head, _, tail = line.rpartition(b'"type":"')
    return head + b'"type":"zzz' + tail[tail.index(b'"') :]


@pytest.mark.parametrize("name", BAD)
def test_the_first_bad_line_is_named_and_nothing_is_imported(log: bytes, engine: Engine, name: str) -> None:
    spoil, line, words = BAD[name]
    spoilt = b"\n".join(spoil(log.splitlines())) + b"\n"
    with pytest.raises(BadLine, match=words) as caught:
        import_(engine, io.BytesIO(spoilt), lambda done: None)
    assert caught.value.line == line
    assert caught.value.told("fr").startswith(f"ligne {line}\u00a0: ")
    assert caught.value.told("fr").endswith("\u202f; rien n'a été écrit")
    assert engine.store.head().position == 0


def test_a_log_that_is_cut_off_is_refused(log: bytes, engine: Engine) -> None:
    with pytest.raises(BadLine, match="is cut off"):
        import_(engine, io.BytesIO(log[:-5]), lambda done: None)
    with pytest.raises(BadLine, match="longer than 65535 bytes"):
        import_(engine, io.BytesIO(b"x" * 70_000 + b"\n"), lambda done: None)
    assert engine.store.head().position == 0


def test_an_export_appears_whole_or_not_at_all(log: bytes, engine: Engine, tmp_path: Path) -> None:
    import_(engine, io.BytesIO(log), lambda done: None)
    path = tmp_path / "log.jsonl"
    export(engine, path)
    assert path.read_bytes() == log
    engine.store.read = _failing  # type: ignore[method-assign]
    with pytest.raises(NotWritten, match="gone"):
        export(engine, path)
    assert path.read_bytes() == log
    assert list(tmp_path.glob(".*")) == []


def _failing(*_: object, **__: object) -> None:
    raise OSError("gone")


def test_a_pipe_is_written_to_and_stays_a_pipe(log: bytes, sqlite_url: str, tmp_path: Path) -> None:
    """It used to be replaced by a file of the same name."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with Engine(sqlite_url) as engine, ThreadPoolExecutor() as reader:
        import_(engine, io.BytesIO(log), lambda done: None)
        read = reader.submit(pipe.read_bytes)
        export(engine, pipe)
        assert read.result() == log
    assert pipe.is_fifo()


def test_a_full_device_is_told_and_stays_a_device(log: bytes, sqlite_url: str, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    with Engine(sqlite_url) as engine:
        import_(engine, io.BytesIO(log), lambda done: None)
        with pytest.raises(NotWritten, match="the disk is full") as caught:
            export(engine, full)
    assert caught.value.told("fr").startswith(f"{full}\u00a0: le disque est plein")
    assert full.is_char_device()


@pytest.mark.parametrize(
    ("place", "words"), [("nowhere/log.jsonl", "there is no such folder"), (".", "this is a folder: name a file in it")]
)
def test_a_place_that_cannot_be_written_is_told(sqlite_url: str, tmp_path: Path, place: str, words: str) -> None:
    with Engine(sqlite_url) as engine, pytest.raises(NotWritten, match=words):
        export(engine, tmp_path / place)


def test_an_export_through_a_link_leaves_the_link(log: bytes, sqlite_url: str, tmp_path: Path) -> None:
    link = tmp_path / "link.jsonl"
    link.symlink_to(tmp_path / "real.jsonl")
    with Engine(sqlite_url) as engine:
        import_(engine, io.BytesIO(log), lambda done: None)
        export(engine, link)
    assert link.is_symlink()
    assert (tmp_path / "real.jsonl").read_bytes() == log


def test_the_log_of_one_commune_is_not_taken_for_a_whole_one(log: bytes, engine: Engine, tmp_path: Path) -> None:
    """Its lines would get the positions 1 to n, which are not theirs."""
    with Engine(f"sqlite:///{tmp_path / 'whole.db'}") as whole:
        import_(whole, io.BytesIO(log), lambda done: None)
        logs = {_log(line) for line in log.splitlines() if b'"type":"framework-proposed"' in line}
        for name in logs:
            file = io.BytesIO()
            export(whole, file, LogName(name))
            with pytest.raises(BadLine, match=r"needs the policy wocat-pact, version 1.*one commune's") as caught:
                import_(engine, io.BytesIO(file.getvalue()), lambda done: None)
            assert b'"type":"framework-proposed"' in file.getvalue().splitlines()[caught.value.line - 1]
            assert "Importez le journal entier" in caught.value.told("fr")
    assert logs
    assert engine.store.head().position == 0


def _log(line: bytes) -> str:
    return str(json.loads(line)["log"])


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_a_flipped_byte_never_slips_in_unread(log: bytes, place: int, byte: int) -> None:
    """Every line that is accepted is canonical and typed; the tree of hashes finds the rest."""
    place %= len(log)
    spoilt = log[:place] + bytes([byte]) + log[place + 1 :]
    try:
        accepted = [line.leaf.state for line in checked(io.BytesIO(spoilt))]
    except BadLine:
        return
    assert b"\n".join(accepted) + b"\n" == spoilt
