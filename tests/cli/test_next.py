"""``cycle next`` in every stage, and after every command on the way: in French, with the reason and whom to call."""

from __future__ import annotations

import re
from datetime import date

import pytest

from cycle.aggregates.base import Command, Role
from cycle.aggregates.framework.state import Stage
from cycle.catalogue import keys, text
from cycle.engine import Engine
from cycle.store import Receipt
from cycle.telling import moves_from
from tests.cli.run import Cli
from tests.engine.path import ENDS, STEPS, Path

CALL = "Qui peut lever ce point : "
ENGLISH = frozenset(
    {"the", "is", "are", "of", "and", "by", "who", "with", "not", "has", "must", "what", "needs", "member"}
)
"""Words that no French sentence of the catalogue holds, and hardly an English one does without."""
SAID_AS_TYPED = re.compile(
    r"`[^`]*`|^ {6}[a-z-]+ · par : |· [a-z-]+ · par\b|\([a-z]+(-[a-z]+)*\)|cycle do .*|\bwocat-pact\b"
    r"|\bdemandé\s+par\s+\S+|\bau\s+nom\s+de\s+\S+|\S+\s+ne\s+le\s+peut\s+pas",
    re.MULTILINE,
)
"""What a person types, accounts, and the name of the policy: the same in every language."""
KINDS = ("command", "finding", "message", "role", "stage", "word")


def codes() -> frozenset[str]:
    """Keys of the catalogue and values of enumerations that are no French word of their own."""
    every = {f"{kind}.{code}" for kind in KINDS for code in keys(kind)}
    names = [(code, text(f"{kind}.{code}", "fr").split()) for kind in ("role", "stage", "word") for code in keys(kind)]
    english = {code for code, french in names if code not in french}
    return frozenset(every | english | {code for kind in KINDS for code in keys(kind) if "-" in code})


def flat(words: str) -> str:
    """In one line, whatever the width of the terminal."""
    return " ".join(words.split())


def blocks(out: str) -> dict[str, str]:
    """What stands below each refused option, by its label."""
    found: dict[str, str] = {}
    label = ""
    for line in out.splitlines():
        if line.startswith("  ✗ "):
            label = line[4:].partition(" → ")[0]
            found[label] = ""
        elif line.startswith("      ") and label:
            found[label] += line + " "
        else:
            label = ""
    return {label: flat(words) for label, words in found.items()}


def is_french(out: str) -> None:
    assert "{" not in out
    assert "}" not in out
    prose = SAID_AS_TYPED.sub(" ", out)
    words = set(re.findall(r"[\w.-]*\w", prose.lower()))
    assert words & ENGLISH == set(), out
    assert words & codes() == set(), out
    assert not re.search(r"\w_\w|\bNone\b|\b(True|False)\b", prose), out


def explains_itself(cli: Cli, framework: str, stage: Stage, on: date) -> int:
    """Returns how many options were refused."""
    out = cli.ok("next", framework, "--all", "--on", on.isoformat()).out
    found = cli.ok("--json", "next", framework, "--on", on.isoformat()).json
    assert found["stage"] == stage
    assert f" : {text(f'stage.{stage}', 'fr')} depuis" in out or f"étape {text(f'stage.{stage}', 'fr')}," in out
    is_french(out)
    told = blocks(out)
    refused = [option for option in found["options"] if not option["allowed"]]
    assert set(told) == {option["label"]["fr"] for option in refused}
    roles = tuple(text(f"role.{role}", "fr") for role in Role)
    for option in refused:
        # A reason and what helps, then whom to call where somebody can lift it; and so on for every reason.
        left = told[option["label"]["fr"]]
        assert option["reasons"], told
        for reason in option["reasons"]:
            assert "—" not in reason["text"]["fr"] + reason["help"]["fr"], "what is absent leaves no gap"
            said, helps, left = left.partition(flat(reason["help"]["fr"]))
            assert helps, told
            # Beside a member's number stands its name.
            assert "MB-" in reason["text"]["fr"] or flat(reason["text"]["fr"]) in said, said
            assert left.lstrip().startswith(CALL) == bool(reason["lift"]), left
            if reason["lift"]:
                assert left.lstrip().removeprefix(CALL).startswith(roles), left
    for option in found["options"]:
        if option["allowed"]:
            assert f"✓ {option['label']['fr']}" in out
    return len(refused)


class Watched(Path):
    """A path on which somebody asks after every command what comes next."""

    def __init__(self, engine: Engine, cli: Cli) -> None:
        super().__init__(engine)
        self._cli = cli

    def _execute(self, command: Command, on: date, target: str | None = None) -> Receipt:
        receipt = super()._execute(command, on, target)
        if target == self.framework:
            stage = self.engine.framework(self.framework).stage
            assert stage is not None
            explains_itself(self._cli, self.framework, stage, on)
        return receipt


def test_next_explains_itself_in_every_stage_and_on_the_way_there(cli: Cli) -> None:
    assert set(STEPS) == set(Stage)
    with Engine(cli.url) as engine:
        path = Watched(engine, cli)
        refused: dict[Stage, int] = {}
        for stage, step in STEPS.items():
            step(path)
            assert engine.framework(path.framework).stage is stage
            refused[stage] = explains_itself(cli, path.framework, stage, ENDS)
    assert refused.pop(Stage.DISSOLVED) == 0
    assert all(refused.values()), "nothing was refused there, so nothing was explained"


def test_a_dissolved_framework_has_nothing_to_come(cli: Cli) -> None:
    with Engine(cli.url) as engine:
        framework = Path(engine).to(Stage.DISSOLVED)
    out = cli.ok("next", framework).out
    assert flat(text("message.nothing", "fr")) in flat(out)
    is_french(out)


FIRST_SCREEN = 24


@pytest.fixture
def narrow(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("COLUMNS", "80")
    return cli


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.DISSOLVED])
def test_the_first_screen_says_what_to_do_and_whom_to_call(narrow: Cli, stage: Stage) -> None:
    with Engine(narrow.url) as engine:
        framework = Path(engine).to(stage)
    lines = narrow.ok("next", framework, "--on", "2027-03-01").out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    first = flat("\n".join(lines[:FIRST_SCREEN]))
    found = narrow.ok("--json", "next", framework, "--on", "2027-03-01").json
    moves = [o for o in found["options"] if o["command"] in moves_from(stage)]
    assert moves
    for move in moves:
        assert move["label"]["fr"] in first
    assert "À appeler : " in first or "· par : " in first
    is_french("\n".join(lines))


def test_what_is_late_comes_first(narrow: Cli) -> None:
    with Engine(narrow.url) as engine:
        framework = Path(engine).to(Stage.MONITORING)
    lines = narrow.ok("next", framework, "--on", "2027-10-15").out.splitlines()
    late = flat("\n".join(lines[lines.index("En retard") :]))
    assert "fin du plan : 15 mai 2026, il y a 518 jours" in late
    assert "échéance d'action A-1, Acheter la décortiqueuse : 10 mai 2026" in late
    assert "Coopérative Benkadi (MB-2)" in late
    assert "En retard" not in narrow.ok("next", framework, "--on", "2026-03-01").out


def test_a_suspended_framework_says_why_and_how_it_comes_back(narrow: Cli) -> None:
    with Engine(narrow.url) as engine:
        framework = Path(engine).to(Stage.SUSPENDED)
    out = flat("\n".join(narrow.ok("next", framework, "--on", "2026-05-20").out.splitlines()[:FIRST_SCREEN]))
    assert "suspendu depuis le 15 mai 2026" in out
    assert "Suspendu alors qu'il était à l'étape « réajustement ». Cause : Insécurité sur la route" in out
    assert "✓ Reprendre le cadre → réajustement · resume" in out


@pytest.mark.parametrize(("on", "back"), [("2026-03-01", "plan négocié"), ("2026-06-01", "réajustement")])
def test_a_suspended_framework_comes_back_where_it_is_said_to(narrow: Cli, on: str, back: str) -> None:
    with Engine(narrow.url) as engine:
        framework = Path(engine).to(Stage.PLAN)
    mayor = ("--framework", framework, "--role", "mayor", "--set=reason=x")
    narrow.ok("do", "suspend", *mayor, "--on", "2026-02-20")
    assert f"Reprendre le cadre → {back}" in flat(narrow.ok("next", framework, "--on", on).out)
    narrow.ok("do", "resume", *mayor, "--on", on)
    assert f"étape {back}" in flat(narrow.ok("next", framework, "--on", on).out)
