"""One framework driven through its stages with commands, on a real engine; the tests choose where to stop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from cycle.aggregates.base import Command, Role
from cycle.aggregates.commune import RegisterCommune
from cycle.aggregates.deliberation import EnterDeliberation, MakeExecutory
from cycle.aggregates.framework.adjustment import OpenReview
from cycle.aggregates.framework.anytime import Dissolve, Suspend
from cycle.aggregates.framework.committee import DefineMandate, InstallCommittee
from cycle.aggregates.framework.council import FollowDeliberation, Formalise, RecordDeliberation, SubmitToCouncil
from cycle.aggregates.framework.meetings import CloseMeeting, ConveneMeeting, OpenMeeting
from cycle.aggregates.framework.monitoring import StartMonitoring
from cycle.aggregates.framework.needs import CloseNeeds, DeclareNoNeeds, IdentifyNeed, ValidateNeeds
from cycle.aggregates.framework.plan import AgreePlan
from cycle.aggregates.framework.proposals import ProposeAction
from cycle.aggregates.framework.setup import AdmitMember, IdentifyActor, PrioritiseSectors, ProposeFramework
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.organisation import Form, RegisterOrganisation
from cycle.aggregates.request import ConfirmRequest
from cycle.aggregates.rulebook import PublishPolicy
from cycle.aggregates.terms import (
    CommuneCode,
    Constituency,
    DeliberationId,
    FrameworkId,
    MemberId,
    NeedId,
    NeedKind,
    OrganisationId,
    Outcome,
    Presence,
    ReviewKind,
    Seat,
    Votes,
    Window,
)
from cycle.engine import Engine, Said
from cycle.policy import sample
from cycle.store import Receipt
from tests.people import by, everybody, sayer

DIORO = CommuneCode("ML-4-01-01")
MAIRIE, RICE, FISH, PARTNER = (MemberId(f"MB-{n}") for n in range(1, 5))
PROPOSED, VOTED, MET, ENDS = date(2026, 1, 6), date(2026, 1, 20), date(2026, 2, 16), date(2026, 5, 15)
ORGANISATIONS = (
    ("Mairie de Dioro", Constituency.MUNICIPALITY, Form.PUBLIC_BODY),
    ("Coopérative Benkadi", Constituency.PROFESSIONAL_ORGANISATION, Form.COOPERATIVE),
    ("Coopérative Jigiya", Constituency.PROFESSIONAL_ORGANISATION, Form.COOPERATIVE),
    ("PACT", Constituency.PARTNER, Form.PROGRAMME),
)


def said(command: Command, on: date, target: str | None = None, **more: object) -> Said:
    """A command by somebody who may say it."""
    return Said(command=command, by=sayer(command), on=on, target=target, **more)  # type: ignore[arg-type]


class Path:
    """A framework of Dioro on its way: every step leads from one stage to the next."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.framework = FrameworkId("")

    def say(self, *commands: Command, on: date) -> Receipt:
        """Commands about the framework."""
        return [self._execute(command, on, self.framework) for command in commands][-1]

    def _execute(self, command: Command, on: date, target: str | None = None) -> Receipt:
        return self.engine.execute(said(command, on, target))

    def _made(self, command: Command, on: date) -> str:
        """The id of what a command founds."""
        return self._execute(command, on).stream.partition("-")[2]

    def _adopted(self, number: str, subject: str, on: date) -> DeliberationId:
        """The council has decided."""
        enter = EnterDeliberation(
            commune=DIORO,
            number=number,
            subject=subject,
            outcome=Outcome.ADOPTED,
            decided_on=on,
            votes=Votes(23, 18, 17, 1),
        )
        return DeliberationId(self._made(enter, on))

    def to(self, stage: Stage) -> FrameworkId:
        """Go on until the framework is in a stage; returns its id."""
        for each, step in STEPS.items():
            step(self)
            if each is stage:
                break
        assert self.engine.framework(self.framework).stage is stage
        return self.framework

    def propose(self) -> None:
        everybody(self.engine)
        self._execute(PublishPolicy(document=sample()), PROPOSED)
        self._made(RegisterCommune(commune=DIORO, name="Dioro", region="Ségou", circle="Ségou"), PROPOSED)
        self.framework = FrameworkId(self._made(ProposeFramework(commune=DIORO, title="Cadre de Dioro"), PROPOSED))

    def formalise(self) -> None:
        self.say(PrioritiseSectors(sectors=("rice", "fish")), on=PROPOSED)
        self.say(IdentifyActor(sector="rice", actor="Casier"), IdentifyActor(sector="fish", actor="Rive"), on=PROPOSED)
        for name, kind, form in ORGANISATIONS:
            register = RegisterOrganisation(commune=DIORO, name=name, constituency=kind, form=form)
            self.say(AdmitMember(organisation=OrganisationId(self._made(register, PROPOSED))), on=PROPOSED)
        self.say(SubmitToCouncil(), on=PROPOSED)
        decided = self._adopted("2026-03", "Cadre de concertation", VOTED)
        self.say(RecordDeliberation(deliberation=decided), on=VOTED)
        self._execute(MakeExecutory(executory_on=VOTED), VOTED, decided)
        self.say(FollowDeliberation(), Formalise(), on=VOTED)

    def close_needs(self) -> None:
        self.say(IdentifyNeed(profession=RICE, kind=NeedKind.INVESTMENT, description="Une décortiqueuse"), on=VOTED)
        self.say(ValidateNeeds(profession=RICE, ranked=(NeedId("N-1"),)), DeclareNoNeeds(profession=FISH), on=VOTED)
        self.say(CloseNeeds(), on=VOTED)

    def agree_plan(self) -> None:
        present = tuple(Presence(member, women=2, men=3, youth=1) for member in (MAIRIE, RICE, FISH, PARTNER))
        self.say(ConveneMeeting(held_on=MET, place="Mairie"), OpenMeeting(attendance=present), on=MET)
        buy = ProposeAction(
            description="Acheter la décortiqueuse", needs=(NeedId("N-1"),), responsible=RICE, due_on=date(2026, 5, 10)
        )
        self.say(buy, AgreePlan(window=Window(MET, ENDS)), on=MET)

    def start_monitoring(self) -> None:
        seats = (Seat(MAIRIE, "p-1"), Seat(RICE, "p-2", youth=True), Seat(FISH, "p-3", woman=True))
        self.say(CloseMeeting(minutes="Plan accepté par les membres présents"), on=MET)
        self.say(InstallCommittee(seats=seats), DefineMandate(tasks=("Suivre le plan",)), StartMonitoring(), on=MET)

    def open_review(self) -> None:
        self.say(OpenReview(kind=ReviewKind.END), on=ENDS)

    def suspend(self) -> None:
        self.say(Suspend(reason="Insécurité sur la route"), on=ENDS)

    def dissolve(self) -> None:
        decided = self._adopted("2026-19", "Fin du cadre de concertation", ENDS)
        self._execute(MakeExecutory(executory_on=ENDS), ENDS, decided)
        asked = self.say(Dissolve(deliberation=decided, reason="Fusion de communes"), on=ENDS)
        confirm = ConfirmRequest()
        secretary, request = by(Role.COUNCIL_SECRETARY), asked.stream.partition("-")[2]
        self.engine.execute(Said(command=confirm, by=secretary, on=ENDS, target=request))


STEPS: dict[Stage, Callable[[Path], None]] = {
    Stage.DELIBERATION: Path.propose,
    Stage.NEEDS_IDENTIFICATION: Path.formalise,
    Stage.MEETING: Path.close_needs,
    Stage.PLAN: Path.agree_plan,
    Stage.MONITORING: Path.start_monitoring,
    Stage.ADJUSTMENT: Path.open_review,
    Stage.SUSPENDED: Path.suspend,
    Stage.DISSOLVED: Path.dissolve,
}
"""How each stage is reached from the one before it."""
