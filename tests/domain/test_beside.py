"""The small aggregates beside the framework: communes, deliberations, organisations, policies."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from cycle.aggregates.base import Aggregate, By, Command, Event, LogName, Recorded, Refused, StreamId
from cycle.aggregates.commune import (
    AddAlias,
    BeginCouncilTerm,
    ChangeParent,
    Commune,
    CorrectCommune,
    RegisterCommune,
    RenameCommune,
    commune,
)
from cycle.aggregates.corrections import Correction, FactCorrected
from cycle.aggregates.deliberation import (
    AnnulDeliberation,
    CorrectDeliberation,
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
    CorrectOrganisation,
    CountMembership,
    Form,
    FormaliseOrganisation,
    RegisterOrganisation,
    organisation,
)
from cycle.aggregates.rulebook import PublishPolicy, rulebook
from cycle.aggregates.terms import CommuneCode, Constituency, Outcome, Votes
from cycle.engine import AGGREGATES
from cycle.history import believed
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
        self.history: list[Recorded[Event]] = []
        self.known = {"commune": DIORO, **known}

    def given(self, *commands: Command, on: date = DAY) -> Small:
        for command in commands:
            by = By("somebody", command.roles[0])
            known = Known(on=on, today=on, by=by, new_id="x-1", history=believed(self.history), **self.known)
            for data in self.aggregate.decide(self.state, command, known):
                self.history.append(self._recorded(data, by, on))
            self.state = self.aggregate.fold(self.aggregate.initial, believed(self.history))
        return self

    def _recorded(self, data: Event, by: By, on: date) -> Recorded[Event]:
        version = len(self.history) + 1
        return Recorded(
            by=by,
            causation=f"k-{version}",
            command="x",
            correlation=f"k-{version}",
            data=data,
            id=f"e-{version}",
            log=LogName(DIORO.code),
            occurred_on=on,
            recorded_at=datetime(2026, 3, 1, tzinfo=UTC),
            schema=data.schema,
            stream=StreamId(f"{self.aggregate.name}-x-1"),
            type=data.type,
            version=version,
        )

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


def correct(told: Small, command: type[Correction], version: int, **changes: object) -> None:
    """Someone sets a fact right; the state is folded anew."""
    raw = {field: msgspec.Raw(msgspec.json.encode(value)) for field, value in changes.items()}
    told.given(command(fact_version=version, changes=raw, reason="Erreur de saisie"))


def test_a_wrong_vote_is_set_right_and_must_still_be_a_vote() -> None:
    told = Small(deliberation).given(ENTER, TransmitDeliberation(transmitted_on=DAY))
    correct(told, CorrectDeliberation, 1, votes=Votes(23, 16, 15, 1))
    assert told.state.votes == Votes(23, 16, 15, 1)
    with pytest.raises(Refused, match="present-exceed-office"):
        correct(told, CorrectDeliberation, 1, votes=Votes(23, 24, 14))
    with pytest.raises(Refused, match="adopted-without-majority"):
        correct(told, CorrectDeliberation, 1, votes=Votes(23, 16, 7, 7))


def test_the_days_of_a_deliberation_stay_in_their_order() -> None:
    told = Small(deliberation).given(ENTER, TransmitDeliberation(transmitted_on=DAY))
    with pytest.raises(Refused, match="before-the-decision"):
        correct(told, CorrectDeliberation, 2, transmitted_on="2026-02-01")
    correct(told, CorrectDeliberation, 1, decided_on="2026-02-27")
    correct(told, CorrectDeliberation, 2, transmitted_on="2026-02-28")
    assert (told.state.decided_on, told.state.transmitted_on) == (date(2026, 2, 27), date(2026, 2, 28))


def test_a_wrong_name_and_a_wrong_council_are_set_right() -> None:
    told = Small(commune).given(REGISTER, BeginCouncilTerm(since=DAY, in_office=23))
    correct(told, CorrectCommune, 1, name="Dioro-Ville")
    correct(told, CorrectCommune, 2, in_office=17)
    assert (told.state.name, told.state.in_office) == ("Dioro-Ville", 17)
    with pytest.raises(Refused, match="council-without-members"):
        correct(told, CorrectCommune, 2, in_office=0)
    with pytest.raises(Refused, match="not-correctable"):
        correct(told, CorrectCommune, 1, commune="ML-9")
    with pytest.raises(Refused, match="no-such-fact"):
        correct(told, CorrectCommune, 9, name="x")


def test_a_wrong_count_of_members_is_set_right() -> None:
    told = Small(organisation).given(COOP, CountMembership(women=400, men=30, youth=20))
    correct(told, CorrectOrganisation, 2, women=40)
    assert told.state.women == 40
    with pytest.raises(Refused, match="more-youth-than-people"):
        correct(told, CorrectOrganisation, 2, youth=99)


def test_every_aggregate_whose_facts_can_be_corrected_has_its_correction() -> None:
    """A declaration that nobody can use would be a promise that is not kept: docs/decisions/0002."""
    for aggregate in AGGREGATES:
        declared = any(event.correctable for event in aggregate.events)
        assert declared == any(issubclass(command, Correction) for command in aggregate.commands.values())
        assert declared == (FactCorrected in aggregate.events)
