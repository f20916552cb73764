"""The first cycle of the framework of Dioro, as people fill it in on the pages: one step for each form."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import NamedTuple

from cycle.aggregates.commune import RegisterCommune
from cycle.aggregates.rulebook import PublishPolicy
from cycle.aggregates.terms import CommuneCode
from cycle.engine import Engine, Said
from cycle.policy import sample
from tests.people import everybody, sayer

DIORO = CommuneCode("ML-4-01-01")
AWA, SECRETARY = "awa", "council-secretary"
PROPOSED, VOTED, NAMED, MET, BEGUN = "2026-01-06", "2026-01-20", "2026-01-30", "2026-03-01", "2026-03-03"
NOW = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
Value = str | list[str] | list[dict[str, str]]


class Fill(NamedTuple):
    """One form. ``fields``: what is typed or chosen, by name; of a choice, part of its label.

    A list of words are several that are ticked, or chosen in order; a list of mappings are rows.
    """

    command: str
    fields: dict[str, Value]
    on: str
    role: str = "facilitator"
    who: str = AWA
    about: str = ""
    leads_to: tuple[str, ...] = ()


def registered(name: str, kind: str, form: str) -> Iterator[Fill]:
    fields: dict[str, Value] = {"name": name, "constituency": kind, "form": form}
    yield Fill("register-organisation", fields, PROPOSED, leads_to=("organisation-registered",))
    yield Fill("admit-member", {"organisation": name}, PROPOSED, leads_to=("member-admitted",))


def first_cycle() -> Iterator[Fill]:
    """From the proposal to the monitoring."""
    title = {"commune": "Dioro", "title": "Cadre de concertation de Dioro", "policy": "wocat-pact"}
    yield Fill("propose-framework", dict(title), PROPOSED, leads_to=("framework-proposed",))
    yield Fill("prioritise-sectors", {"sectors": "Riz\npoisson"}, PROPOSED, leads_to=("sectors-prioritised",))
    for sector, actor in (("riz", "Producteurs du casier de Dioro"), ("poisson", "Pêcheurs de la rive")):
        fields: dict[str, Value] = {"sector": sector, "actor": actor, "women": "12", "men": "30"}
        yield Fill("identify-actor", fields, PROPOSED, leads_to=("actor-identified",))
    yield from registered("Mairie de Dioro", "mairie", "organisme public")
    yield from registered("Coopérative Benkadi", "organisation professionnelle", "coopérative")
    yield from registered("Coopérative Jigiya", "organisation professionnelle", "coopérative")
    yield from registered("Secteur de l'agriculture", "service technique", "organisme public")
    yield from registered("PACT", "partenaire technique", "programme")
    yield Fill("submit-to-council", {"note": "Dossier complet"}, PROPOSED, leads_to=("submitted-to-council",))
    decided: dict[str, Value] = {
        "number": "2026-03",
        "subject": "Mise en place du cadre de concertation",
        "outcome": "adoptée",
        "decided_on": VOTED,
        "votes.in_office": "23",
        "votes.present": "18",
        "votes.in_favour": "17",
        "votes.against": "1",
    }
    secretary = ("council-secretary", SECRETARY)
    yield Fill("enter-deliberation", decided, VOTED, *secretary, leads_to=("deliberation-recorded",))
    recorded: dict[str, Value] = {"deliberation": "2026-03"}
    yield Fill("record-deliberation", recorded, VOTED, *secretary, leads_to=("council-deliberated",))
    effect: dict[str, Value] = {"executory_on": VOTED}
    yield Fill("make-executory", effect, VOTED, *secretary, about="2026-03", leads_to=("deliberation-took-effect",))
    yield Fill("follow-deliberation", {}, VOTED, *secretary, leads_to=("deliberation-became-executory",))
    formalised = ("framework-formalised", "needs-identification-opened")
    yield Fill("formalise", {"needs_due_on": "2026-02-10"}, VOTED, "mayor", leads_to=formalised)
    need: dict[str, Value] = {
        "profession": "Benkadi",
        "kind": "investissement",
        "description": "Motopompe en panne sur le casier",
        "estimate_xof": "1 250 000",
    }
    yield Fill("identify-need", need, NAMED, leads_to=("need-identified",))
    ranked: dict[str, Value] = {"profession": "Benkadi", "ranked": ["Motopompe"]}
    yield Fill("validate-needs", ranked, NAMED, leads_to=("profession-needs-validated",))
    yield Fill("declare-no-needs", {"profession": "Jigiya"}, NAMED, leads_to=("profession-declared-no-needs",))
    yield Fill("close-needs", {}, NAMED, leads_to=("needs-identification-closed",))
    convene: dict[str, Value] = {"held_on": MET, "place": "Mairie de Dioro"}
    yield Fill("convene-meeting", convene, "2026-02-10", leads_to=("meeting-convened",))
    members = ("Mairie de Dioro", "Benkadi", "Jigiya", "Secteur de l'agriculture", "PACT")
    came: list[dict[str, str]] = [{"member": name, "women": "2", "men": "3", "youth": "1"} for name in members]
    yield Fill("open-meeting", {"attendance": came}, MET, leads_to=("meeting-opened",))
    pump: dict[str, Value] = {
        "description": "Réparer la motopompe",
        "sector": "riz",
        "needs": ["Motopompe"],
        "responsible": "Benkadi",
        "due_on": "2026-04-15",
    }
    yield Fill("propose-action", pump, MET, leads_to=("action-proposed",))
    cash: dict[str, Value] = {
        "member": "Benkadi",
        "ledger": "action",
        "nature": "espèces",
        "worth.amount_xof": "50 000",
        "action": "Réparer la motopompe",
    }
    yield Fill("pledge-contribution", cash, MET, leads_to=("contribution-pledged",))
    window: dict[str, Value] = {"window.starts_on": "2026-03-02", "window.ends_on": "2026-05-31", "mode": "consensus"}
    yield Fill("agree-plan", window, MET, leads_to=("plan-agreed",))
    yield Fill("close-meeting", {"minutes": "Plan adopté par consensus."}, MET, leads_to=("meeting-closed",))
    seats: list[dict[str, str]] = [
        {"member": "Mairie de Dioro", "person": "personne-1"},
        {"member": "Benkadi", "person": "personne-2", "woman": "yes"},
        {"member": "Jigiya", "person": "personne-3", "youth": "yes"},
    ]
    yield Fill("install-committee", {"seats": seats}, MET, leads_to=("committee-installed",))
    tasks: dict[str, Value] = {"tasks": "Suivre le plan\nSignaler les difficultés"}
    yield Fill("define-mandate", tasks, MET, leads_to=("mandate-defined",))
    yield Fill("start-monitoring", {}, BEGUN, leads_to=("monitoring-started",))


@contextmanager
def town_hall(url: str, now: datetime = NOW) -> Iterator[Engine]:
    """Everybody has an account, the policy is published and Dioro is registered; there is no framework yet."""
    with Engine(url, clock=lambda: now) as engine:
        everybody(engine)
        day = date.fromisoformat(PROPOSED)
        for command in (
            PublishPolicy(document=sample()),
            RegisterCommune(commune=DIORO, name="Dioro", region="Ségou", circle="Ségou"),
        ):
            engine.execute(Said(command=command, by=sayer(command), on=day))
        yield engine


def recorded_types(engine: Engine, before: int) -> tuple[str, ...]:
    """The types of the facts of the commune behind a position."""
    return tuple(topic for _, topic, *_ in engine.store.read(before))
