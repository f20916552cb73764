"""What every verb is told: database, language, for people or for programs, as which account."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import pairwise

from cycle.catalogue import Language
from cycle.settings import DATABASE, Settings


def language_of(asked: str | None, environment: Mapping[str, str] = os.environ) -> Language:
    """The language asked for, else that of the locale, else French."""
    if asked in ("fr", "en"):
        return "fr" if asked == "fr" else "en"
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(name, "")
        if value:
            return "en" if value.lower().startswith("en") else "fr"
    return "fr"


def before_parsing(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """What help and errors need to know even when the arguments cannot be parsed."""
    own = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    asked = None
    for argument, following in pairwise([*own, ""]):
        if argument == "--lang":
            asked = following
        elif argument.startswith("--lang="):
            asked = argument.partition("=")[2]
    return Settings(DATABASE.given(environment), language_of(asked, environment), "--json" in own, "")
