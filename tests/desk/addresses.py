"""Every kind of page, with where it is: for what has to hold on all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, cast

from cycle.aggregates.framework.state import Stage
from cycle.engine import Engine
from cycle.projections.frameworks import FrameworkRow
from cycle.reading import Reader
from cycle_adapters.http.pages_meeting import STEPS

FACILITATES = "facilitator-pact"


class Address(NamedTuple):
    """A page. ``sends``: its form is sent as it stands, and what comes back is looked at; ``who`` looks."""

    name: str
    path: str
    who: str = FACILITATES
    sends: bool = False


def pages(engine: Engine) -> Iterator[Address]:
    """The pages of a demo: each template, every kind of input, forms with their errors."""
    reader = Reader(engine, FACILITATES)
    reader.catch_up()
    rows = cast("list[FrameworkRow]", reader.rows("frameworks"))
    one = f"/frameworks/{rows[0].framework}"
    yield Address("board", "/")
    yield Address("board-mine", "/?mine=true&region=S%C3%A9gou")
    for row in rows:
        yield Address(f"framework-{row.stage}", f"/frameworks/{row.framework}")
    yield Address("history", f"{one}/history")
    facts = reader.framework_facts(rows[0].framework)
    yield Address("replay", f"{one}/replay?at={facts[10].position}")
    yield Address("replay-as-of", f"{one}/replay?as_of=2023-03-01")
    yield Address("replay-nothing", f"{one}/replay?as_of=2001-03-01")
    yield Address("compare", f"{one}/compare?from={facts[5].position}&to={facts[30].position}")
    for step in STEPS:
        yield Address(f"meeting-{step.name}", f"{one}/meeting?step={step.name}")
    for command in ("pledge-contribution", "open-meeting", "agree-plan", "install-committee", "validate-needs"):
        yield Address(f"form-{command}", f"{one}/do/{command}")
        yield Address(f"wrong-{command}", f"{one}/do/{command}", sends=True)
    yield Address("form-correct-fact", f"{one}/do/correct-fact?fact_version={facts[2].recorded.version}")
    yield Address("form-about", f"{one}/do/count-membership")
    yield Address("form-propose", "/do/propose-framework")
    yield Address("done", f"{one}/done/{facts[2].recorded.causation}")
    yield Address("not-found", "/frameworks/nowhere")
    yield Address("forbidden", f"{one}/do/record-deliberation")


def in_stage(engine: Engine, stage: Stage) -> str:
    """A framework that is in a stage."""
    reader = Reader(engine, FACILITATES)
    reader.catch_up()
    return next(row.framework for row in reader.frameworks() if row.stage is stage)
