"""Forced browsing: whatever address a role opens, it reads and says what the table of access allows, and no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from cycle.access import ACTING, ACTIONS, SAYING
from cycle.aggregates.base import Role
from cycle.commands import COMMANDS, FOUNDING, SELF_NAMED
from cycle.engine import Engine
from cycle.examples import example
from cycle_adapters.http.problems import URN
from cycle_adapters.http.reading import ROUTES
from cycle_adapters.http.saying import OF_A_FRAMEWORK, SAYABLE
from tests.access.places import DIORO, KOULA, SEGOU, two_communes
from tests.access.test_matrix import TABLE
from tests.http.sealed import seal
from tests.http.town import API, key, named, served
from tests.people import GRANTED, admit


class Town:
    """Two communes; each role has an account with a grant for the region of one of them: ``of-mayor``."""

    def __init__(self, engine: Engine, client: TestClient) -> None:
        self.client = client
        self.own, self.foreign = two_communes(engine)
        admit(engine, *((f"of-{role}", role, SEGOU) for role in GRANTED))
        seal(engine)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Engine(f"sqlite:///{tmp_path_factory.mktemp('access') / 'a.db'}") as engine, served(engine) as client:
        yield Town(engine, client)


def addresses(framework: str, commune: str) -> Iterator[tuple[str, str]]:
    """Every address that reads something about a framework or its commune, and what is asked there."""
    for route, name in ROUTES.items():
        yield f"/{route}?commune={commune}", name
    yield f"/frameworks/{framework}", "frameworks"
    yield f"/frameworks/{framework}/next", "next"
    yield f"/frameworks/{framework}/history", "replay"
    yield f"/frameworks/{framework}/changes?from=0&to=2030-01-01", "replay"
    yield f"/timings/pictures/strips?commune={commune}", "timings"
    yield f"/timings/pictures/strips.svg?commune={commune}", "timings"
    yield f"/events?commune={commune}", "events"
    yield f"/events/stream?commune={commune}", "events"
    yield f"/timings/M1?commune={commune}", "timings"
    yield f"/timings/M1/rows?commune={commune}", "timings"
    for part in ("figures", "rows"):
        yield f"/timings/M1/{part}.csv?commune={commune}", "timings"
        yield f"/timings/M1/{part}.parquet?commune={commune}", "timings"
    yield f"/report.pdf?commune={commune}", "export-paper"
    yield f"/timings/risk?commune={commune}", "timings"
    yield f"/timings/M1/comparison?side=region=A&side=region=B&commune={commune}", "timings"
    yield f"/calendar.ics?commune={commune}", "export-calendar"
    yield f"/logs/{commune}/checkpoint", "export-checkpoint"
    yield f"/logs/{commune}/inclusion?index=0", "export-checkpoint"
    yield f"/logs/{commune}/consistency?from=1", "export-checkpoint"
    yield f"/logs/{commune}/bundle", "export-bundle"


SHEETS = ("plan", "attendance", "minutes")
SUBSCRIPTIONS: dict[str, dict[str, Any] | None] = {
    "/webhooks/{identity}": None,
    "/webhooks/{identity}/deliveries": None,
    "/webhooks/{identity}/replay-count": None,
    "/webhooks/{identity}/replay": {"after": 0},
    "/webhooks/{identity}/rotate": {},
    "/groups/{identity}": None,
    "/groups/{identity}/deliveries": None,
    "/groups/{identity}/replay-count": None,
    "/groups/{identity}/replay": {"after": 0},
    "/groups/{identity}/lease": {"member": "one"},
    "/groups/{identity}/leases/{number}/ack": {},
    "/groups/{identity}/leases/{number}/nack": {},
    "/groups/{identity}/leases/{number}/park": {"events": ["e"], "reason": "?"},
    "/groups/{identity}/leases/{number}/extend": {"seconds": 60},
    "/subscriptions/{identity}/history": None,
}
"""What is asked (None) or said of one; whose they are and who sees them: ``tests/webhooks``, ``tests/groups``."""
LISTS = ("/webhooks", "/groups", "/subscriptions")
CATALOGUE = ("/catalogue", "/catalogue/{type}")


@pytest.mark.parametrize("role", GRANTED)
def test_a_role_reads_what_the_table_says_where_it_is_held_and_nowhere_else(town: Town, role: Role) -> None:
    headers = named(f"of-{role}")
    for own, (framework, commune) in ((True, (town.own, DIORO)), (False, (town.foreign, KOULA))):
        for path, question in addresses(framework, commune):
            for more in ("", "as_of=2026-02-02"):
                if more and (question in ("next", "events") or path.startswith("/logs/")):
                    continue
                answer = town.client.get(f"{API}{path}{'&' if '?' in path else '?'}{more}", headers=headers)
                may = TABLE[question].anybody or (own and role.value in TABLE[question].roles)
                assert (answer.status_code == 200) is may, (path, answer.text)
                if not may:
                    assert answer.status_code in (403, 404)
                    assert "Cadre de" not in answer.text
                assert own or TABLE[question].anybody or "Cadre de Koula" not in answer.text


@pytest.mark.parametrize("role", GRANTED)
def test_a_sheet_is_printed_for_who_may_carry_it_out(town: Town, role: Role) -> None:
    """There is nothing to print yet: whoever is told so was let through."""
    for own, framework in ((True, town.own), (False, town.foreign)):
        for sheet in SHEETS:
            answer = town.client.get(f"{API}/frameworks/{framework}/{sheet}.pdf", headers=named(f"of-{role}"))
            may = own and role.value in TABLE["export-paper"].roles
            assert (answer.json()["type"] == f"{URN}nothing-to-print") is may, (sheet, answer.text)
            assert may or answer.status_code in (403, 404)


@pytest.mark.parametrize("role", GRANTED)
def test_a_list_without_filters_holds_nothing_from_elsewhere(town: Town, role: Role) -> None:
    for route, name in ROUTES.items():
        answer = town.client.get(f"{API}/{route}?limit=500", headers=named(f"of-{role}"))
        if answer.status_code == 200 and not TABLE[name].anybody:
            assert {row["commune"] for row in answer.json()["items"]} <= {DIORO}
        else:
            assert TABLE[name].anybody or role.value not in TABLE[name].roles


@pytest.mark.parametrize("role", GRANTED)
def test_a_role_says_what_the_table_says_where_it_is_held_and_nowhere_else(town: Town, role: Role) -> None:
    """Whatever a rule says then: to be let through is to be refused by a rule, or for a version, at the most."""
    for name, action in SAYING.items():
        if name in SELF_NAMED or COMMANDS[name] in FOUNDING or action.begins:
            continue
        about = [(town.own, DIORO, True), (town.foreign, KOULA, False)] if name in OF_A_FRAMEWORK else []
        for framework, _, own in about:
            path = f"{API}/frameworks/{framework}/commands/{name}"
            body = {"occurred_on": "2026-02-02", "data": example(COMMANDS[name]), "role": role.value}
            headers = key(**named(f"of-{role}"), **{"If-Match": '"99"'})
            answer = town.client.post(path, json=body, headers=headers)
            may = own and role.value in TABLE[name].roles
            assert (answer.status_code == 412) is may, (name, answer.text)
            assert may or answer.status_code in (403, 404)


@pytest.mark.parametrize("role", GRANTED)
def test_a_role_sees_subscriptions_as_the_table_says_and_changes_none_that_it_does_not_see(
    town: Town, role: Role
) -> None:
    headers, may = named(f"of-{role}"), role.value in TABLE["list-webhooks"].roles
    assert TABLE["list-groups"].roles == TABLE["list-webhooks"].roles
    for path in LISTS:
        assert town.client.get(API + path, headers=headers).status_code == (200 if may else 403)
        assert town.client.get(API + path).status_code == 401
    for path, body in SUBSCRIPTIONS.items():
        address = API + path.format(identity="w", number=1) + ("?after=0" if path.endswith("-count") else "")
        method = "GET" if body is None else "POST"
        answer = town.client.request(method, address, json=body, headers=key(**headers))
        may_here = role.value in TABLE["consume-group"].roles if "/lease" in path else may
        assert answer.status_code == (404 if may_here else 403), (path, answer.text)
        assert town.client.request(method, address, json=body, headers=key()).status_code == 401


@pytest.mark.parametrize("role", GRANTED)
def test_what_events_there_are_is_for_who_may_read_them(town: Town, role: Role) -> None:
    for path in CATALOGUE:
        answer = town.client.get(API + path.format(type="plan-agreed"), headers=named(f"of-{role}"))
        assert answer.status_code == (200 if role.value in TABLE["events"].roles else 403)
        assert town.client.get(API + path.format(type="plan-agreed")).status_code == 401


def test_whoever_has_not_signed_in_reads_what_is_public_and_says_nothing(town: Town) -> None:
    for path, question in addresses(town.own, DIORO):
        assert town.client.get(API + path).status_code == (200 if ACTIONS[question].anybody else 401)
    assert town.client.get(f"{API}/communes?commune=nowhere").status_code == 401
    for name in SAYABLE:
        path = f"/frameworks/{town.own}/commands/{name}" if name in OF_A_FRAMEWORK else f"/commands/{name}"
        answer = town.client.post(API + path, json={"occurred_on": "2026-02-02"}, headers=key())
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert town.client.get(f"{API}/receipts/accounts-begin").status_code == 401
    assert town.client.get(f"{API}/plans", headers=named("nobody")).status_code == 401


def test_a_token_is_good_for_what_its_scope_names(town: Town) -> None:
    """Awa may nearly everything; each token of hers names one thing."""
    for path, question in addresses(town.own, DIORO):
        for scope in (question, "register-commune"):
            answer = town.client.get(API + path, headers=named("awa", Scope=scope))
            assert (answer.status_code == 200) is (scope == question or ACTIONS[question].anybody), (path, scope)
    for name in OF_A_FRAMEWORK:
        path = f"{API}/frameworks/{town.own}/commands/{name}"
        answer = town.client.post(path, json={}, headers=key(**named("awa", Scope="plans")))
        assert answer.json()["type"] == f"{URN}out-of-scope"
        answer = town.client.post(path, json={}, headers=key(**named("awa", Scope=name)))
        assert answer.json()["type"] == f"{URN}invalid"
    assert town.client.get(f"{API}/receipts/x", headers=named("awa", Scope="plans")).status_code == 403
    assert town.client.get("/", headers=named("awa", Scope="frameworks")).status_code == 403


def test_every_address_of_the_contract_was_opened_here(town: Town) -> None:
    """A new address needs its lines above."""
    paths: dict[str, Any] = town.client.get(f"{API}/openapi.json").json()["paths"]
    opened = {f"{API}/{route}" for route in ROUTES} | {f"{API}/receipts/{{key}}", f"{API}/schemas/{{type}}/{{version}}"}
    opened |= {
        re.sub(r"/M\d+", "/{metric}", re.sub(r"\?.*", "", API + path)).replace("/strips", "/{picture}")
        for path, _ in addresses("{identity}", "{log}")
    }
    opened |= {f"{API}/frameworks/{{identity}}/{sheet}.pdf" for sheet in SHEETS}
    opened |= {API + path for path in (*SUBSCRIPTIONS, *LISTS, *CATALOGUE)}
    opened |= {f"{API}/policies", f"{API}/policies/{{policy}}"}
    opened |= {f"{API}/frameworks/{{identity}}/commands/{n}" for n in OF_A_FRAMEWORK}
    opened |= {f"{API}/commands/{n}" for n in set(SAYABLE) - OF_A_FRAMEWORK}
    assert set(paths) == opened
    assert "receipt" in ACTING
