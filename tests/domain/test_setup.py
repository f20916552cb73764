"""From a proposal to a formalised framework: every rule, and every reason to refuse."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from cycle.aggregates.deliberation import Deliberation, DeliberationStage
from cycle.aggregates.framework.anytime import FrameworkResumed, FrameworkSuspended, Resume
from cycle.aggregates.framework.council import (
    CouncilDeliberated,
    DeliberationAnnulled,
    DeliberationBecameExecutory,
    DeliberationTransmitted,
    FollowDeliberation,
    Formalise,
    FoundingRepealed,
    FrameworkFormalised,
    RecordDeliberation,
    SubmittedToCouncil,
    SubmitToCouncil,
)
from cycle.aggregates.framework.needs import NeedsIdentificationOpened
from cycle.aggregates.framework.setup import (
    ActorIdentified,
    AdmitMember,
    AdoptPolicy,
    FrameworkProposed,
    IdentifyActor,
    MemberAdmitted,
    MemberWithdrew,
    PolicyAdopted,
    PrioritiseSectors,
    ProposeFramework,
    SectorsPrioritised,
    WithdrawMember,
)
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import CommuneCode, DeliberationId, MemberId, OrganisationId, Outcome, PolicyId, Votes
from cycle.policy import sample
from tests.domain.story import DIORO, Story, story
from tests.domain.walks import DELIBERATIONS, ORGANISATIONS, tale_begun

ADOPTED = DeliberationId("d-adopted")
MAIRIE, RICE = OrganisationId("o-0"), OrganisationId("o-1")
SECTORS = PrioritiseSectors(sectors=("rice", "fish"))
ACTORS = (IdentifyActor(sector="rice", actor="Benkadi"), IdentifyActor(sector="fish", actor="Jigiya"))


def submitted() -> Story:
    return tale_begun().given(SECTORS, *ACTORS, SubmitToCouncil())


def decided(**changes: object) -> Story:
    """Before the council, which knows the adopted deliberation with some of it different."""
    told = submitted()
    changed = msgspec.structs.replace(DELIBERATIONS[ADOPTED], **changes)
    return told.know(deliberations={ADOPTED: changed})


def adopted() -> Story:
    return submitted().given(RecordDeliberation(deliberation=ADOPTED))


def test_a_framework_is_proposed_under_the_pinned_policy() -> None:
    told = story().when(ProposeFramework(commune=DIORO.code, title="Cadre"))
    told.then(FrameworkProposed, framework="f-1", policy="wocat-pact", policy_digest=sample().digest, zone=DIORO.zone)


def test_a_proposal_needs_a_known_commune_a_policy_and_room() -> None:
    propose = ProposeFramework(commune=CommuneCode("ML-9"), title="Cadre")
    story(commune=None).when(propose).refused("commune-unknown")
    story(policy=None).when(propose).refused("policy-unknown")
    story(active_frameworks=1).when(propose).refused("too-many-frameworks")
    tale_begun().when(propose).refused("framework-exists")


@pytest.mark.parametrize(
    ("sectors", "code"),
    [
        (("rice",), "too-few-sectors"),
        (("rice", "fish", "shallots", "livestock"), "too-many-sectors"),
        (("rice", "rice"), "named-twice"),
    ],
)
def test_two_or_three_sectors_are_prioritised(sectors: tuple[str, ...], code: str) -> None:
    tale_begun().when(PrioritiseSectors(sectors=sectors)).refused(code)
    tale_begun().when(SECTORS).then(SectorsPrioritised, sectors=("rice", "fish"))


def test_actors_are_of_a_prioritised_sector() -> None:
    told = tale_begun().given(SECTORS)
    told.when(IdentifyActor(sector="shallots", actor="X")).refused("sector-not-prioritised")
    told.when(ACTORS[0]).then(ActorIdentified, actor="Benkadi")


def test_a_member_is_a_registered_organisation_and_only_once() -> None:
    told = tale_begun().when(AdmitMember(organisation=RICE))
    told.then(MemberAdmitted, member="MB-1", name="Organisation 1", may_invest=True)
    told.when(AdmitMember(organisation=RICE)).refused("member-already")
    told.when(AdmitMember(organisation=OrganisationId("o-99"))).refused("organisation-unknown")


def test_a_member_may_leave_and_its_number_never_comes_again() -> None:
    told = tale_begun().given(AdmitMember(organisation=MAIRIE))
    told.when(WithdrawMember(member=MemberId("MB-7"), reason="x")).refused("unknown-member")
    told.when(WithdrawMember(member=MemberId("MB-1"), reason="Départ")).then(MemberWithdrew)
    told.when(WithdrawMember(member=MemberId("MB-1"), reason="x")).refused("no-members")
    told.when(AdmitMember(organisation=MAIRIE)).then(MemberAdmitted, member="MB-2")


def test_the_council_is_asked_with_sectors_and_an_actor_in_each() -> None:
    tale_begun().when(SubmitToCouncil()).refused("too-few-sectors")
    tale_begun().given(SECTORS, ACTORS[0]).when(SubmitToCouncil()).refused("sector-without-actor")
    told = tale_begun().given(SECTORS, *ACTORS).when(SubmitToCouncil())
    told.then(SubmittedToCouncil, sectors=("rice", "fish"))
    told.when(SubmitToCouncil()).refused("submitted-already")


def test_an_adopted_deliberation_is_copied_with_what_followed() -> None:
    told = submitted().when(RecordDeliberation(deliberation=ADOPTED))
    told.then(CouncilDeliberated, DeliberationTransmitted, DeliberationBecameExecutory, outcome=Outcome.ADOPTED)
    assert {check.code for check in told.outcome[0].checks} == {"council-quorum"}  # type: ignore[index, union-attr]


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.DEFERRED, Outcome.NOTED])
def test_a_text_that_is_not_adopted_can_come_back(outcome: Outcome) -> None:
    told = submitted().when(RecordDeliberation(deliberation=DeliberationId(f"d-{outcome}")))
    told.then(CouncilDeliberated, outcome=outcome)
    assert told.state.stage is Stage.DELIBERATION
    told.when(Formalise()).refused("not-adopted", "constituency-missing")
    told.when(SubmitToCouncil()).then(SubmittedToCouncil)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"commune": CommuneCode("ML-9")}, "deliberation-elsewhere"),
        ({"annulled_on": date(2026, 1, 8)}, "deliberation-ended"),
        ({"repealed_on": date(2026, 1, 8)}, "deliberation-ended"),
        ({"decided_on": date(2027, 1, 1)}, "deliberated-after"),
        ({"votes": None}, "no-vote"),
        ({"votes": Votes(23, 11, 11)}, "council-quorum"),
    ],
)
def test_a_deliberation_that_cannot_found_a_framework_is_refused(changes: dict[str, object], code: str) -> None:
    decided(**changes).when(RecordDeliberation(deliberation=ADOPTED)).refused(code)


def test_a_deliberation_must_be_known_and_asked_for() -> None:
    submitted().when(RecordDeliberation(deliberation=DeliberationId("d-x"))).refused("deliberation-unknown")
    tale_begun().when(RecordDeliberation(deliberation=ADOPTED)).refused("nothing-before-the-council")
    tale_begun().when(FollowDeliberation()).refused("no-deliberation")


def test_a_framework_is_formalised_once_executory_and_with_its_founders() -> None:
    told = decided(executory_on=None, transmitted_on=None).given(RecordDeliberation(deliberation=ADOPTED))
    told.when(Formalise()).refused("not-executory", "constituency-missing")
    told.know(deliberations=DELIBERATIONS)
    told.when(FollowDeliberation()).then(DeliberationTransmitted, DeliberationBecameExecutory)
    told.when(FollowDeliberation()).refused("nothing-new")
    told.given(AdmitMember(organisation=MAIRIE), AdmitMember(organisation=RICE))
    told.when(Formalise(needs_due_on=date(2026, 3, 1))).then(FrameworkFormalised, NeedsIdentificationOpened, cycle=1)
    assert told.state.stage is Stage.NEEDS_IDENTIFICATION


def test_an_annulled_deliberation_suspends_until_a_new_one() -> None:
    told = adopted()
    gone: Deliberation = msgspec.structs.replace(
        DELIBERATIONS[ADOPTED], stage=DeliberationStage.ANNULLED, annulled_on=date(2026, 2, 1), ended_because="Délai"
    )
    told.know(deliberations={ADOPTED: gone})
    told.when(FollowDeliberation()).then(DeliberationAnnulled, FrameworkSuspended, reason="Délai")
    told.when(Resume(reason="x")).refused("still-annulled")
    told.know(deliberations=DELIBERATIONS).given(RecordDeliberation(deliberation=ADOPTED))
    told.given(Resume(reason="Nouvelle délibération"))
    assert told.state.stage is Stage.DELIBERATION


def test_a_newer_policy_is_adopted_by_a_decision() -> None:
    told = tale_begun()
    told.when(AdoptPolicy(policy=PolicyId("wocat-pact"))).refused("policy-in-force")
    told.know(policies=(msgspec.structs.replace(sample(), version=2),))
    told.when(AdoptPolicy(policy=PolicyId("wocat-pact"))).then(PolicyAdopted, policy_version=2)
    assert told.state.policy_version == 2


def test_organisations_of_the_tests_are_what_they_say() -> None:
    assert [o.constituency for o in ORGANISATIONS.values()][:2] == ["municipality", "professional-organisation"]


def ready() -> Story:
    """Adopted, executory, and with its founders."""
    return adopted().given(AdmitMember(organisation=MAIRIE), AdmitMember(organisation=RICE))


@pytest.mark.parametrize("end", [{"annulled_on": date(2026, 1, 20)}, {"repealed_on": date(2026, 1, 20)}])
def test_a_framework_is_not_founded_on_a_deliberation_that_has_ended(end: dict[str, object]) -> None:
    told = ready()
    ended = msgspec.structs.replace(DELIBERATIONS[ADOPTED], ended_because="Délai", **end)
    told.know(deliberations={ADOPTED: ended}).when(Formalise()).refused("deliberation-ended")
    ready().when(Formalise()).then(FrameworkFormalised, NeedsIdentificationOpened)


def test_what_lies_before_the_council_or_is_adopted_keeps_its_sectors() -> None:
    others = PrioritiseSectors(sectors=("livestock", "shallots"))
    submitted().when(others).refused("submitted-already")
    adopted().when(others).refused("adopted-already")
    told = submitted().given(RecordDeliberation(deliberation=DeliberationId("d-deferred")))
    told.when(others).then(SectorsPrioritised, sectors=("livestock", "shallots"))


def test_a_framework_of_an_older_log_is_not_formalised_without_an_actor_in_each_sector() -> None:
    told = ready().given_facts(SectorsPrioritised(("livestock", "shallots")))
    told.when(Formalise()).refused("sector-without-actor")


def test_an_actor_is_identified_once() -> None:
    told = tale_begun().given(SECTORS, ACTORS[0])
    told.when(ACTORS[0]).refused("actor-already")
    told.when(IdentifyActor(sector="fish", actor="Benkadi")).then(ActorIdentified)


def test_a_repeal_is_the_councils_own_and_is_told_and_lifted_otherwise() -> None:
    told = adopted()
    gone = msgspec.structs.replace(
        DELIBERATIONS[ADOPTED], repealed_on=date(2026, 2, 1), ended_because="Nouveau conseil"
    )
    told.know(deliberations={ADOPTED: gone})
    told.when(FollowDeliberation()).then(FoundingRepealed, FrameworkSuspended, repealed_on=date(2026, 2, 1))
    told.when(FollowDeliberation()).refused("nothing-new")
    told.when(Resume(reason="x")).refused("still-repealed")
    told.know(deliberations=DELIBERATIONS).given(RecordDeliberation(deliberation=ADOPTED))
    told.when(Resume(reason="Nouvelle délibération")).then(FrameworkResumed)
