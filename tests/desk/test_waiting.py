"""A form refers to what an earlier form will bring by the key of that form: the id is put in when it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Response

from cycle.aggregates.base import By, Role
from cycle.aggregates.commune import RegisterCommune
from cycle.aggregates.framework.setup import AdmitMember, ProposeFramework
from cycle.aggregates.framework.state import Framework, Stage
from cycle.aggregates.organisation import Form, RegisterOrganisation
from cycle.aggregates.terms import CommuneCode, Constituency, FrameworkId, OrganisationId
from cycle.commands import COMMANDS
from cycle.engine import Said
from cycle.forms.declared import inputs_of
from cycle.forms.waiting import Made, NotRecorded, settled
from tests.desk.filling import Page, opened, said, send
from tests.desk.places import Desk, desk_at
from tests.desk.test_forms import plain
from tests.engine.path import DIORO, PROPOSED
from tests.people import admit

MACINA = CommuneCode("ML-4-02-01")
WAITS = "attend quelque chose qui n'est pas encore enregistré"


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Desk]:
    """A meeting is to come; somebody else may do all that Awa may."""
    with desk_at(sqlite_url, Stage.MEETING) as desk:
        admit(desk.engine, ("moussa", Role.FACILITATOR, "/"))
        yield desk


def state(desk: Desk) -> Framework:
    return desk.engine.framework(desk.way.framework)


def form(desk: Desk, command: str, role: str = "facilitat", who: str = "awa", **fields: Any) -> Page:
    """A form with these fields; whatever is not offered may still be sent."""
    page = opened(desk.client, f"{desk.base}/do/{command}", who)
    for name, value in fields.items():
        page.fields[name.replace("__", ".")] = value if isinstance(value, list) else [value]
    if page.options.get("_role"):
        page.put("_role", role)
    return page


def key_of(page: Page) -> str:
    return page.fields["_key"][0]


def proposed(desk: Desk, who: str = "awa", description: str = "Curer le canal") -> Page:
    """Somebody has proposed an action."""
    page = form(desk, "propose-action", who=who, description=description)
    assert said(desk.client, page, who).status_code == 201
    return page


def pledge(desk: Desk, action: str, **more: Any) -> Page:
    money = {"ledger": "action", "nature": "cash", "worth__amount_xof": "50 000"}
    return form(desk, "pledge-contribution", action=action, **{"member": "MB-2", **money, **more})


def waits(answer: Response, *names: str) -> None:
    """The answer says of these inputs, and of no other, that they wait."""
    assert answer.status_code == 422, answer.text
    assert [(each["name"], plain(each["text"])) for each in answer.json()["errors"]] == [(n, WAITS) for n in names]


def test_a_promise_is_made_to_an_action_that_was_waiting(desk: Desk) -> None:
    action = form(desk, "propose-action", description="Curer le canal")
    promise, before = pledge(desk, f"@{key_of(action)}"), desk.position()
    waits(said(desk.client, promise, "awa"), "action")
    waits(said(desk.client, promise, "awa"), "action")
    assert desk.recorded(before) == []
    assert said(desk.client, action, "awa").status_code == 201
    sent = said(desk.client, promise, "awa", _after=key_of(action))
    assert (sent.status_code, "A-1" in sent.json()["sentences"][0]) == (201, True)
    assert [each.action for each in state(desk).contributions.values()] == ["A-1"]
    again = said(desk.client, promise, "awa", _after=key_of(action))
    assert (again.status_code, again.json()) == (200, sent.json())
    assert desk.recorded(before) == ["action-proposed", "contribution-pledged"]


def test_several_of_a_list_and_an_order_are_put_in(desk: Desk) -> None:
    one, two = proposed(desk), proposed(desk, description="Réparer la décortiqueuse")
    ranked = form(desk, "rank-actions", ranked=[f"@{key_of(two)}", f"@{key_of(one)}"])
    assert said(desk.client, ranked, "awa").status_code == 201
    assert state(desk).ranking == ("A-2", "A-1")
    wrong = form(desk, "rank-actions", ranked=["A-1", "@never"])
    waits(said(desk.client, wrong, "awa"), "ranked")


def test_a_member_that_waits_sits_in_a_row_acts_and_is_spoken_for(desk: Desk) -> None:
    register = form(desk, "register-organisation", name="Union", constituency="partner", form="programme")
    admitted = form(desk, "admit-member", organisation=f"@{key_of(register)}")
    waits(said(desk.client, admitted, "awa"), "organisation")
    assert said(desk.client, register, "awa").status_code == 201
    assert said(desk.client, admitted, "awa").status_code == 201
    assert state(desk).members_counted == 5
    promise = pledge(desk, "", member=f"@{key_of(admitted)}", _for=f"@{key_of(admitted)}", ledger="approach")
    assert said(desk.client, promise, "awa").status_code == 201
    [found] = state(desk).contributions.values()
    assert found.member == "MB-5"
    fact = desk.engine.states.history(f"framework-{desk.way.framework}")[-1]  # type: ignore[arg-type]
    assert fact.by.on_behalf_of == "MB-5"


def test_what_lies_in_the_commune_may_wait_to_be_spoken_about(desk: Desk) -> None:
    register = form(desk, "register-organisation", name="Union", constituency="partner", form="programme")
    counted = form(desk, "count-membership", women="3", men="4", _target=f"@{key_of(register)}")
    waits(said(desk.client, counted, "awa"), "_target")
    said(desk.client, register, "awa")
    assert said(desk.client, counted, "awa").status_code == 201


def test_without_a_script_the_form_comes_back_with_what_waits(desk: Desk) -> None:
    answer = send(desk.client, pledge(desk, "@never"), "awa")
    assert answer.status_code == 422
    assert WAITS in plain(answer.text)
    assert Page(answer).fields["action"] == ["@never"]


def test_a_text_that_begins_so_is_a_text(desk: Desk) -> None:
    proposed(desk, description="@home")
    assert [each.description for each in state(desk).actions.values()] == ["@home"]


def elsewhere(desk: Desk) -> tuple[str, str]:
    """The keys of a member and an organisation of another commune, made by Awa herself."""
    desk.way._execute(RegisterCommune(commune=MACINA, name="Macina", region="Ségou", circle="Macina"), PROPOSED)
    mine = By("awa", Role.FACILITATOR)
    proposal = ProposeFramework(commune=MACINA, title="Cadre de Macina")
    other = FrameworkId(desk.engine.execute(Said(command=proposal, by=mine, on=PROPOSED)).stream.partition("-")[2])
    register = RegisterOrganisation(
        commune=MACINA, name="Mairie", constituency=Constituency.MUNICIPALITY, form=Form.PUBLIC_BODY
    )
    made = desk.engine.execute(Said(command=register, by=mine, on=PROPOSED, key="org-elsewhere"))
    member = AdmitMember(organisation=OrganisationId(made.stream.partition("-")[2]))
    desk.engine.execute(Said(command=member, by=mine, on=PROPOSED, target=other, key="member-elsewhere"))
    return "member-elsewhere", "org-elsewhere"


def test_a_foreign_key_is_answered_as_one_that_nobody_has_used(desk: Desk) -> None:
    """Twice: of another account's and another commune's key one hears no more than of no key."""
    theirs = key_of(proposed(desk, who="moussa"))
    member, organisation = elsewhere(desk)
    mine = key_of(proposed(desk, description="Réparer la décortiqueuse"))
    before, seen = desk.position(), {}
    for _ in range(2):
        for key in ("never-used", theirs, member, organisation):
            answer = said(desk.client, pledge(desk, f"@{key}"), "awa")
            waits(answer, "action")
            seen[key] = answer.content.replace(key.encode(), b"")
        assert len(set(seen.values())) == 1
        # A key of one's own that has made something of another kind has not made this.
        waits(said(desk.client, pledge(desk, "", member=f"@{mine}", ledger="approach"), "awa"), "member")
        waits(said(desk.client, pledge(desk, "", member=f"@{member}", ledger="approach"), "awa"), "member")
        waits(said(desk.client, form(desk, "admit-member", organisation=f"@{organisation}"), "awa"), "organisation")
    assert desk.recorded(before) == []
    assert said(desk.client, pledge(desk, f"@{mine}"), "awa").status_code == 201


def test_a_number_of_another_framework_of_the_commune_is_not_put_in(desk: Desk) -> None:
    key = key_of(proposed(desk))
    assert Made(desk.engine, "awa", DIORO, desk.way.framework).id_of(f"@{key}", "ActionId") == "A-1"
    with pytest.raises(NotRecorded):
        Made(desk.engine, "awa", DIORO, FrameworkId("another")).id_of(f"@{key}", "ActionId")


@pytest.mark.parametrize("key", ["", "@", "a b", "a\x00b", "é", "x" * 201, "'; --", "<b>", "../../etc", "%00"])
def test_what_is_no_key_is_answered_as_one_that_nobody_has_used(desk: Desk, key: str) -> None:
    waits(said(desk.client, pledge(desk, f"@{key}"), "awa"), "action")


def test_a_command_that_has_changed_something_has_not_made_it(desk: Desk) -> None:
    proposed(desk)
    amended = form(desk, "amend-action?action=A-1", description="Curer le grand canal")
    assert said(desk.client, amended, "awa").status_code == 201
    waits(said(desk.client, pledge(desk, f"@{key_of(amended)}"), "awa"), "action")


def test_ids_are_put_in_however_deep_they_stand() -> None:
    def id_of(value: str, kind: str) -> str:
        if value == "@k" and kind == "MemberId":
            return "MB-9"
        if kind and value.startswith("@"):
            raise NotRecorded(value)
        return value

    rows = {"seats": [{"member": "MB-1", "person": "@k"}, {"member": "@k", "person": "p"}, {"member": "@x"}]}
    given, waiting = settled(inputs_of(COMMANDS["install-committee"]), rows, id_of)
    assert given["seats"][1] == {"member": "MB-9", "person": "p"}
    assert given["seats"][0] == {"member": "MB-1", "person": "@k"}
    assert waiting == ["seats.2.member"]
    assert rows["seats"][1]["member"] == "@k"


def test_a_row_that_waits_is_named_by_the_number_under_which_it_was_sent(desk: Desk) -> None:
    page = form(desk, "install-committee")
    for number in (1, 2):
        page.fields[f"seats.{number}.member"], page.fields[f"seats.{number}.person"] = ["MB-1"], [f"p-{number}"]
    page.fields["seats.2.member"] = ["@never"]
    waits(said(desk.client, page, "awa"), "seats.2.member")
