"""``cycle receipt``: what a command has recorded, signed, for those who want to hold the operator to it."""

from __future__ import annotations

from pathlib import Path

import click

from cycle.aggregates.base import PLATFORM, LogName
from cycle.engine import utc_now
from cycle.leaf import rfc3339
from cycle.proofs.note import SigningKey
from cycle.proofs.receipt import sign_receipt
from cycle.reading import opened
from cycle.sealing import CannotSeal
from cycle.settings import KEY_FILE, Settings
from cycle.store import Receipt
from cycle_adapters.sealing.settings import A_PATH, key_option, signing_key
from cycle_adapters.whole import OUT, written_or_out


@click.command()
@click.argument("key", metavar="KEY")
@click.option("--to", metavar="PATH", type=A_PATH)
@key_option
@click.pass_obj
def receipt(settings: Settings, key: str, to: Path | None, key_file: Path | None) -> None:
    """Write the signed receipt of a command; of very many facts, one note behind another."""
    signing = signing_key(key_file)
    with opened(settings.database) as engine:
        found = engine.store.receipt(key)
        # Whether there is such a key is told to who may read where it was used.
        engine.act(settings.actor, "receipt", LogName(found[1].events[-1].log) if found else PLATFORM)
    if found is None:
        raise CannotSeal("no-receipt", key=key)
    notes = signed(found[1], signing)
    if to is None or to == OUT:
        notes = [b"\n".join(notes)]
    for number, note in enumerate(notes, 1):
        with written_or_out(numbered(to, number)) as file:
            file.write(note)


def numbered(to: Path | None, number: int) -> Path | None:
    """Where a note goes: the first to the place that was named, the others beside it."""
    return to if to is None or number == 1 else to.with_name(f"{to.stem}-{number}{to.suffix}")


def signed(of: Receipt, key: SigningKey) -> list[bytes]:
    """The notes of a receipt that the store gave, which is committed."""
    facts = [(line.log, line.index, bytes.fromhex(line.leaf)) for line in of.events]
    return sign_receipt(key, of.key, rfc3339(utc_now()), facts)


def signed_where_configured(of: Receipt) -> str:
    """The signed receipt for whoever gave the command, where ``CYCLE_SEAL_KEY`` names a key; else nothing."""
    named = KEY_FILE.given()
    return b"\n".join(signed(of, signing_key(Path(named)))).decode() if named else ""
