"""What a council sits about, as an SCDL file: the founding decision among other business."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from random import Random

from msgspec import Struct

from cycle.demo.places import Home
from cycle.demo.words import DISSOLVING, FOUNDING, words

COLUMNS = (
    "COLL_NOM", "COLL_SIRET", "DELIB_ID", "DELIB_DATE", "DELIB_MATIERE_CODE", "DELIB_MATIERE_NOM",
    "DELIB_OBJET", "BUDGET_ANNEE", "BUDGET_NOM", "PREF_ID", "PREF_DATE", "VOTE_EFFECTIF", "VOTE_REEL",
    "VOTE_POUR", "VOTE_CONTRE", "VOTE_ABSTENTION", "DELIB_URL",
)  # fmt: skip


class Sitting(Struct, frozen=True):
    """One session as a file; ``number`` is that of the decision the story is about."""

    csv: bytes
    number: str
    transmitted_on: date | None


def sitting(chance: Random, home: Home, day: date, outcome: str, *, founding: bool) -> Sitting:
    """A session on a day: what the story is about, among other business."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    transmitted = day + timedelta(days=chance.randint(1, 9))
    present = home.in_office // 2 + 1 + chance.randint(0, home.in_office // 4)
    number = ""
    subjects = [FOUNDING if founding else DISSOLVING, *chance.sample(words().business, chance.randint(1, 3))]
    for nth, subject in enumerate(chance.sample(subjects, len(subjects)), 1):
        ours = subject in (FOUNDING, DISSOLVING)
        own = f"{day:%Y-%m-%d}-{nth:02}"
        # Real councils vote by proxy: votes may exceed those present (Saint-Étienne 2022).
        cast = min(home.in_office, present + chance.randint(0, 2))
        against = chance.randint(0, 2)
        votes = (cast - against, against, 0)
        if ours:
            number = own
            votes = (against, cast - against, 0) if outcome == "rejected" else votes
        writer.writerow(
            (
                f"Commune de {home.commune.name}", "", own, day, "", "Développement local" if ours else "Finances",
                subject, day.year, "", "TUTELLE", transmitted, home.in_office, present, *votes, "",
            )
        )  # fmt: skip
    return Sitting(file.getvalue().encode(), number, transmitted)
