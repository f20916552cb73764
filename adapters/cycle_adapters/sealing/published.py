"""What is published of a log, for the doors that hand it on."""

from __future__ import annotations

from pathlib import Path

from cycle_adapters.sealing.settings import folder_of


def published(database: str, seals: Path | None, log: str | None) -> bytes | None:
    """The signed note of a log (None: of the registry of all) as it was last sealed; None where nothing is.

    Raises:
        CannotSeal: it does not hold under the folder's own key, or the folder that is named is none.
    """
    folder = folder_of(database, seals)
    note = None if folder is None else folder.note(log)
    if folder is not None and note is not None:
        folder.opened(log, note)
    return note
