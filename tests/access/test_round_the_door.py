"""Nothing is shown to anybody round the door: who looks past the reader asks first, or shows nothing of others."""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

import cycle_adapters
from cycle.access import Forbidden
from cycle.aggregates.base import By, Role
from cycle.aggregates.framework.anytime import AttachDocument
from cycle.engine import Engine, Said
from cycle.store import KeyReused
from cycle_adapters.files.events import export, import_
from tests.access.places import DAY, FANTA, say, two_communes
from tests.access.test_call_sites import ADAPTERS, STORIES, Site
from tests.people import by

HARMLESS = frozenset({"act", "execute", "execute_all", "today"})
"""What asks at the door itself, and the clock."""
STORES = frozenset({"Runner", "Source", "Moment", "open_database", "create_engine"})
"""What reads a store without an engine."""
TELLS = frozenset({"emit", "paragraph", "heading", "click.echo", "sys.stdout.buffer.write", "publish"})
EXPORT = (("verbs.py", "export_events"),)
LOADS = (("verbs.py", "import_events"),)
IMPORT = (("verbs.py", "import_deliberations"), ("deliberations.py", "record"))
ROUND: dict[Site, tuple[Site, ...] | str] = {
    ("accounts.py", "list_"): (("accounts.py", "list_"),),
    ("accounts.py", "begun"): "whether there is an account at all, which every refusal says too",
    ("accounts.py", "said"): "the grants of who asks",
    ("doing.py", "acting_as"): "the grants of who asks",
    ("vaulting.py", "show"): "learns the grants of who asks; what is shown is a command's answer",
    ("doing.py", "print_receipt"): "what was recorded just now, to whoever said it",
    ("keeping.py", "rebuild"): (("keeping.py", "rebuild"),),
    ("keeping.py", "demo"): "a log that is made here, and how long it is",
    ("keeping.py", "list_policies"): "policies are public: see cycle.access",
    ("keeping.py", "show_policy"): "policies are public: see cycle.access",
    ("vaulting.py", "rewrap"): (("vaulting.py", "rewrap"),),
    ("backup_verbs.py", "backup"): (("backup_verbs.py", "backup"),),
    ("backup_verbs.py", "restore"): (("backup_verbs.py", "restore"),),
    ("events.py", "lines"): EXPORT,
    ("events.py", "import_"): LOADS,
    ("register.py", "_streams"): IMPORT,
    ("verbs.py", "export_events"): EXPORT,
    ("verbs.py", "import_events"): LOADS,
    ("answering.py", "__init__"): "how far projections have come, and the version of what the reader has found",
    ("answering.py", "reached"): "how far projections have come",
    ("answering.py", "_seen_by"): "the day of today",
    ("calling.py", "_reach"): "how far the log has come, and nothing of what is in it",
    ("following.py", "__init__"): "what hears that something is recorded, and not what",
    ("groups.py", "_told"): "how far the log has come, and nothing of what is in it",
    ("listening.py", "__init__"): "how far the log has come, and nothing of what is in it",
    ("problems.py", "_who_lifts"): "the accounts that can help whoever may read the refusal",
    ("saying.py", "_role"): "the grants of who asks",
    ("saying.py", "role_before"): "the role in which who asks used a key",
    ("saying.py", "done"): "what was recorded just now, to whoever said it",
    ("saying.py", "receipt_of"): (("saying.py", "receipt_of"),),
    ("saying.py", "say_of_framework"): "in which commune a refusal looks for who can help",
    ("serve.py", "serve"): "what folds beside the server, and watches how commands end: it shows nothing",
    ("working.py", "worker"): "what folds and watches, and shows nothing",
    ("work.py", "at_work"): "whose turn it is beside the server, and nothing of what is recorded",
    ("work.py", "_sealing"): "the sealer beside the server, which signs and shows nothing",
    ("serving.py", "checks"): "how well the log is kept: how long it is and how far views have come, nothing in it",
    ("metrics.py", "__init__"): "how many events are saved together, and nothing of what they say",
    ("attendance.py", "_quorum"): "policies are public: see cycle.access",
    ("calendar.py", "_warn_days"): "policies are public: see cycle.access",
    ("basis.py", "basis"): "how long a log is whose facts the reader has shown",
    ("verbs.py", "ics"): (("verbs.py", "ics"),),
    ("verbs.py", "export_deliberations"): (("verbs.py", "export_deliberations"),),
    ("demo.py", "buttons"): "the accounts of a made-up log, on this machine only",
    ("demo.py", "is_demo"): "whether a log is made up",
    ("sessions_api.py", "described"): "the grants of who has signed in",
    ("sign_in_pages.py", "own"): "the grants of who has signed in",
    ("sign_in_pages.py", "_own_account"): "what who has signed in signs in with",
    ("tokens.py", "list_"): (("tokens.py", "list_"),),
    ("tokens.py", "standing"): (("tokens.py", "list_"),),
    ("asking.py", "_found"): "which log and index do not hold, to whoever met it, and nothing of what is recorded",
    ("pages_sent.py", "carried_out"): "says again what the same account has said under the same key",
    ("pages_sent_json.py", "recorded"): "the version of a framework on which the account's own command was recorded",
    ("pages_recorded.py", "_of"): "facts about what the account may say something about, told with what it may read",
    ("pages_doing.py", "confirmation"): "a receipt of the commune whose framework the reader has shown",
    ("pages_replay.py", "proof"): "how far a log is sealed whose facts the reader has shown, and where one stands",
    ("checking.py", "verify"): (("checking.py", "verify"),),
    ("paper.py", "calendar"): (("paper.py", "calendar"),),
    ("report.py", "_recorded"): "when the last fact was recorded that is in what the reader has shown",
    ("proving.py", "asked"): (("proving.py", "asked"),),
    ("policies.py", "policies"): "policies are public: see cycle.access",
    ("policies.py", "policy_alone"): "policies are public: see cycle.access",
    ("exporting.py", "export"): (("exporting.py", "export"),),
    ("exporting.py", "log_of"): (("exporting.py", "export"), ("exporting.py", "checkpoint")),
    ("receipts.py", "receipt"): (("receipts.py", "receipt"),),
    ("verbs.py", "seal"): (("verbs.py", "seal"),),
    ("app.py", "make_app"): "what counts events by log and type, and tells of those that the reader may read",
    ("overview.py", "facts_of"): "facts about a subscription that whoever asks is shown: see overview.found",
    ("pages_desk.py", "is_led_to"): "the grants of who asks",
    ("pages_orders.py", "suggested"): "the grants of who asks, and how far the log has come",
    ("pages_orders.py", "carried_out"): "destroys what is kept of a subscription that a command has removed",
    ("pages_subscriptions.py", "recorded_with"): "a receipt of a subscription that whoever asks is shown",
    ("pages_subscriptions.py", "registers"): "the grants of who asks",
    ("pages_subscriptions.py", "leases"): "who works for a group that whoever asks is shown",
    ("pages_subscriptions.py", "told_deliveries"): "events of which no more is told than the reader may read",
    ("pages_subscriptions.py", "read_fact"): "an event of a log that the reader may read",
    ("filling.py", "refill"): (("verbs.py", "refill_"),),
}
"""Each function of an adapter that looks at more than a reader shows: who has asked for it, or why nobody need."""


def functions() -> Iterator[tuple[Site, ast.FunctionDef]]:
    """Every function of the adapters, but of the room that is the store itself."""
    for file in sorted(ADAPTERS.rglob("*.py")):
        if file.relative_to(ADAPTERS).parts[0] != "sql":
            for function in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(function, ast.FunctionDef):
                    yield (file.name, function.name), function


def engines(function: ast.FunctionDef) -> set[str]:
    """What the engine is called in a function: what is opened there, handed in, or taken from a reader."""
    named = {arg.arg for arg in function.args.args if arg.annotation and ast.unparse(arg.annotation) == "Engine"}
    for node in ast.walk(function):
        if isinstance(node, ast.withitem) and isinstance(node.context_expr, ast.Call) and node.optional_vars:
            if ast.unparse(node.context_expr.func) in ("Engine", "opened"):
                named.add(ast.unparse(node.optional_vars))
        elif isinstance(node, ast.Assign) and ast.unparse(node.value).endswith(".engine"):
            named.update(map(ast.unparse, node.targets))
    return named | {"engine", "reader"}


def looks_past(function: ast.FunctionDef) -> bool:
    """Whether it reads the engine's own store, states or accounts, or what a reader keeps to itself."""
    named = engines(function)
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in STORES:
            return True
        if not isinstance(node, ast.Attribute) or node.attr in HARMLESS:
            continue
        owner = ast.unparse(node.value)
        own = owner.rpartition(".")[2]
        if own == "reader" and (node.attr == "runner" or node.attr.startswith("_")):
            return True
        if own != "reader" and (own in named or owner.endswith(".engine")):
            return True
    return False


def test_every_place_that_looks_past_the_reader_is_known() -> None:
    assert {site for site, function in functions() if looks_past(function)} == set(ROUND)


def test_whoever_asks_for_it_has_a_story_that_fails_without_the_question() -> None:
    asked = {site for askers in ROUND.values() if not isinstance(askers, str) for site in askers}
    assert asked <= set(STORIES)


def test_nothing_is_told_before_it_was_asked_for() -> None:
    asked = {site for askers in ROUND.values() if not isinstance(askers, str) for site in askers}
    early = []
    for site, function in functions():
        calls = [(node.lineno, ast.unparse(node.func)) for node in ast.walk(function) if isinstance(node, ast.Call)]
        asks = [line for line, name in calls if name.endswith(".act")]
        tells = [line for line, name in calls if name in TELLS]
        if site in asked and asks and min(tells, default=max(asks)) < min(asks):
            early.append(site)
    # Making a key opens no database.
    assert early == [("verbs.py", "seal")]


def test_no_adapter_reads_the_tables_itself() -> None:
    """Not even the words for it: rows come from a reader, in the rooms that show something to people."""
    for room in ("cli", "http", "files", "paper", "sealing"):
        for file in (Path(cycle_adapters.__file__).parent / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module == "sqlalchemy":
                    assert [alias.name for alias in node.names] == ["make_url"], file
                assert not (
                    isinstance(node, ast.ImportFrom)
                    and node.module
                    in ("cycle.projections.tables", "cycle.projections.source", "cycle.projections.rebuilding")
                ), file


PAPER = AttachDocument(title="Reçu", sha256="0" * 64, bytes=1, media="image/jpeg")


@pytest.fixture
def imported(engine: Engine, tmp_path: Path) -> Iterator[tuple[Engine, str, str]]:
    """A log that came from elsewhere, where nobody knows what the commands were; and two frameworks in it."""
    dioro, koula = two_communes(engine)
    engine.execute(Said(command=PAPER, by=by(Role.FACILITATOR), on=DAY, target=koula, key="phone-7"))
    lines = io.BytesIO()
    export(engine, lines)  # type: ignore[arg-type]
    with Engine(f"sqlite:///{tmp_path / 'imported.db'}") as other:
        import_(other, io.BytesIO(lines.getvalue()), lambda done: None)
        yield other, dioro, koula


def test_a_key_of_an_imported_log_answers_nobody_but_who_used_it(imported: tuple[Engine, str, str]) -> None:
    """Keys can be guessed, and a receipt says what was recorded."""
    engine, dioro, koula = imported
    stranger = By("stranger", Role.FACILITATOR)
    for who in (stranger, FANTA):
        with pytest.raises(Forbidden):
            engine.execute(Said(command=PAPER, by=who, on=DAY, target=koula, key="phone-7"))
    with pytest.raises(KeyReused):
        engine.execute(Said(command=PAPER, by=FANTA, on=DAY, target=dioro, key="phone-7"))
    with pytest.raises(KeyReused):
        engine.execute_all([Said(command=PAPER, by=FANTA, on=DAY, target=dioro)], "phone-7")
    again = engine.execute(Said(command=PAPER, by=by(Role.FACILITATOR), on=DAY, target=koula, key="phone-7"))
    assert again.stream.endswith(koula)
    assert say(engine, PAPER, dioro, FANTA).stream.endswith(dioro)
