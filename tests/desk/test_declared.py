"""Forms come from declarations alone: every input of every command is asked for, labelled and read back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from cycle.aggregates.base import EVENTS
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import ActionId
from cycle.catalogue import LANGUAGES
from cycle.commands import COMMANDS
from cycle.forms.choices import Held
from cycle.forms.declared import Input, Kind, inputs_of
from cycle.forms.shown import label_of
from cycle.forms.typed import gathered
from cycle.reading import Reader
from cycle_adapters.http.pages_doing import OF_A_FRAMEWORK, OF_THE_COMMUNE
from tests.desk.places import desk_at

FORMS = (*OF_A_FRAMEWORK, *OF_THE_COMMUNE, "propose-framework")


def named(inputs: tuple[Input, ...], prefix: str = "") -> Iterator[tuple[str, Input]]:
    for each in inputs:
        yield prefix + each.name, each
        if each.parts:
            yield from named(each.parts, f"{prefix}{each.name}." + ("0." if each.kind is Kind.ROWS else ""))


@pytest.mark.parametrize("command", FORMS)
def test_every_input_of_a_form_has_a_label(command: str) -> None:
    for name, _ in named(inputs_of(COMMANDS[command])):
        for language in LANGUAGES:
            assert label_of(command, name, language)


@pytest.mark.parametrize("event", sorted(event.type for event in framework.events))
def test_whatever_can_be_set_right_has_a_label(event: str) -> None:
    inputs = [each for each in inputs_of(EVENTS[event]) if each.name in EVENTS[event].correctable]
    for name, _ in named(tuple(inputs), "now."):
        assert label_of("correct-fact", name, "fr")


@pytest.mark.parametrize("command", FORMS)
def test_a_form_asks_for_every_field_of_its_command(command: str) -> None:
    assert [each.name for each in inputs_of(COMMANDS[command])] == list(COMMANDS[command].__struct_fields__)


def test_declared_types_say_how_something_is_asked_for() -> None:
    pledge = {name: each.kind for name, each in named(inputs_of(COMMANDS["pledge-contribution"]))}
    assert pledge["member"] is Kind.CHOICE
    assert pledge["worth.amount_xof"] is Kind.MONEY
    assert pledge["worth.quantity"] is Kind.DECIMAL
    assert pledge["due_on"] is Kind.DAY
    others = {name: each for command in FORMS for name, each in named(inputs_of(COMMANDS[command]))}
    assert others["ranked"].kind is Kind.ORDER
    assert others["needs"].kind is Kind.SEVERAL
    assert others["seats"].kind is Kind.ROWS
    assert others["tasks"].kind is Kind.LINES
    assert others["minutes"].kind is Kind.PROSE
    assert others["woman" if "woman" in others else "seats.0.woman"].kind is Kind.TICK
    assert others["held_on"].planned
    assert others["decided_on"].past


def test_what_was_typed_is_read_as_json_and_what_is_blank_is_left_out() -> None:
    seats = inputs_of(COMMANDS["install-committee"])
    posted = {"seats.0.member": [""], "seats.7.member": ["MB-2"], "seats.7.person": [" p-1 "], "seats.7.woman": ["yes"]}
    assert gathered(seats, posted) == {"seats": [{"member": "MB-2", "person": "p-1", "woman": True}]}
    sectors = inputs_of(COMMANDS["prioritise-sectors"])
    assert gathered(sectors, {"sectors": ["Riz\r\n\r\nmaraîchage"]}) == {"sectors": ["rice", "market-gardening"]}
    worth = inputs_of(COMMANDS["receive-contribution"])
    assert gathered(worth, {"worth.quantity": ["12,5"], "worth.unit": ["sacs"]}) == {
        "worth": {"quantity": "12.5", "unit": "sacs"}
    }
    assert gathered(worth, {"worth.amount_xof": ["beaucoup"]}) == {"worth": {"amount_xof": "beaucoup"}}


def test_actions_of_this_cycle_are_offered_first_and_earlier_ones_say_of_which(sqlite_url: str) -> None:
    with desk_at(sqlite_url, Stage.MONITORING) as desk:
        state = desk.engine.framework(desk.way.framework)
        [first] = list(state.actions.values())[:1]
        later = replace(first, id=ActionId("A-99"), cycle=state.cycle + 1)
        next_cycle = replace(state, cycle=state.cycle + 1, actions={**state.actions, later.id: later})
        held = Held(Reader(desk.engine, "awa"), next_cycle, state.commune, "fr")
        offered = [choice.label for choice in held.actions()]
    assert offered[0].startswith("A-99 · ")
    assert "cycle" not in offered[0]
    assert all(label.endswith(f", cycle {state.cycle})") for label in offered[1:])
    assert len(offered) > 1
