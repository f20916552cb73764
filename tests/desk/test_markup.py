"""What a form says of itself, for the script that keeps it until there is a line: all of it from declarations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cycle.aggregates.base import Command
from cycle.aggregates.framework.monitoring import ActionStarted, StartAction
from cycle.aggregates.framework.setup import ActorIdentified
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.standing import IDS
from cycle.commands import COMMANDS
from cycle.demo import Simulated
from cycle.engine import Engine
from cycle.forms.declared import made_by, named_by
from cycle_adapters.files.deliberations import recorded
from tests.desk.places import Desk, desk_at

NOT_IN_THE_DEMO = {"person-recorded"}
"""Facts that the demo has none of."""


class Marked(HTMLParser):
    """The elements of a page that say something of themselves to a script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.form: dict[str, str] = {}
        self.refers: dict[str, tuple[str, str]] = {}
        self.naming: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and "data-command" in given:
            self.form = {name: value for name, value in given.items() if name.startswith("data-")}
        if "data-refers" in given:
            self.refers[given.get("data-name") or given["name"]] = (tag, given["data-refers"])
        if "data-names" in given:
            self.naming.append(given["name"])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Nothing is proposed and nothing promised yet."""
    with desk_at(f"sqlite:///{tmp_path_factory.mktemp('markup') / 'a.db'}", Stage.MEETING) as desk:
        yield desk


def marked(desk: Desk, path: str, who: str = "awa") -> Marked:
    return Marked(desk.text(path, who))


def test_a_form_names_its_command_and_what_that_makes(desk: Desk) -> None:
    found = marked(desk, f"{desk.base}/do/propose-action")
    assert found.form == {
        "data-command": "propose-action",
        "data-framework": desk.base.rpartition("/")[2],
        "data-label": "Proposer une action",
        "data-name": "Dioro",
        "data-makes": "ActionId",
    }
    assert found.naming == ["description"]
    assert found.refers == {
        "needs": ("fieldset", "NeedId"),
        "obstacles": ("fieldset", "ObstacleId"),
        "continues": ("select", "ActionId"),
        "responsible": ("select", "MemberId"),
        "_for": ("select", "MemberId"),
    }


def test_what_binds_says_so_and_what_makes_nothing_names_nothing(desk: Desk) -> None:
    found = marked(desk, f"{desk.base}/do/agree-plan")
    assert "data-binds" in found.form
    assert "data-makes" not in found.form
    assert found.naming == []
    assert "data-binds" not in marked(desk, f"{desk.base}/do/close-meeting").form


def test_a_list_that_is_empty_yet_stays_a_list(desk: Desk) -> None:
    found = marked(desk, f"{desk.base}/do/pledge-contribution")
    assert found.refers["action"] == ("select", "ActionId")
    ranked = marked(desk, f"{desk.base}/do/rank-actions").refers
    assert set(ranked.values()) >= {("fieldset", "ActionId")}


def test_things_of_the_commune_are_referred_to_by_their_kind(desk: Desk) -> None:
    assert marked(desk, f"{desk.base}/do/admit-member").refers["organisation"] == ("select", "OrganisationId")
    assert marked(desk, f"{desk.base}/do/count-membership").refers["_target"] == ("select", "OrganisationId")
    secretary = marked(desk, f"{desk.base}/do/make-executory", "council-secretary")
    assert secretary.refers["_target"] == ("select", "DeliberationId")
    proposing = marked(desk, "/do/propose-framework")
    assert (proposing.form["data-framework"], proposing.form["data-makes"]) == ("", "FrameworkId")


def test_what_people_call_it_by_is_an_input_of_its_command() -> None:
    found = {name: named_by(command) for name, command in COMMANDS.items() if command.makes}
    assert found["identify-need"] == "description"
    assert found["register-organisation"] == "name"
    assert (found["admit-member"], found["pledge-contribution"]) == ("", "")
    assert named_by(StartAction) == ""


def test_a_fact_that_begins_with_no_id_makes_nothing() -> None:
    class Nonsense(Command):
        makes = ActorIdentified

    with pytest.raises(TypeError, match="does not begin with the id"):
        made_by(Nonsense)


def test_every_number_that_the_demo_gives_is_made_by_the_command_that_says_so(tmp_path: Path) -> None:
    """Declared at the command: what the log holds is what is declared, each way."""
    path = tmp_path / "demo.db"
    with Simulated(f"sqlite:///{path}", 1) as simulated:
        simulated.tell(recorded, frameworks=2, cycles=2)
    made = {found.fact.type: name for name, command in COMMANDS.items() if (found := made_by(command))}
    seen: set[tuple[str, str]] = set()
    found: set[str] = set()
    with Engine(f"sqlite:///{path}") as engine:
        for _, topic, schema, leaf in engine.store.read(0):
            fact = engine.leaves[topic, schema](leaf)
            first = getattr(fact.data, fact.data.__struct_fields__[0]) if fact.data.__struct_fields__ else None
            if topic in made:
                assert fact.command == made[topic]
                found.add(topic)
            elif isinstance(first, str) and re.fullmatch(r"(MB|[ACMNO])-[0-9]+", first):
                assert (fact.stream, first) in seen, f"{topic} begins with {first}, which nothing has made"
            if isinstance(first, str):
                seen.add((fact.stream, first))
    assert found >= made.keys() - NOT_IN_THE_DEMO
    assert {made_by(command).kind for command in COMMANDS.values() if made_by(command)} >= {  # type: ignore[union-attr]
        kind.__name__ for kind in IDS
    }
    assert ActionStarted.type not in made
