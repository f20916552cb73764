"""Each place that asks at the door is needed: for each there is a story that is told wrongly without it.

The places are found in the source; one that nobody tells a story about fails here.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import FrameType

import pytest
from msgspec import Raw

import cycle
import cycle_adapters
from cycle import access, door, reading
from cycle.access import Forbidden
from cycle.aggregates.base import By, LogName, Role
from cycle.aggregates.deliberation import MakeExecutory
from cycle.aggregates.framework.anytime import AttachDocument, CorrectFact, Dissolve
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.request import ConfirmRequest, WithdrawRequest
from cycle.aggregates.terms import DeliberationId, SubscriptionId
from cycle.aggregates.webhook import RegisterWebhook
from cycle.board import Hands
from cycle.engine import Engine, Said
from cycle.failures import Failure
from cycle.fanout.handing import HandingOn
from cycle.feed import Feed, Wanted
from cycle.history import Cutoffs
from cycle.lookup import stream_of
from cycle.reading import Filters, Reader
from cycle.store import Conflict
from cycle.vault.keys import VaultError
from cycle.vault.people import recipient
from cycle.webhooks.endpoints import Webhooks
from cycle_adapters.cli.main import cli
from cycle_adapters.cli.settings import before_parsing
from cycle_adapters.files.backup import backup as write_backup
from cycle_adapters.files.deliberations import judge, record
from cycle_adapters.files.mapping import scdl
from cycle_adapters.jetstream.errors import NatsTrouble
from tests.access.places import DAY, DIORO, FANTA, KOULA, revoke, say, two_communes
from tests.engine.path import ENDS
from tests.engine.path import Path as Way
from tests.files.test_deliberations import GOOD, HEADER
from tests.http.sealed import seal
from tests.http.town import served
from tests.people import admit, by

SOURCE, ADAPTERS = Path(cycle.__file__).parent, Path(cycle_adapters.__file__).parent
ASKS = {"let": door.Door.let, "passes": door.Door.passes, "act": door.Door.act, "_may": reading.Reader._may}
"""What asks at the door: ``authorize`` itself is called by ``let`` alone."""
Site = tuple[str, str]


def sites() -> set[Site]:
    """File and function of every call that asks at the door."""
    return {site for folder in (SOURCE, ADAPTERS) for file in folder.rglob("*.py") for site in _sites_of(file)}


def _sites_of(file: Path) -> Iterator[Site]:
    for function in ast.walk(ast.parse(file.read_text("utf-8"))):
        if not isinstance(function, ast.FunctionDef):
            continue
        for call in ast.walk(function):
            if isinstance(call, ast.Call):
                name, _, owner = ast.unparse(call.func)[::-1].partition(".")
                asks = name[::-1] in ASKS and owner[::-1] in (
                    "self",
                    "self.door",
                    "self._door",
                    "door",
                    "engine",
                    "engine.door",
                )
                if asks or name[::-1] == "authorize":
                    yield file.name, function.name


def elsewhere(engine: Engine) -> None:
    """Fanta may attach papers in Ségou, not in Koulikoro."""
    _, koula = two_communes(engine)
    with pytest.raises(Forbidden):
        say(engine, PAPER, koula, FANTA)


def elsewhere_with_others(engine: Engine) -> None:
    """Nor in one save with others."""
    dioro, koula = two_communes(engine)
    saids = [Said(command=PAPER, by=FANTA, on=DAY, target=target) for target in (dioro, koula)]
    with pytest.raises(Forbidden):
        engine.execute_all(saids, "k")


def confirmed_by_a_stranger(engine: Engine) -> None:
    """Who may confirm other acts, but has no right to this one, confirms nothing."""
    request = _asked(engine)
    with pytest.raises(Forbidden):
        engine.execute(Said(command=ConfirmRequest(), by=by(Role.DATA_PROTECTION), on=ENDS, target=request))


def withdrawn_by_a_stranger(engine: Engine) -> None:
    """Nor withdraws anything."""
    request = _asked(engine)
    withdraw = WithdrawRequest(reason="?")
    with pytest.raises(Forbidden):
        engine.execute(Said(command=withdraw, by=by(Role.FACILITATOR), on=ENDS, target=request))


def corrected_by_who_facilitates(engine: Engine) -> None:
    """Who holds both roles may say that he keeps the council's books, and facilitates all the same."""
    way = Way(engine)
    way.to(Stage.NEEDS_IDENTIFICATION)
    admit(engine, ("council-secretary", Role.FACILITATOR, "/"))
    with pytest.raises(Forbidden):
        engine.execute(_correcting(engine, way, by(Role.COUNCIL_SECRETARY)))


def asked_by_somebody_who_lost_the_right(engine: Engine) -> None:
    """A right that was revoked between asking and confirming."""
    request = _asked(engine)
    revoke(engine, "mayor")
    with pytest.raises(Forbidden):
        engine.execute(Said(command=ConfirmRequest(), by=by(Role.COUNCIL_SECRETARY), on=ENDS, target=request))


def form_elsewhere(engine: Engine) -> None:
    """A form for what Fanta may not do there is not shown to her."""
    two_communes(engine)
    with pytest.raises(Forbidden):
        Hands.of(_reader(engine), KOULA).demanded(PAPER.type)


def exported(engine: Engine) -> None:
    """Who facilitates exports nothing."""
    two_communes(engine)
    with pytest.raises(Forbidden):
        engine.act("fanta", "export-events")


def rows_elsewhere(engine: Engine) -> None:
    """A list that names a commune of others is refused."""
    two_communes(engine)
    with pytest.raises(Forbidden):
        _reader(engine).rows("plans", Filters(commune=KOULA))


def rows_of_past_elsewhere(engine: Engine) -> None:
    """Tables of a past day that are read side by side: of a commune of others none is."""
    two_communes(engine)
    read = _reader(engine).together(Filters(commune=KOULA), Cutoffs(as_of=ENDS))
    with pytest.raises(Forbidden):
        list(read("stage_visit"))


def history_elsewhere(engine: Engine) -> None:
    two_communes(engine)
    with pytest.raises(Forbidden):
        _reader(engine).facts(KOULA)


def corrections_elsewhere(engine: Engine) -> None:
    two_communes(engine)
    with pytest.raises(Forbidden):
        _reader(engine).corrections(KOULA)


def fed_elsewhere(engine: Engine) -> None:
    two_communes(engine)
    with pytest.raises(Forbidden):
        Feed(_reader(engine), Wanted(commune=KOULA)).read(0, 10)


def carried_out(*arguments: str) -> Callable[[Engine], None]:
    """Who keeps personal data reads everything, and carries no paper out of the house."""

    def said(engine: Engine) -> None:
        Way(engine).to(Stage.PLAN)
        url = engine.store.database.url.render_as_string()
        here = Path(url.removeprefix("sqlite:///")).parent
        words = [each.format(here=here) for each in arguments]
        keeper = Role.DATA_PROTECTION.value
        with pytest.raises(Forbidden):
            cli.main(["--database", url, "--actor", keeper, *words], standalone_mode=False, obj=before_parsing([]))

    said.__name__ = "-".join(arguments[:2])
    return said


def left_recorded(engine: Engine) -> None:
    """What leaves for evaluation is recorded: the tables themselves ask who may have them, and leave no trace."""
    two_communes(engine)
    url = engine.store.database.url.render_as_string()
    words = ["export", "csv", "--to", str(Path(url.removeprefix("sqlite:///")).with_suffix(".tables.zip"))]
    evaluator = Role.EVALUATOR.value
    cli.main(["--database", url, "--actor", evaluator, *words], standalone_mode=False, obj=before_parsing([]))
    if not any(topic == "tables-exported" for _, topic, _, _ in engine.store.read(0)):
        pytest.fail("DID NOT RAISE")


def framework_history(engine: Engine) -> None:
    _closed(engine, lambda reader, framework: reader.framework_facts(framework))


def next_steps(engine: Engine) -> None:
    _closed(engine, lambda reader, framework: reader.options(framework))


def state(engine: Engine) -> None:
    _closed(engine, lambda reader, framework: reader.framework(framework))


def believed_history(engine: Engine) -> None:
    _closed(engine, lambda reader, framework: reader.history(framework))


def verb(*arguments: str) -> Callable[[Engine], None]:
    """Fanta says a verb that is not hers."""

    def said(engine: Engine) -> None:
        two_communes(engine)
        url = engine.store.database.url.render_as_string()
        words = [each.format(here=Path(url.removeprefix("sqlite:///")).parent) for each in arguments]
        with pytest.raises(Forbidden):
            cli.main(["--database", url, "--actor", "fanta", *words], standalone_mode=False, obj=before_parsing([]))

    said.__name__ = "-".join(arguments[:2])
    return said


def imported_by_another_hand(engine: Engine) -> None:
    """A mayor may enter a decision, and import no register."""
    two_communes(engine)
    report = judge(f"{HEADER}\n{GOOD}".encode(), DIORO, scdl(), "a.csv", date(2026, 7, 1))
    with pytest.raises(Forbidden):
        record(engine, report, by(Role.MAYOR))


def judged_by_another_hand(engine: Engine) -> None:
    """Nor see what the register holds otherwise."""
    folder = Path(str(engine.store.database.url.database)).parent
    (folder / "a.csv").write_text(f"{HEADER}\n{GOOD}", "utf-8")
    verb("import", "deliberations", "{here}/a.csv", "--commune", "Dioro", "--dry-run")(engine)


def openings_of_others(engine: Engine) -> None:
    """Who facilitates is handed nobody's personal data in a bundle."""
    two_communes(engine)
    with pytest.raises(Forbidden):
        recipient(engine, "fanta", DIORO)  # type: ignore[arg-type]


def log_of_another(engine: Engine) -> None:
    folder = Path(str(engine.store.database.url.database)).parent
    (folder / "a.jsonl").write_bytes(b"")
    with suppress(Failure):
        verb("import", "events", "{here}/a.jsonl", "--continue")(engine)
        return
    pytest.fail("DID NOT RAISE")


def with_seals(*arguments: str) -> Callable[[Engine], None]:
    """Fanta says a verb that is not hers, where everything is sealed."""

    def said(engine: Engine) -> None:
        here = Path(str(engine.store.database.url.database)).parent
        two_communes(engine)
        url = engine.store.database.url.render_as_string()
        named = Path(str(engine.store.database.url.database)).with_suffix(".key")
        key = ("--key-file", str(named))
        for words in (("--new-key", "cycle.example.org"), ("--once",)):
            cli.main(["--database", url, "seal", *words, *key], standalone_mode=False, obj=before_parsing([]))
        words = [each.format(here=here, key=named, stem=named.stem) for each in arguments]
        with pytest.raises(Forbidden):
            cli.main(["--database", url, "--actor", "fanta", *words], standalone_mode=False, obj=before_parsing([]))

    said.__name__ = "-".join(arguments[:2])
    return said


def keys_of_another(engine: Engine) -> None:
    with suppress(VaultError):
        verb("vault", "rewrap", "--old", "{here}/old.key")(engine)
        return
    pytest.fail("DID NOT RAISE")


def backup_of_another(engine: Engine) -> None:
    path = Path(str(engine.store.database.url.database))
    file = path.with_suffix(".backup")
    with Engine(f"sqlite:///{path.with_suffix('.empty')}") as empty:
        write_backup(empty.store, file, lambda done, of: None)
    with suppress(Conflict, Failure):
        verb("restore", str(file))(engine)
        return
    pytest.fail("DID NOT RAISE")


def in_no_role(engine: Engine) -> None:
    """Whoever says in no role what he may nowhere is told so before anything is decided."""
    _, koula = two_communes(engine)
    with pytest.raises(Forbidden):
        engine.door.role_of("fanta", PAPER, koula)


def sent_to_somebody_who_lost_the_right(engine: Engine) -> None:
    """What his webhook was for is not what its owner may read any more."""
    two_communes(engine)
    command = RegisterWebhook(url="https://example.org/hook", after=0)
    receipt = engine.execute(Said(command=command, by=by(Role.INTEGRATOR), on=DAY))
    revoke(engine, Role.INTEGRATOR.value)
    engine.door.refresh()
    webhooks = Webhooks(engine)
    if webhooks.owner_reads(webhooks.refresh()[SubscriptionId(receipt.stream.partition("-")[2])], LogName(DIORO)):
        pytest.fail("DID NOT RAISE")


def handed_on_by_who_lost_the_right(engine: Engine) -> None:
    """Whoever hands every event on may read every event, or hands none on."""
    two_communes(engine)
    revoke(engine, Role.WORKER.value)
    if HandingOn(engine, Role.WORKER.value).may:
        pytest.fail("DID NOT RAISE")


def refilled(engine: Engine) -> None:
    """She says so before anything is asked of NATS, let alone deleted there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CYCLE_NATS", "nats://127.0.0.1:1")
        try:
            verb("nats", "refill", "--yes")(engine)
        except NatsTrouble:
            # There is none: it was asked.
            pytest.fail("DID NOT RAISE")


def receipt_over_http(engine: Engine) -> None:
    """A receipt from elsewhere is as unknown as one that there never was."""
    _, koula = two_communes(engine)
    engine.execute(Said(command=PAPER, by=by(Role.FACILITATOR), on=DAY, target=koula, key="k"))
    with served(engine, "fanta") as client:
        if client.get("/api/v1/receipts/k").status_code != 404:
            pytest.fail("DID NOT RAISE")


def carried_out_over_http(path: str) -> Callable[[Engine], None]:
    """Who keeps personal data is handed neither paper nor days by an address either."""

    def asked(engine: Engine) -> None:
        framework = Way(engine).to(Stage.PLAN)
        with served(engine, Role.DATA_PROTECTION.value) as client:
            if client.get(f"/api/v1{path.format(framework=framework)}").status_code != 403:
                pytest.fail("DID NOT RAISE")

    asked.__name__ = path.rpartition("/")[2]
    return asked


def report_recorded_over_http(engine: Engine) -> None:
    """What leaves is recorded: the figures themselves ask who may have them, and leave no trace."""
    two_communes(engine)
    with served(engine, Role.EVALUATOR.value) as client:
        assert client.get("/api/v1/report.pdf").status_code == 200
    if not any(topic == "tables-exported" for _, topic, _, _ in engine.store.read(0)):
        pytest.fail("DID NOT RAISE")


def report_recorded(engine: Engine) -> None:
    """The same on the command line."""
    two_communes(engine)
    url = engine.store.database.url.render_as_string()
    words = ["export", "report", "--to", str(Path(url.removeprefix("sqlite:///")).with_suffix(".pdf"))]
    evaluator = Role.EVALUATOR.value
    cli.main(["--database", url, "--actor", evaluator, *words], standalone_mode=False, obj=before_parsing([]))
    if not any(topic == "tables-exported" for _, topic, _, _ in engine.store.read(0)):
        pytest.fail("DID NOT RAISE")


def proved_to_a_stranger(engine: Engine) -> None:
    """What is signed of a log is told to who reads there."""
    _, _ = two_communes(engine)
    seal(engine)
    with served(engine, "fanta") as client:
        if client.get(f"/api/v1/logs/{KOULA}/checkpoint").status_code != 404:
            pytest.fail("DID NOT RAISE")


def order_of_an_auditor(engine: Engine) -> None:
    """Who sees a webhook that is not his is shown no form by which it is changed."""
    two_communes(engine)
    command = RegisterWebhook(url="https://example.org/hook", after=0)
    receipt = engine.execute(Said(command=command, by=by(Role.INTEGRATOR), on=DAY))
    with served(engine, Role.AUDITOR.value) as client:
        path = f"/subscriptions/{receipt.stream.partition('-')[2]}/do/pause-webhook"
        if client.get(path).status_code != 403:
            pytest.fail("DID NOT RAISE")


PAPER = AttachDocument(title="Reçu", sha256="0" * 64, bytes=1, media="image/jpeg")
STORIES: dict[Site, tuple[Callable[[Engine], None], ...]] = {
    ("door.py", "let"): (elsewhere, exported, rows_elsewhere),
    ("door.py", "passes"): (elsewhere,),
    ("door.py", "role_of"): (in_no_role,),
    ("saying.py", "receipt_of"): (receipt_over_http,),
    ("board.py", "demanded"): (form_elsewhere,),
    ("door.py", "_sets_right"): (corrected_by_who_facilitates,),
    ("door.py", "act"): (exported,),
    ("deciding.py", "_one"): (elsewhere, asked_by_somebody_who_lost_the_right),
    ("deciding.py", "together"): (elsewhere_with_others,),
    ("deciding.py", "_asked"): (confirmed_by_a_stranger, withdrawn_by_a_stranger),
    ("engine.py", "act"): (exported,),
    ("verbs.py", "export_events"): (verb("export", "events", "--to", "{here}/x.jsonl"),),
    ("verbs.py", "import_events"): (log_of_another,),
    ("verbs.py", "import_deliberations"): (judged_by_another_hand,),
    ("deliberations.py", "record"): (imported_by_another_hand,),
    ("backup_verbs.py", "backup"): (verb("backup", "{here}/x.backup"),),
    ("backup_verbs.py", "restore"): (backup_of_another,),
    ("verbs.py", "let_out"): (carried_out("export", "plan", "Dioro", "--to", "{here}/plan.pdf"), report_recorded),
    ("verbs.py", "ics"): (carried_out("export", "ics", "--to", "{here}/days.ics"),),
    ("verbs.py", "export_deliberations"): (
        verb("export", "deliberations", "--commune", "Dioro", "--to", "{here}/x.csv"),
    ),
    ("taking.py", "export"): (left_recorded,),
    ("verbs.py", "seal"): (with_seals("seal", "--once", "--key-file", "{key}"),),
    ("checking.py", "verify"): (verb("verify"),),
    ("receipts.py", "receipt"): (with_seals("receipt", "accounts-begin", "--key-file", "{key}"),),
    ("paper.py", "handed_out"): (carried_out_over_http("/frameworks/{framework}/plan.pdf"),),
    ("paper.py", "calendar"): (carried_out_over_http("/calendar.ics"),),
    ("paper.py", "report"): (report_recorded_over_http,),
    ("proving.py", "asked"): (proved_to_a_stranger,),
    ("exporting.py", "export"): (with_seals("export", "bundle", "--commune", DIORO, "--to", "{here}/{stem}.zip"),),
    ("exporting.py", "checkpoint"): (
        with_seals("export", "checkpoint", "--commune", KOULA, "--to", "{here}/koula"),
        with_seals("export", "checkpoint", "--to", "{here}/registry"),
    ),
    ("vaulting.py", "rewrap"): (keys_of_another,),
    ("vaulting.py", "forget_again_"): (verb("vault", "forget-again"),),
    ("accounts.py", "list_"): (verb("account", "list"),),
    ("tokens.py", "list_"): (verb("token", "list"),),
    ("keeping.py", "rebuild"): (verb("rebuild"),),
    ("known.py", "seen_by"): (verb("webhook", "list"),),
    ("known.py", "owner_reads"): (sent_to_somebody_who_lost_the_right,),
    ("handing.py", "may"): (handed_on_by_who_lost_the_right,),
    ("verbs.py", "refill_"): (refilled,),
    ("known.py", "role_demanded"): (order_of_an_auditor,),
    ("people.py", "recipient"): (openings_of_others,),
    ("reading.py", "_may"): (rows_elsewhere,),
    ("reading.py", "_found"): (rows_elsewhere,),
    ("reading.py", "facts"): (history_elsewhere,),
    ("reading.py", "corrections"): (corrections_elsewhere,),
    ("reading.py", "readable"): (fed_elsewhere, rows_of_past_elsewhere),
    ("reading.py", "framework_facts"): (framework_history,),
    ("reading.py", "options"): (next_steps,),
    ("reading.py", "framework"): (state,),
    ("reading.py", "history"): (believed_history,),
}


def _asked(engine: Engine) -> str:
    """The mayor has asked to dissolve the framework."""
    way = Way(engine)
    way.to(Stage.NEEDS_IDENTIFICATION)
    decided = way._adopted("2026-19", "Fin du cadre", ENDS)
    way._execute(MakeExecutory(executory_on=ENDS), ENDS, decided)
    asked = way.say(Dissolve(deliberation=DeliberationId(decided), reason="Fusion"), on=ENDS)
    return asked.stream.partition("-")[2]


def _correcting(engine: Engine, way: Way, who: By) -> Said:
    """The council's vote, as it was copied into the framework, set right."""
    history = engine.states.history(stream_of(framework, way.framework))
    vote = next(fact for fact in history if fact.type == "council-deliberated")
    changes = {"number": Raw(b'"2026-04"')}
    command = CorrectFact(fact_version=vote.version, changes=changes, reason="Erreur de saisie")
    return Said(command=command, by=who, on=ENDS, target=way.framework)


def _reader(engine: Engine) -> Reader:
    reader = Reader(engine, "fanta")
    reader.catch_up()
    return reader


def _closed(engine: Engine, look: Callable[[Reader, str], object]) -> None:
    """What Fanta had found is closed to her once her right is revoked, though she still knows its id."""
    dioro, _ = two_communes(engine)
    reader = _reader(engine)
    assert look(reader, dioro)
    reader._home = lambda identity: DIORO  # type: ignore[method-assign]
    revoke(engine, "fanta")
    reader.catch_up()
    with pytest.raises(Forbidden):
        look(reader, dioro)


def test_every_place_that_asks_has_its_story() -> None:
    assert sites() == set(STORIES)


def told() -> list[tuple[Site, Callable[[Engine], None]]]:
    return [(site, story) for site, stories in STORIES.items() for story in stories]


def _named(each: object) -> str:
    return "-".join(each) if isinstance(each, tuple) else str(getattr(each, "__name__", each))


@pytest.mark.parametrize(("site", "story"), told(), ids=_named)
def test_the_story_holds_and_does_not_without_the_question(
    site: Site, story: Callable[[Engine], None], sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Engine(sqlite_url) as engine:
        story(engine)
    _take_away(site, monkeypatch)
    with (
        Engine(f"sqlite:///{tmp_path / 'without.db'}") as engine,
        pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"),
    ):
        story(engine)


def _take_away(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this place asks is answered with yes, and no other place's question."""

    def here(frame: FrameType) -> bool:
        return (Path(frame.f_code.co_filename).name, frame.f_code.co_name) == site

    def without(real: Callable[..., object], instead: Callable[..., object]) -> Callable[..., object]:
        def asked(*given: object, **named: object) -> object:
            return instead(*given, **named) if here(sys._getframe(1)) else real(*given, **named)

        return asked

    yes = without(access.authorize, lambda *given, **named: Role.AUDITOR)
    monkeypatch.setattr(door, "authorize", yes)
    everywhere = lambda *given, **named: ((),)  # noqa: E731
    monkeypatch.setattr(Engine, "act", without(Engine.act, everywhere))
    for name, real in ASKS.items():
        owner = reading.Reader if name == "_may" else door.Door
        monkeypatch.setattr(owner, name, without(real, everywhere))
