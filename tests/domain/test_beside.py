"""The small aggregates beside the framework: communes, deliberations, organisations, policies."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from cycle.aggregates.base import Aggregate, By, Command, Happened, Refused
from cycle.aggregates.commune import (
    AddAlias,
    BeginCouncilTerm,
    ChangeParent,
    Commune,
    RegisterCommune,
    RenameCommune,
    commune,
)
from cycle.aggregates.deliberation import (
    AnnulDeliberation,
    DeliberationStage,
    EnterDeliberation,
    MakeExecutory,
    RepealDeliberation,
    TransmitDeliberation,
    deliberation,
)
from cycle.aggregates.known import Known
from cycle.aggregates.organisation import (
    ChangeInvestmentRight,
    CountMembership,
    Form,
    FormaliseOrganisation,
    RegisterOrganisation,
    organisation,
)
from cycle.aggregates.rulebook import PublishPolicy, rulebook
from cycle.aggregates.terms import CommuneCode, Constituency, Outcome, Votes
from cycle.policy import sample
from tests.domain.story import DIORO

DAY = date(2026, 3, 1)
REGISTER = RegisterCommune(commune=CommuneCode("ML-4-01-01"), name="Dioro", region="Ségou", circle="Ségou")
COOP = RegisterOrganisation(
    commune=DIORO.code, name="Coop", constituency=Constituency.PROFESSIONAL_ORGANISATION, form=Form.GROUP
)
ENTER = EnterDeliberation(
    commune=DIORO.code, number="1", subject="Cadre", outcome=Outcome.ADOPTED, decided_on=DAY, votes=Votes(23, 15, 14, 1)
)


class Small:
    """One small aggregate, told command by command."""

    def __init__(self, aggregate: Aggregate[Any, Known], **known: Any) -> None:
        self.aggregate = aggregate
        self.state = aggregate.initial
        self.known = {"commune": DIORO, **known}

    def given(self, *commands: Command, on: date = DAY) -> Small:
        for command in commands:
            by = By("somebody", command.roles[0])
            known = Known(on=on, today=on, by=by, new_id="x-1", **self.known)
            for data in self.aggregate.decide(self.state, command, known):
                self.state = self.aggregate.fold(self.state, [Happened(data, on, self.state.version + 1)])
        return self

    def refused(self, command: Command, *codes: str, on: date = DAY) -> None:
        with pytest.raises(Refused) as caught:
            self.given(command, on=on)
        assert {finding.code for finding in caught.value.findings} == set(codes)


def test_a_commune_keeps_its_code_through_names_parents_and_councils() -> None:
    told = Small(commune).given(REGISTER, RenameCommune(name="Djoro", since=DAY), AddAlias(alias="Dyoro"))
    told.given(ChangeParent(region="San", circle="San", since=DAY), BeginCouncilTerm(since=DAY, in_office=23))
    state: Commune = told.state
    assert (state.code, state.name, state.aliases) == ("ML-4-01-01", "Djoro", ("Dioro", "Dyoro"))
    assert (state.region, state.parents, state.in_office) == ("San", {DAY: ("San", "San")}, 23)
    told.refused(REGISTER, "commune-registered-already")
    told.refused(AddAlias(alias="Dyoro"), "nothing-amended")
    told.refused(RenameCommune(name="Djoro", since=DAY), "nothing-amended")
    told.refused(ChangeParent(region="San", circle="San", since=DAY), "nothing-amended")
    told.refused(BeginCouncilTerm(since=DAY, in_office=0), "council-without-members")


def test_a_code_is_no_name_and_a_zone_exists() -> None:
    told = Small(commune)
    told.refused(msgspec.structs.replace(REGISTER, commune=CommuneCode("dioro")), "commune-code")
    told.refused(msgspec.structs.replace(REGISTER, zone="Africa/Dioro"), "zone-unknown")
    told.refused(AddAlias(alias="x"), "commune-unknown")


@pytest.mark.parametrize(
    ("votes", "code"),
    [
        (Votes(23, 24, 14), "present-exceed-office"),
        (Votes(23, 20, 24), "votes-exceed-office"),
        (Votes(23, 20, 21, 0, 0, 0), "votes-exceed-proxies"),
        (Votes(23, 20, 14, 0, 0, 4), "proxies-exceed-absent"),
        (Votes(23, 20, 7, 7), "adopted-without-majority"),
    ],
)
def test_a_vote_that_cannot_be_is_refused(votes: Votes, code: str) -> None:
    Small(deliberation).refused(msgspec.structs.replace(ENTER, votes=votes), code)


def test_votes_beyond_those_present_are_kept_with_the_finding() -> None:
    """Real councils vote by proxy: Saint-Étienne 2022."""
    known = Known(on=DAY, today=DAY, by=By("a", ENTER.roles[0]), new_id="x", commune=DIORO)
    command = msgspec.structs.replace(ENTER, votes=Votes(123, 89, 101, 0, 4))
    (fact,) = deliberation.decide(deliberation.initial, command, known)
    assert [check.code for check in fact.checks] == ["votes-exceed-present"]  # type: ignore[attr-defined]


def test_a_deliberation_goes_from_the_vote_to_its_effect_and_its_end() -> None:
    told = Small(deliberation).given(ENTER, TransmitDeliberation(transmitted_on=DAY), MakeExecutory(executory_on=DAY))
    assert told.state.stage is DeliberationStage.EXECUTORY
    told.refused(MakeExecutory(executory_on=DAY), "deliberation-there-already")
    told.refused(TransmitDeliberation(transmitted_on=DAY), "deliberation-there-already")
    told.refused(AnnulDeliberation(annulled_on=date(2026, 2, 1), reason="x"), "before-the-decision")
    told.refused(AnnulDeliberation(annulled_on=date(2026, 4, 1), reason="x"), "not-happened-yet")
    told.given(AnnulDeliberation(annulled_on=DAY, reason="Délai"))
    assert (told.state.stage, told.state.ended_because) == (DeliberationStage.ANNULLED, "Délai")
    told.refused(TransmitDeliberation(transmitted_on=DAY), "deliberation-ended")
    repealed = Small(deliberation).given(ENTER, RepealDeliberation(repealed_on=DAY, reason="Erreur"))
    assert repealed.state.stage is DeliberationStage.REPEALED


def test_only_what_was_adopted_binds() -> None:
    rejected = msgspec.structs.replace(ENTER, outcome=Outcome.REJECTED, votes=Votes(23, 15, 1, 14))
    Small(deliberation).given(rejected).refused(MakeExecutory(executory_on=DAY), "only-adopted-binds")
    Small(deliberation).refused(MakeExecutory(executory_on=DAY), "deliberation-unknown")
    Small(deliberation, commune=None).refused(ENTER, "commune-unknown")
    Small(deliberation).refused(ENTER, "not-happened-yet", on=date(2026, 2, 1))


def test_an_organisation_lives_across_frameworks() -> None:
    told = Small(organisation).given(COOP, CountMembership(women=40, men=30, youth=20))
    told.given(FormaliseOrganisation(form=Form.COOPERATIVE, receipt="R-12", formalised_on=DAY))
    told.given(ChangeInvestmentRight(may_invest=False, reason="Statuts"))
    assert (told.state.form, told.state.women, told.state.may_invest) == (Form.COOPERATIVE, 40, False)
    told.refused(ChangeInvestmentRight(may_invest=False, reason="x"), "nothing-amended")
    told.refused(CountMembership(women=1, men=1, youth=3), "more-youth-than-people")
    Small(organisation).refused(CountMembership(women=1, men=1), "organisation-unknown")
    Small(organisation, commune=None).refused(COOP, "commune-unknown")


def test_a_policy_is_published_version_by_version() -> None:
    second = msgspec.structs.replace(sample(), version=2)
    told = Small(rulebook).given(PublishPolicy(document=sample()), PublishPolicy(document=second))
    assert told.state.versions == {1: sample(), 2: second}
    told.refused(PublishPolicy(document=second), "policy-version-taken")
    told.refused(PublishPolicy(document=msgspec.structs.replace(sample(), version=9)), "policy-version-taken")
