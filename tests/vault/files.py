"""Every byte that a database has written to disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy import make_url, text

from tests.vault.town import Town


def files(town: Town) -> list[Path]:
    """The file with its WAL and shared memory; the whole data directory of a cluster, pg_wal and its log included."""
    url = make_url(town.url)
    if url.drivername == "sqlite":
        path = Path(url.database or "")
        return sorted(path.parent.glob(f"{path.name}*"))
    with town.engine.store.database.connect() as connection:
        connection.execute(text("SELECT pg_switch_wal()"))
        folder = Path(connection.execute(text("SHOW data_directory")).scalar_one())
    return sorted(path for path in folder.rglob("*") if path.is_file())


def forms(secret: str) -> Iterator[bytes]:
    """How a text may stand in a file: in the usual encodings, escaped, in base64 at any offset, in hexadecimal."""
    raw = secret.encode()
    yield from (raw, secret.encode("utf-16-le"), raw.hex().encode(), raw.hex().upper().encode())
    yield secret.encode("unicode_escape")
    yield secret.encode("ascii", "backslashreplace")
    yield from in_base64(raw)


def in_base64(raw: bytes) -> Iterator[bytes]:
    from base64 import b64encode, urlsafe_b64encode

    for shift in range(3):
        for encode in (b64encode, urlsafe_b64encode):
            # What depends on the neighbours is cut off at both ends.
            yield encode(bytes(shift) + raw + bytes(-(shift + len(raw)) % 3))[4 if shift else 0 : -4]


def found(needles: Iterable[bytes], among: Iterable[Path]) -> list[tuple[str, bytes]]:
    """Which of these stand in which file."""
    wanted, hits = [needle for needle in needles if len(needle) > 3], []
    for path in among:
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # the server may have taken it away
            continue
        hits += [(path.name, needle) for needle in wanted if needle in content]
    return hits
