"""What waits for a second person on the command line: ``cycle show requests``, ``cycle next``, and the way out."""

from __future__ import annotations

import shlex
from datetime import timedelta

import pytest

from cycle.aggregates.base import Role
from cycle.aggregates.deliberation import MakeExecutory
from cycle.aggregates.framework.anytime import Dissolve
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.request import LAPSES_AFTER
from cycle.catalogue import day
from cycle.engine import Engine, Said
from tests.cli.run import Cli
from tests.cli.test_next import flat, is_french
from tests.engine.path import ENDS, Path
from tests.people import by


@pytest.fixture
def asked(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> tuple[Cli, str, str]:
    """The mayor has asked for the end of a framework, for Awa: the framework, and the request."""
    monkeypatch.setenv("COLUMNS", "80")
    with Engine(cli.url) as engine:
        path = Path(engine)
        path.to(Stage.MONITORING)
        decided = path._adopted("2026-19", "Fin du cadre", ENDS)
        path._execute(MakeExecutory(executory_on=ENDS), ENDS, decided)
        end = Dissolve(deliberation=decided, reason="Fusion de communes")
        said = Said(command=end, by=by(Role.MAYOR, "awa"), on=ENDS, target=path.framework)
        request = engine.execute(said).stream.partition("-")[2]
    return cli, path.framework, request


def test_next_says_what_waits_and_how_a_second_person_confirms_it(asked: tuple[Cli, str, str]) -> None:
    cli, framework, request = asked
    ran = cli.ok("next", framework)
    found = cli.ok("--json", "next", framework).json
    [waits] = found["requests"]
    with Engine(cli.url) as engine:
        since = engine.today()
    until = since + LAPSES_AFTER
    out = flat(ran.out)
    assert "Demandé, en attente d'une deuxième personne" in out
    assert f"Dissoudre le cadre : demandé par mayor au nom de awa le {day(since, 'fr')} (Fusion de communes)" in out
    assert f"à confirmer jusqu'au {day(until, 'fr')}" in out
    assert "Un autre compte qui en a le droit confirme ; mayor ne le peut pas" in out
    confirm = f"cycle do confirm-request --id {request}"
    assert f"      {confirm}\n" in ran.out, "in one line, to be copied"
    is_french(ran.out.replace(confirm, ""))
    assert (waits["confirm"], waits["not_by"], waits["asked_by"]) == (confirm, ["mayor", "awa"], "mayor")
    assert (waits["asked_on"], waits["lapses_on"]) == (since.isoformat(), until.isoformat())
    assert waits["text"]["en"].startswith("Dissolve the framework: asked for by mayor on behalf of awa on")
    lapsed = (until + timedelta(days=1)).isoformat()
    assert "en attente d'une deuxième personne" not in cli.ok("next", framework, "--on", lapsed).out
    assert cli.ok("--json", "next", framework, "--on", lapsed).json["requests"] == []


def test_what_next_prints_confirms_and_not_for_who_asked(asked: tuple[Cli, str, str]) -> None:
    cli, framework, _ = asked
    [waits] = cli.ok("--json", "next", framework).json["requests"]
    words = shlex.split(waits["confirm"])[1:]
    for actor in ("mayor", "awa"):
        refused = cli("--actor", actor, *words, "--role", "mayor")
        assert (refused.code, "mayor l'a demandé" in refused.err) == (1, True)
    cli.ok("--actor", "council-secretary", *words, "--role", "council-secretary")
    assert cli.ok("--json", "next", framework).json["requests"] == []
    again = cli("--actor", "council-secretary", *words, "--role", "council-secretary", lang="en")
    assert (again.code, "The request was confirmed on" in again.err) == (1, True)


def test_next_says_what_takes_two_people(asked: tuple[Cli, str, str]) -> None:
    cli, framework, _ = asked
    for more in ((), ("--all",)):
        assert "Dissoudre le cadre (se fait à deux)" in flat(cli.ok("next", framework, *more).out)
        assert "Dissolve the framework (takes two people)" in flat(cli.ok("next", framework, *more, lang="en").out)
        assert "Suspendre le cadre (se fait" not in flat(cli.ok("next", framework, *more).out)
    options = cli.ok("--json", "next", framework).json["options"]
    assert {o["command"] for o in options if o["takes_two"]} == {"dissolve"}
    assert "It takes two people" in flat(cli.ok("do", "erase-person", "--help", lang="en").out)
    assert "It takes two people" not in flat(cli.ok("do", "amend-person", "--help", lang="en").out)


def test_show_requests_tells_what_waits_and_what_became_of_it(asked: tuple[Cli, str, str]) -> None:
    cli, framework, request = asked
    out = flat(cli.ok("show", "requests", "--framework", framework).out)
    assert "en attente d'une deuxième personne" in out
    assert "mayor, au nom de awa" in out
    assert "Fusion de communes" in out
    assert "1 demande, dont 1 en attente d'une deuxième personne" in out
    assert f"cycle do confirm-request --id {request}" in out
    [row] = cli.ok("--json", "show", "requests", "--commune", "Dioro").json["requests"]
    assert (row["request"], row["framework"], row["stage"]) == (request, framework, "open")
    long_after = ("show", "requests", "--as-of", "2090-01-01")
    assert "lapsed" in cli.ok(*long_after, lang="en").out
    assert "échue" in cli.ok(*long_after).out
    withdraw = ("--id", request, "--role", "mayor", "--set", "reason=Un courrier est attendu")
    cli.ok("--actor", "mayor", "do", "withdraw-request", *withdraw)
    out = flat(cli.ok("show", "requests").out)
    assert "retirée par mayor le" in out
    assert ": Un courrier est attendu" in out
    assert "dont 0 en attente" in out
    assert "confirm-request" not in out
    assert cli.ok("show", "requests", "--at", "1").out.strip() == "Rien trouvé."
