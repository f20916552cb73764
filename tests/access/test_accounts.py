"""How accounts begin, who grants what to whom, what takes two people, and what is left of a refusal."""

from __future__ import annotations

import pytest

from cycle.access import Forbidden
from cycle.aggregates.account import BeginAccounts, CloseAccount, GiveGrant, OpenAccount
from cycle.aggregates.acts import AttemptRefused
from cycle.aggregates.base import By, Command, LogName, Refused, Role
from cycle.aggregates.deliberation import MakeExecutory
from cycle.aggregates.framework.anytime import Dissolve
from cycle.aggregates.framework.council import RecordDeliberation
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.request import ConfirmRequest, WithdrawRequest
from cycle.aggregates.terms import DeliberationId
from cycle.engine import Engine, Said
from cycle.reading import Filters, PlaceUnknown, Reader
from tests.access.places import DAY, DIORO, FANTA, KOULA, SEGOU, SIRA, grant, say, two_communes
from tests.access.test_processes import PAPER
from tests.engine.path import ENDS, Path
from tests.people import ADMINISTRATOR, OPERATOR, accounts_begin, admit, by, everybody

ROOT = "/"


def refused(engine: Engine, command: Command, target: str | None, who: By) -> set[str]:
    with pytest.raises(Refused) as caught:
        say(engine, command, target, who)
    return {finding.code for finding in caught.value.findings}


def test_nobody_does_anything_on_a_log_without_accounts_but_begin_them(engine: Engine) -> None:
    assert refused(engine, OpenAccount(account="awa"), None, OPERATOR) == {"no-accounts-yet"}
    say(engine, BeginAccounts(account=OPERATOR.actor), by=OPERATOR)
    assert engine.door.now.accounts == {} or engine.door.refresh() is not None
    assert refused(engine, BeginAccounts(account="other"), None, By("other", Role.OPERATOR)) == {"accounts-begun"}


def test_the_operator_makes_the_first_administrator_and_no_other_and_never_himself(engine: Engine) -> None:
    say(engine, BeginAccounts(account=OPERATOR.actor), by=OPERATOR)
    first = GiveGrant(role=Role.ADMINISTRATOR, territory=ROOT)
    assert refused(engine, first, OPERATOR.actor, OPERATOR) == {"granted-to-oneself"}
    say(engine, OpenAccount(account="awa"), by=OPERATOR)
    assert refused(engine, GiveGrant(role=Role.AUDITOR, territory=ROOT), "awa", OPERATOR) == {"operator-grants-once"}
    say(engine, first, "awa", OPERATOR)
    say(engine, OpenAccount(account="sira"), by=OPERATOR)
    assert refused(engine, first, "sira", OPERATOR) == {"operator-grants-once"}


def test_nobody_grants_to_himself_nor_beyond_his_territory(engine: Engine) -> None:
    accounts_begin(engine)
    admit(engine, ("kadi", Role.ADMINISTRATOR, SEGOU), ("awa", Role.FACILITATOR, SEGOU))
    kadi = By("kadi", Role.ADMINISTRATOR)
    own = GiveGrant(role=Role.MAYOR, territory=SEGOU)
    assert refused(engine, own, "kadi", kadi) == {"granted-to-oneself"}
    assert refused(engine, own, "awa", FANTA) == {"account-unknown"}
    assert refused(engine, GiveGrant(role=Role.MAYOR, territory="ML"), "awa", kadi) == {"nothing-there"}
    say(engine, GiveGrant(role=Role.MAYOR, territory=f"{SEGOU}/Macina"), "awa", kadi)
    assert refused(engine, CloseAccount(reason="fin"), "awa", By("awa", Role.FACILITATOR)) == {"role-may-not"}


def test_who_facilitates_does_not_record_what_the_council_decided_whatever_else_he_is(engine: Engine) -> None:
    dioro, _ = two_communes(engine)
    command = RecordDeliberation(deliberation=DeliberationId("d-1"))
    assert "duties-apart" not in refused(engine, command, dioro, SIRA)
    grant(engine, SIRA.actor, Role.FACILITATOR, f"{SEGOU}/Ségou/{DIORO}")
    assert refused(engine, command, dioro, SIRA) == {"duties-apart"}


def test_a_list_leaves_out_what_lies_elsewhere_and_its_ids_are_unknown(engine: Engine) -> None:
    dioro, koula = two_communes(engine)
    reader = Reader(engine, FANTA.actor)
    reader.catch_up()
    assert [row.framework for row in reader.frameworks()] == [dioro]
    assert {row.commune for row in reader.rows("audit_trail")} == {DIORO}
    assert {fact.recorded.log for fact in reader.facts()} == {DIORO}
    assert {row.code for row in reader.communes()} == {DIORO, KOULA}, "where the communes are anybody may know"
    for look in (reader.framework_facts, reader.framework, reader.options, reader.history):
        with pytest.raises(PlaceUnknown):
            look(koula)
    with pytest.raises(Forbidden) as caught:
        reader.rows("plans", Filters(commune=KOULA))
    assert not caught.value.readable
    everything = reader.acting_as("auditor")
    assert {row.framework for row in everything.frameworks()} == {dioro, koula}


def asked(engine: Engine) -> tuple[Path, str]:
    """The mayor has asked for the end of the framework."""
    way = Path(engine)
    way.to(Stage.NEEDS_IDENTIFICATION)
    decided = way._adopted("2026-19", "Fin du cadre", ENDS)
    way._execute(MakeExecutory(executory_on=ENDS), ENDS, decided)
    receipt = way.say(Dissolve(deliberation=decided, reason="Fusion"), on=ENDS)
    assert [line.type for line in receipt.events] == ["act-requested"]
    return way, receipt.stream.partition("-")[2]


def confirm(engine: Engine, request: str, who: By) -> object:
    return engine.execute(Said(command=ConfirmRequest(), by=who, on=ENDS, target=request))


def test_a_dissolution_takes_two_accounts_with_the_right_to_it(engine: Engine) -> None:
    way, request = asked(engine)
    assert engine.framework(way.framework).stage is Stage.NEEDS_IDENTIFICATION
    with pytest.raises(Refused, match="second-person"):
        confirm(engine, request, by(Role.MAYOR))
    receipt = confirm(engine, request, by(Role.COUNCIL_SECRETARY))
    assert engine.framework(way.framework).stage is Stage.DISSOLVED
    confirmed, dissolved = (engine.states.history(line.stream)[-1] for line in receipt.events)  # type: ignore[attr-defined]
    assert (confirmed.by.actor, dissolved.by.actor) == ("council-secretary", "mayor")
    assert dissolved.data.seconded_by == "council-secretary"  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="request-confirmed"):
        confirm(engine, request, by(Role.COUNCIL_SECRETARY))


def test_what_is_withdrawn_is_confirmed_by_nobody(engine: Engine) -> None:
    _, request = asked(engine)
    withdraw = WithdrawRequest(reason="erreur")
    engine.execute(Said(command=withdraw, by=by(Role.MAYOR), on=ENDS, target=request))
    with pytest.raises(Refused, match="request-withdrawn"):
        confirm(engine, request, by(Role.COUNCIL_SECRETARY))


def attempts(engine: Engine) -> int:
    return sum(1 for _ in engine.store.read(0, log=LogName("platform"), types=[AttemptRefused.type]))


def test_a_refused_attempt_is_recorded_once_a_day_and_a_stranger_leaves_nothing(engine: Engine) -> None:
    everybody(engine)
    _, koula = DAY, "nowhere"
    for _ in range(3):
        assert refused(engine, PAPER, koula, by(Role.MAYOR)) == {"role-may-not"}
    assert attempts(engine) == 1
    stranger = By("stranger", Role.FACILITATOR)
    assert refused(engine, PAPER, koula, stranger) == {"account-unknown"}
    assert attempts(engine) == 1
    with Engine(str(engine.store.database.url.render_as_string(hide_password=False))) as another:
        refused(another, PAPER, koula, by(Role.MAYOR))
        assert attempts(another) == 1, "another process has heard of it too"


def test_what_leaves_the_log_is_recorded_before_it_leaves(engine: Engine) -> None:
    from cycle.aggregates.acts import EventsExported

    two_communes(engine)
    engine.act("auditor", "export-events", LogName(DIORO), EventsExported(9, LogName(DIORO)))
    fact = engine.states.history("acts-auditor")[-1]  # type: ignore[arg-type]
    assert (fact.type, fact.log, fact.by) == ("events-exported", "platform", by(Role.AUDITOR))
    assert ADMINISTRATOR.actor in engine.door.now.accounts
