"""What every verb is told, whichever adapter it comes from."""

from __future__ import annotations

from typing import NamedTuple

from cycle.catalogue import Language


class Settings(NamedTuple):
    """Which database, which language, whether a program listens, and as which account."""

    database: str
    language: Language
    json: bool
    actor: str
