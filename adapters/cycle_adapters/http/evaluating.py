"""What an evaluator asks, as an address of a page says it: each state of a page is a link that stays."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends
from msgspec import Struct
from pydantic import BeforeValidator

from cycle.exports.figures import Part
from cycle.history import Cutoffs
from cycle.timings.listing import Only
from cycle.timings.measuring import By
from cycle.timings.metrics import IDS
from cycle_adapters.http.chosen import About, Chosen, ChosenBy, ChosenDay, ChosenMoment, ChosenPosition, Group
from cycle_adapters.http.filtering import Asked
from cycle_adapters.http.parameters import MetricName
from cycle_adapters.tabular import FORMS, has_parquet

FIRST = IDS[0]
ChosenMetric = Annotated[MetricName, BeforeValidator(lambda written: FIRST if written == "" else written)]


class Question(Struct, frozen=True):
    """Which metric, of what, in which groups, as of when."""

    metric: str
    by: By | None
    asked: Asked
    cutoffs: Cutoffs
    only: Only

    @property
    def narrowed(self) -> dict[str, str]:
        """What it is narrowed to, and its cut-offs, as parameters of an address."""
        place = {name: getattr(self.asked, name) for name in Asked.__struct_fields__}
        moment = self.cutoffs.known_at
        cut = {
            "as_of": self.cutoffs.as_of,
            "known_at": moment and written(moment),
            "at": self.cutoffs.at,
        }
        return {name: str(value) for name, value in {**place, **cut}.items() if value is not None}

    @property
    def known_at_field(self) -> str:
        """The moment as a field of a form has it."""
        return written(self.cutoffs.known_at).removesuffix("Z") if self.cutoffs.known_at else ""

    @property
    def parameters(self) -> dict[str, str]:
        """All of it but the metric and the group, as parameters of an address."""
        return {**({"by": self.by.value} if self.by else {}), **self.narrowed}

    @property
    def address(self) -> dict[str, str]:
        """All of it but the group."""
        return {"metric": self.metric, **self.parameters}

    @property
    def group(self) -> dict[str, str]:
        """The group that is meant, as parameters of an address."""
        return {name: value for name in Only.__struct_fields__ if (value := getattr(self.only, name)) is not None}

    def ways(self, path: str) -> dict[str, str]:
        """What another page of the evaluator is asked with."""
        return self.narrowed if path.endswith("/risk") else self.address

    def json(self, table: str = "") -> str:
        """Where the same stands as JSON."""
        path = f"/api/v1/timings/{self.metric}{table}"
        asked = urlencode({**self.parameters, **(self.group if table else {})})
        return f"{path}?{asked}" if asked else path

    def json_of(self, path: str) -> str:
        """Where something else of the same frameworks stands as JSON."""
        return f"{path}?{urlencode(self.narrowed)}" if self.narrowed else path

    def files(self, part: Part) -> list[tuple[str, str]]:
        """Where the same stands as files, by what they are called."""
        forms = [form for form in FORMS if form != "parquet" or has_parquet()]
        return [(form.upper() if form == "csv" else form.capitalize(), self.json(f"/{part}.{form}")) for form in forms]

    def dated(self, today: date, position: int) -> dict[str, str]:
        """The parameters under which it gives the same for ever."""
        cut = {"as_of": str(self.cutoffs.as_of or today), "at": str(self.cutoffs.at or position)}
        return {**self.address, **cut}


def written(moment: datetime) -> str:
    """A moment as every reader of an address takes it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def asked_of(
    commune: Chosen = None, circle: Chosen = None, region: Chosen = None, sector: Chosen = None,
    framework: Chosen = None,
) -> Asked:  # fmt: skip
    """What the fields of a form narrow it to."""
    return Asked(commune, circle, region, sector, framework)


def cut_at(as_of: ChosenDay = None, known_at: ChosenMoment = None, at: ChosenPosition = None) -> Cutoffs:
    """The cut-offs out of the fields of a form."""
    return Cutoffs(as_of, known_at, at)


def question(
    asked: Annotated[Asked, Depends(asked_of)],
    cutoffs: Annotated[Cutoffs, Depends(cut_at)],
    metric: ChosenMetric = FIRST,
    by: ChosenBy = None,
    cohort: Group | None = None,
    about: About | None = None,
) -> Question:
    """All of it."""
    return Question(metric, By(by) if by else None, asked, cutoffs, Only(cohort, about))


Questioned = Annotated[Question, Depends(question)]
