"""The application service: one command in, one receipt out, whatever happens around it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from cycle.aggregates.base import Command, Refused, Role, StreamId
from cycle.aggregates.commune import AddAlias, RegisterCommune
from cycle.aggregates.framework.anytime import AttachDocument, CorrectFact
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.setup import AdmitMember, IdentifyActor, PrioritiseSectors, ProposeFramework
from cycle.aggregates.organisation import Form, RegisterOrganisation
from cycle.aggregates.rulebook import PublishPolicy
from cycle.aggregates.terms import CommuneCode, Constituency, FrameworkId
from cycle.engine import COMMANDS, BadInput, Engine, Said, UnknownCommand, read_command, stream_of
from cycle.policy import sample
from cycle.store import Append, Conflict, KeyReused, Receipt
from tests.people import by, everybody, sayer

DIORO = CommuneCode("ML-4-01-01")
DAY = date(2026, 2, 2)


def said(command: Command, target: str | None = None, **more: object) -> Said:
    return Said(command=command, by=sayer(command), on=DAY, target=target, **more)  # type: ignore[arg-type]


def begun(engine: Engine) -> str:
    """A framework in Dioro; returns its id."""
    everybody(engine)
    engine.execute(said(PublishPolicy(document=sample())))
    engine.execute(said(RegisterCommune(commune=DIORO, name="Dioro", region="Ségou", circle="Ségou")))
    receipt = engine.execute(said(ProposeFramework(commune=DIORO, title="Cadre de Dioro")))
    return receipt.stream.partition("-")[2]


def test_a_command_is_decided_stored_and_receipted(engine: Engine) -> None:
    identity = begun(engine)
    before = engine.store.head().position
    receipt = engine.execute(said(PrioritiseSectors(sectors=("rice", "fish")), identity))
    assert (receipt.version, receipt.position) == (2, before + 1)
    assert [line.type for line in receipt.events] == ["sectors-prioritised"]
    assert engine.framework(FrameworkId(identity)).sectors == ("rice", "fish")


def test_the_envelope_says_who_when_why_and_under_which_command(engine: Engine) -> None:
    identity = begun(engine)
    facilitator = by(Role.FACILITATOR, "coop")
    command = PrioritiseSectors(sectors=("rice", "fish"))
    receipt = engine.execute(
        Said(command=command, by=facilitator, on=DAY, target=identity, key="k-1", correlation="c-0")
    )
    fact = engine.states.history(receipt.stream)[-1]
    assert (fact.by, fact.occurred_on) == (facilitator, DAY)
    assert (fact.command, fact.causation, fact.correlation) == ("prioritise-sectors", "k-1", "c-0")
    assert (fact.log, fact.type, fact.schema, fact.version) == (DIORO, "sectors-prioritised", 1, 2)
    assert fact.recorded_at == receipt.recorded_at


def test_a_key_that_was_lost_on_the_way_gets_the_first_receipt(engine: Engine) -> None:
    """Even when the command would be refused by now."""
    identity = begun(engine)
    submit = said(PrioritiseSectors(sectors=("rice", "fish")), identity, key="phone-1")
    first = engine.execute(submit)
    engine.execute(said(COMMANDS["suspend"](reason="insécurité"), identity))
    assert engine.execute(submit) == first
    with pytest.raises(KeyReused):
        engine.execute(said(COMMANDS["resume"](reason="calme"), identity, key="phone-1"))


def test_a_refusal_stores_nothing(engine: Engine) -> None:
    identity = begun(engine)
    before = engine.store.head()
    with pytest.raises(Refused):
        engine.execute(said(PrioritiseSectors(sectors=("rice",)), identity))
    assert engine.store.head() == before


def test_a_stale_state_is_never_the_reason_of_a_refusal(database_url: str) -> None:
    """Two engines, each with its own memory of the framework."""
    with Engine(database_url) as one, Engine(database_url) as two:
        identity = begun(one)
        two.framework(FrameworkId(identity), fresh=False)
        two.execute(said(PrioritiseSectors(sectors=("rice", "fish")), identity))
        one.execute(said(IdentifyActor(sector="rice", actor="Groupement"), identity))
        two.execute(said(IdentifyActor(sector="fish", actor="Pêcheurs"), identity))
        assert one.framework(FrameworkId(identity)).actor_sectors == {"rice", "fish"}


def test_of_what_another_process_has_written_no_more_is_read_than_is_new(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Engine(database_url) as one, Engine(database_url) as two:
        identity = begun(one)
        for engine in (one, two, one, two):
            engine.execute(said(PrioritiseSectors(sectors=("rice", "fish")), identity))
            engine.execute(said(PrioritiseSectors(sectors=("rice", "shallot")), identity))
        asked: list[int | None] = []
        leaves = one.store.leaves

        def counted(stream: StreamId, *, gt: int | None = None, **more: Any) -> Iterator[Any]:
            asked.append(gt)
            return leaves(stream, gt=gt, **more)

        monkeypatch.setattr(one.store, "leaves", counted)
        one.execute(said(PrioritiseSectors(sectors=("rice", "fish")), identity))
        assert asked == [7], "it knew seven facts, and two were new"


def test_who_writes_in_turn_with_another_process_is_found_stale_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From then on it reads on first, until it is alone again."""
    with Engine(database_url) as one, Engine(database_url) as two:
        identity = begun(one)
        two.framework(FrameworkId(identity), fresh=False)
        stale: list[str] = []
        append = two.store.append

        def counted(save: Append) -> Receipt:
            try:
                return append(save)
            except Conflict:
                stale.append(save.key)
                raise

        monkeypatch.setattr(two.store, "append", counted)
        for _ in range(5):
            one.execute(said(PrioritiseSectors(sectors=("rice", "shallot")), identity))
            two.execute(said(PrioritiseSectors(sectors=("rice", "fish")), identity))
        assert len(stale) == 1
        stream = stream_of(framework, identity)
        assert two.states.is_shared(stream)
        two.execute(said(PrioritiseSectors(sectors=("rice", "shallot")), identity))
        assert not two.states.is_shared(stream)


def test_a_correction_by_another_process_is_believed(database_url: str) -> None:
    """What was folded before cannot be gone on from."""
    with Engine(database_url) as one, Engine(database_url) as two:
        identity = begun(one)
        two.framework(FrameworkId(identity))
        changes = {"title": msgspec.Raw(b'"Cadre du riz"')}
        one.execute(said(CorrectFact(fact_version=1, changes=changes, reason="Faute"), identity))
        one.execute(said(PrioritiseSectors(sectors=("rice", "fish")), identity))
        found = two.framework(FrameworkId(identity))
        assert (found.title, found.sectors, found.version) == ("Cadre du riz", ("rice", "fish"), 3)
        assert found == one.framework(FrameworkId(identity))


def test_two_proposals_at_once_do_not_both_pass(engine: Engine) -> None:
    everybody(engine)
    engine.execute(said(PublishPolicy(document=sample())))
    engine.execute(said(RegisterCommune(commune=DIORO, name="Dioro", region="Ségou", circle="Ségou")))

    def propose(n: int) -> object:
        try:
            return engine.execute(said(ProposeFramework(commune=DIORO, title=f"Cadre {n}")))
        except Refused as refused:
            return refused.findings[0].code

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(propose, range(8)))
    assert sum(isinstance(outcome, Receipt) for outcome in outcomes) == 1
    assert set(outcomes) - {o for o in outcomes if isinstance(o, Receipt)} == {"too-many-frameworks"}


def test_many_at_once_on_one_framework_all_pass(engine: Engine) -> None:
    identity = begun(engine)
    digest = "0" * 64

    def attach(n: int) -> int:
        paper = AttachDocument(title=f"Papier {n}", sha256=digest, bytes=n, media="application/pdf")
        return engine.execute(said(paper, identity)).version

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(attach, range(24))) == list(range(2, 26))


def test_a_correction_is_believed_from_then_on(engine: Engine) -> None:
    identity = begun(engine)
    changes = {"title": msgspec.Raw(b'"Cadre de concertation de Dioro"')}
    correct = CorrectFact(fact_version=1, changes=changes, reason="Faute de frappe")
    receipt = engine.execute(said(correct, identity))
    assert engine.framework(FrameworkId(identity)).title == "Cadre de concertation de Dioro"
    assert engine.states.history(receipt.stream)[0].data.title == "Cadre de concertation de Dioro"  # type: ignore[attr-defined]
    stored = bytes(engine.store.read_stream(receipt.stream)[0].state)
    assert b"Cadre de Dioro" in stored, "the wrong fact stays"


def test_an_organisation_becomes_a_member(engine: Engine) -> None:
    identity = begun(engine)
    register = RegisterOrganisation(
        commune=DIORO, name="Coop", constituency=Constituency.PROFESSIONAL_ORGANISATION, form=Form.COOPERATIVE
    )
    organisation = engine.execute(said(register)).stream.partition("-")[2]
    engine.execute(said(AdmitMember(organisation=organisation), identity))  # type: ignore[arg-type]
    assert [m.name for m in engine.framework(FrameworkId(identity)).members.values()] == ["Coop"]


def test_what_does_not_exist_is_said_to_be_unknown(engine: Engine) -> None:
    everybody(engine)
    with pytest.raises(Refused) as caught:
        engine.execute(said(PrioritiseSectors(sectors=("rice", "fish")), "nowhere"))
    assert [f.code for f in caught.value.findings] == ["framework-unknown"]
    with pytest.raises(Refused) as caught:
        engine.execute(said(AddAlias(alias="x"), "ML-9"))
    assert [f.code for f in caught.value.findings] == ["commune-unknown"]
    with pytest.raises(BadInput, match="say which one it is about"):
        engine.execute(said(AddAlias(alias="x")))
    with pytest.raises(Refused, match="framework-unknown"):
        engine.options(FrameworkId("nowhere"))


def test_a_clock_that_is_passed_in_is_the_time_of_record(database_url: str) -> None:
    moment = datetime(2026, 5, 5, 12, tzinfo=UTC)
    with Engine(database_url, clock=lambda: moment) as engine:
        everybody(engine)
        receipt = engine.execute(said(PublishPolicy(document=sample())))
        assert receipt.recorded_at == moment
        assert engine.today() == moment.date()


def test_a_command_is_read_from_json() -> None:
    command = read_command("prioritise-sectors", b'{"sectors":["rice","fish"]}')
    assert command == PrioritiseSectors(sectors=("rice", "fish"))


def test_texts_are_composed_whatever_the_keyboard_does() -> None:
    command = read_command("suspend", b'{"reason":"se\\u0301curite\\u0301"}')
    assert command.reason == "sécurité"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "data", "error", "words"),
    [
        ("prioritize-sectors", b"{}", UnknownCommand, "did you mean: prioritise-sectors"),
        ("prioritise-sectors", b"{}", BadInput, "missing required field `sectors`"),
        ("prioritise-sectors", b'{"sectors":["Rice!"]}', BadInput, "matching regex"),
        ("prioritise-sectors", b'{"sectors":[],"extra":1}', BadInput, "unknown field `extra`"),
        ("suspend", b'{"reason":"   "}', BadInput, r"got blanks - at `\$\.reason`"),
        (
            "correct-fact",
            b'{"fact_version":1,"changes":{"note":" "},"reason":"?"}',
            BadInput,
            r"blanks - at `\$\.changes\.note`",
        ),
        ("suspend", b"not json", BadInput, "malformed"),
        ("suspend", b'{"reason":"\xff"}', BadInput, "suspend"),
    ],
)
def test_bad_input_says_what_is_wrong_and_where(name: str, data: bytes, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        read_command(name, data)
