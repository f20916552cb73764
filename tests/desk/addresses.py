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
    yield Address("choose-amend-need", f"{one}/do/amend-need")
    yield Address("form-correct-fact", f"{one}/do/correct-fact?fact_version={facts[2].recorded.version}")
    yield Address("form-about", f"{one}/do/count-membership")
    yield Address("form-propose", "/do/propose-framework")
    yield Address("done", f"{one}/done/{facts[2].recorded.causation}")
    yield from of_the_evaluator(one)
    yield Address("not-found", "/frameworks/nowhere")
    yield Address("forbidden", f"{one}/do/record-deliberation")


def of_the_evaluator(one: str) -> Iterator[Address]:
    """Figures together and in groups, of one framework, of a past day, of nothing; and what is behind them."""
    identity = one.removeprefix("/frameworks/")
    yield Address("timings", "/timings")
    yield Address("timings-groups", "/timings?by=region&as_of=2026-01-01")
    yield Address("timings-stages", "/timings?metric=M2&by=sector")
    yield Address("timings-alone", f"/timings?framework={identity}")
    yield Address("timings-nothing", "/timings?as_of=2001-01-01")
    yield Address("timings-durations", "/timings/rows?metric=M2&about=meeting")
    yield Address("timings-promises", "/timings?metric=M8&by=region")
    yield Address("timings-meetings", "/timings/rows?metric=M10")
    yield Address("timings-risk", "/timings/risk")
    yield Address("timings-compare", "/timings/compare")
    yield Address("timings-sides", "/timings/compare?metric=M2&side=region%3DS%C3%A9gou&side=policy%3Dwocat-pact-1")
    yield Address("timings-gaps", "/timings/rows?metric=M4")


def in_stage(engine: Engine, stage: Stage) -> str:
    """A framework that is in a stage."""
    reader = Reader(engine, FACILITATES)
    reader.catch_up()
    return next(row.framework for row in reader.frameworks() if row.stage is stage)
