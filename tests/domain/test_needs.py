"""What each profession needs, before anybody meets."""

from __future__ import annotations

from datetime import date

from cycle.aggregates.framework.council import Formalise, RecordDeliberation, SubmitToCouncil
from cycle.aggregates.framework.needs import (
    AmendNeed,
    CloseNeeds,
    DeclareNoNeeds,
    IdentifyNeed,
    NeedAmended,
    NeedIdentified,
    NeedsIdentificationClosed,
    NeedWithdrawn,
    ProfessionDeclaredNoNeeds,
    ProfessionNeedsValidated,
    ValidateNeeds,
    WithdrawNeed,
)
from cycle.aggregates.framework.setup import AdmitMember, WithdrawMember
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import DeliberationId, NeedId, NeedKind
from tests.domain.dioro import FISH, MAIRIE, NEED, RICE
from tests.domain.story import Story
from tests.domain.test_setup import ACTORS, SECTORS
from tests.domain.walks import ORGANISATIONS, tale_begun

PUMP = IdentifyNeed(profession=RICE, kind=NeedKind.INVESTMENT, description="Motopompe", estimate_xof=900_000)
N9 = NeedId("N-9")


def opened() -> Story:
    told = tale_begun().given(SECTORS, *ACTORS)
    told.given(*(AdmitMember(organisation=organisation) for organisation in ORGANISATIONS), SubmitToCouncil())
    return told.given(
        RecordDeliberation(deliberation=DeliberationId("d-adopted")), Formalise(needs_due_on=date(2026, 4, 1))
    )


def test_a_need_is_named_by_a_profession_and_numbered() -> None:
    told = opened().when(PUMP)
    told.then(NeedIdentified, need="N-1", cycle=1, profession=RICE, estimate_xof=900_000)
    told.when(IdentifyNeed(profession=MAIRIE, kind=NeedKind.INVESTMENT, description="x")).refused("not-a-profession")


def test_without_a_profession_nobody_can_name_needs() -> None:
    told = opened().given(WithdrawMember(member=RICE, reason="x"), WithdrawMember(member=FISH, reason="x"))
    told.when(PUMP).refused("no-profession")


def test_a_need_is_amended_or_withdrawn_while_needs_are_open() -> None:
    told = opened()
    told.when(AmendNeed(need=NEED, description="x")).refused("no-needs")
    told.given(PUMP)
    told.when(AmendNeed(need=NEED)).refused("nothing-amended")
    told.when(AmendNeed(need=N9, description="x")).refused("unknown-need")
    told.when(WithdrawNeed(need=N9, reason="x")).refused("unknown-need")
    told.when(AmendNeed(need=NEED, description="Motopompe diesel")).then(NeedAmended)
    assert told.state.needs[NEED].description == "Motopompe diesel"
    told.when(WithdrawNeed(need=NEED, reason="Réglé")).then(NeedWithdrawn)
    assert told.state.needs == {}


def test_a_profession_ranks_each_of_its_needs_once() -> None:
    told = opened().given(PUMP, PUMP)
    told.when(ValidateNeeds(profession=RICE, ranked=(NEED,))).refused("needs-not-ranked")
    told.when(ValidateNeeds(profession=RICE, ranked=(NEED, NEED, NeedId("N-2")))).refused("named-twice")
    told.when(ValidateNeeds(profession=RICE, ranked=(NEED, NeedId("N-2"), N9))).refused("needs-of-others")
    told.when(ValidateNeeds(profession=FISH, ranked=())).refused("no-needs-to-validate")
    told.when(ValidateNeeds(profession=RICE, ranked=(NeedId("N-2"), NEED))).then(ProfessionNeedsValidated)


def test_a_profession_with_open_needs_cannot_declare_none() -> None:
    told = opened().given(PUMP)
    told.when(DeclareNoNeeds(profession=RICE)).refused("needs-are-open")
    told.when(DeclareNoNeeds(profession=FISH)).then(ProfessionDeclaredNoNeeds)


def test_needs_close_when_everybody_has_spoken_and_there_is_one() -> None:
    told = opened()
    told.when(CloseNeeds()).refused("profession-silent", "no-needs")
    told.given(PUMP, ValidateNeeds(profession=RICE, ranked=(NEED,)), DeclareNoNeeds(profession=FISH))
    told.given(PUMP)
    told.when(CloseNeeds()).refused("profession-silent")
    told.given(ValidateNeeds(profession=RICE, ranked=(NEED, NeedId("N-2"))))
    told.when(CloseNeeds()).then(NeedsIdentificationClosed, needs=(NEED, NeedId("N-2")))
    assert told.state.stage is Stage.MEETING
    told.when(PUMP).refused("wrong-stage")


def test_who_does_not_speak_is_named_so_that_somebody_can_call() -> None:
    told = opened().given(PUMP).when(CloseNeeds())
    silent = [f.values["name"] for f in told.outcome.findings if f.code == "profession-silent"]  # type: ignore[union-attr]
    assert silent == ["Organisation 1", "Organisation 2"]
