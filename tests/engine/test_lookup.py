"""What a decision knows of other aggregates is what holds there now."""

from __future__ import annotations

import msgspec
import pytest

from cycle.aggregates.base import Refused
from cycle.aggregates.commune import BeginCouncilTerm, CorrectCommune
from cycle.aggregates.deliberation import AnnulDeliberation, CorrectDeliberation, RepealDeliberation
from cycle.aggregates.framework.contributions import PledgeContribution
from cycle.aggregates.framework.council import FollowDeliberation, Formalise, RecordDeliberation, SubmitToCouncil
from cycle.aggregates.framework.setup import AdoptPolicy, IdentifyActor, PrioritiseSectors
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.organisation import ChangeInvestmentRight, CorrectOrganisation, CountMembership
from cycle.aggregates.rulebook import PublishPolicy
from cycle.aggregates.terms import Ledger, Nature, OrganisationId, PolicyId, Use, Votes, Worth
from cycle.engine import Engine
from cycle.policy import sample
from cycle.reading import Reader
from tests.engine.path import DIORO, MET, PROPOSED, RICE, VOTED, Path, said


def refusal(path: Path, command: object, on: object) -> set[str]:
    with pytest.raises(Refused) as caught:
        path.say(command, on=on)  # type: ignore[arg-type]
    return {finding.code for finding in caught.value.findings}


def allowed(path: Path, command: str) -> bool:
    return next(o.allowed for o in path.engine.options(path.framework) if o.command == command)


@pytest.mark.parametrize(
    "end", [AnnulDeliberation(annulled_on=VOTED, reason="Délai"), RepealDeliberation(repealed_on=VOTED, reason="Non")]
)
def test_a_framework_is_not_formalised_once_its_deliberation_has_ended(engine: Engine, end: AnnulDeliberation) -> None:
    path = Path(engine)
    path.propose()
    path.say(PrioritiseSectors(sectors=("rice", "fish")), on=PROPOSED)
    path.say(IdentifyActor(sector="rice", actor="Casier"), IdentifyActor(sector="fish", actor="Rive"), on=PROPOSED)
    path.say(SubmitToCouncil(), on=PROPOSED)
    decided = path._adopted("2026-03", "Cadre", VOTED)
    path.say(RecordDeliberation(deliberation=decided), on=VOTED)
    assert not allowed(path, "follow-deliberation")
    engine.execute(said(end, VOTED, decided))
    assert "deliberation-ended" in refusal(path, Formalise(), VOTED)
    assert allowed(path, "follow-deliberation")
    path.say(FollowDeliberation(), on=VOTED)
    assert engine.framework(path.framework).stage is Stage.SUSPENDED


def test_a_right_to_invest_that_changes_reaches_the_next_pledge(engine: Engine) -> None:
    path = Path(engine)
    path.to(Stage.PLAN)
    organisation = OrganisationId(engine.framework(path.framework).members[RICE].organisation)
    pledge = PledgeContribution(
        member=RICE, ledger=Ledger.APPROACH, nature=Nature.CASH, worth=Worth(5_000), use=Use.CAPITAL
    )
    path.say(pledge, on=MET)
    engine.execute(said(ChangeInvestmentRight(may_invest=False, reason="Statuts"), MET, organisation))
    assert refusal(path, pledge, MET) == {"may-not-invest"}
    path.say(msgspec.structs.replace(pledge, use=Use.OPERATING), on=MET)


def test_a_newer_policy_can_be_adopted_as_soon_as_it_is_published(engine: Engine) -> None:
    path = Path(engine)
    path.propose()
    assert not allowed(path, "adopt-policy")
    assert refusal(path, AdoptPolicy(policy=PolicyId("wocat-pact")), PROPOSED) == {"policy-in-force"}
    second = msgspec.structs.replace(sample(), version=2)
    engine.execute(said(PublishPolicy(document=second), PROPOSED))
    assert allowed(path, "adopt-policy")
    path.say(AdoptPolicy(policy=PolicyId("wocat-pact")), on=PROPOSED)
    assert not allowed(path, "adopt-policy")


def test_every_register_is_set_right_in_the_same_way(engine: Engine) -> None:
    path = Path(engine)
    path.to(Stage.NEEDS_IDENTIFICATION)
    engine.execute(said(BeginCouncilTerm(since=PROPOSED, in_office=32), PROPOSED, DIORO))
    member = engine.framework(path.framework).members[RICE]
    engine.execute(said(CountMembership(women=600, men=20), MET, member.organisation))
    founding = engine.framework(path.framework).deliberation
    assert founding is not None

    def correct(command: type, target: str, version: int, **changes: object) -> None:
        raw = {field: msgspec.Raw(msgspec.json.encode(value)) for field, value in changes.items()}
        engine.execute(said(command(fact_version=version, changes=raw, reason="Erreur"), MET, target))

    correct(CorrectCommune, DIORO, 2, in_office=23)
    correct(CorrectCommune, DIORO, 1, name="Dioro-Ville")
    correct(CorrectOrganisation, member.organisation, 2, women=60)
    correct(CorrectDeliberation, founding.id, 1, votes=Votes(23, 18, 16, 2))
    reader = Reader(engine, "awa")
    reader.catch_up()
    [commune] = reader.communes()
    assert (commune.name, commune.in_office) == ("Dioro-Ville", 23)
    women = {row.organisation: row.women for row in reader.rows("organisations")}  # type: ignore[attr-defined]
    assert women[member.organisation] == 60
    assert engine.states.history(f"deliberation-{founding.id}")[0].data.votes == Votes(23, 18, 16, 2)  # type: ignore[arg-type, attr-defined]


def test_organisations_are_looked_up_where_the_right_to_invest_matters_and_nowhere_else(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ordinary command of a framework reads nothing but what it names."""
    path = Path(engine)
    path.to(Stage.PLAN)
    looked: list[str] = []
    load = engine.states.load

    def watched(aggregate: object, stream: str, *, fresh: bool = False) -> object:
        looked.append(stream.partition("-")[0])
        return load(aggregate, stream, fresh=fresh)  # type: ignore[arg-type]

    monkeypatch.setattr(engine.states, "load", watched)
    monkeypatch.setattr(engine._lookup, "_load", watched)
    pledge = PledgeContribution(member=RICE, ledger=Ledger.APPROACH, nature=Nature.CASH, worth=Worth(5_000))
    path.say(pledge, on=MET)
    assert looked == ["framework"]
    looked.clear()
    path.say(msgspec.structs.replace(pledge, use=Use.CAPITAL), on=MET)
    assert looked == ["framework", "organisation"]
