"""The evaluator's pages: figures with their definitions, small groups in grey, and from a number to two facts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest
from starlette.testclient import TestClient

from cycle.demo import Simulated
from cycle.engine import Engine
from cycle.history import EVERYTHING
from cycle.reading import Filters, Reader
from cycle.timings.durations import METRICS
from cycle.timings.listing import Only, listed
from cycle.timings.measuring import By, measured
from cycle_adapters.files.deliberations import recorded
from tests.http.town import named, served

EVALUATES = "evaluator-pact"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Seven frameworks, two cycles each: enough for a median, and regions that are too small for one."""
    url = f"sqlite:///{tmp_path_factory.mktemp('evaluated') / 'told.db'}"
    with Simulated(url, 1) as simulated:
        simulated.tell(recorded, frameworks=7, cycles=2)
    with Engine(url) as engine:
        yield engine


@pytest.fixture(scope="module")
def client(told: Engine) -> Iterator[TestClient]:
    with served(told) as client:
        yield client


@pytest.fixture
def reader(told: Engine) -> Reader:
    found = Reader(told, EVALUATES)
    found.catch_up()
    return found


def page(client: TestClient, path: str, who: str = EVALUATES) -> str:
    answer = client.get(path, headers=named(who))
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def links(text: str, of: str) -> list[str]:
    return [each for each in re.findall(r'href="([^"]+)"', text) if each.startswith(of)]


def figures(text: str) -> list[str]:
    """The tables, without their addresses."""
    return [re.sub(r'href="[^"]*"', "", each) for each in re.findall("<tbody>.*?</tbody>", text, re.S)]


def test_a_metric_stands_with_its_definition_its_counts_and_its_median(client: TestClient, reader: Reader) -> None:
    [group] = measured(reader, METRICS["M1"], None, Filters(), EVERYTHING).groups
    found = page(client, "/timings?lang=fr")
    assert "Jours d'un plan adopté au plan suivant adopté." in found
    cells = dict(re.findall(r'data-label="([^"]+)">(?:<a [^>]+>)?([^<]*)', found))
    assert [cells[name] for name in ("Cadres", "Intervalles", "En cours")] == [
        str(each) for each in (group.frameworks, group.intervals, group.running)
    ]
    assert group.curve is not None
    assert group.active is not None
    assert cells["Médiane (95\N{NO-BREAK SPACE}%)"].startswith(str(group.curve.median.days))
    assert cells["Temps actif (95\N{NO-BREAK SPACE}%)"].startswith(str(group.active.days))
    assert "Nombre de jours au bout desquels la moitié est arrivée au terme" in found


def test_small_groups_are_grey_and_have_no_median_and_how_many_were_compared_is_said(client: TestClient) -> None:
    found = page(client, "/timings?by=circle&lang=en")
    few = re.findall(r'<tr class="few">(.*?)</tr>', found, re.S)
    assert few
    assert all("fewer than 5 frameworks" in each for each in few)
    assert "groups of fewer than 5 frameworks" in found
    assert f"{found.count('<tr>') + len(few) - 1} groups compared" in found


@pytest.mark.parametrize(
    ("address", "number"),
    [("metric=M2", 0), ("metric=M2&by=sector", 3), ("metric=M1&by=region", 0), ("metric=M3&by=policy", 0)],
)
def test_from_a_number_one_walks_to_its_intervals_and_to_two_facts(
    client: TestClient, address: str, number: int
) -> None:
    found = page(client, f"/timings?{address}&lang=fr")
    [intervals] = re.findall(r'data-label="Intervalles"><a href="([^"]+)">(\d+)<', found)[number : number + 1]
    rows, onward = 0, intervals[0]
    facts: list[str] = []
    while onward:
        behind = page(client, onward)
        rows += behind.count('data-label="Jours"')
        facts += links(behind, "/frameworks/")
        onward = next(iter(links(behind, "/timings/rows?")), "")
        onward = onward if "after=" in onward else ""
    assert rows == int(intervals[1])
    for fact in [each for each in facts if "event=" in each][:2]:
        answer = client.get(fact, headers=named(EVALUATES), follow_redirects=False)
        assert answer.status_code == 303
        position = re.search(r"at=(\d+)", answer.headers["location"])
        assert position
        assert f'href="{answer.headers["location"].split("?")[0]}?lang=fr&at={position[1]}"' in page(
            client, answer.headers["location"]
        )


def test_the_fact_that_an_event_leads_to_is_that_event(client: TestClient, reader: Reader) -> None:
    found = listed(reader, "M1", By.REGION, Only("Ségou"), Filters(), EVERYTHING, 1).durations[0]
    facts = {fact.recorded.id: fact.position for fact in reader.framework_facts(found.framework)}
    base = f"/frameworks/{found.framework}/replay"
    answer = client.get(f"{base}?event={found.start.event}", headers=named(EVALUATES), follow_redirects=False)
    assert answer.headers["location"].startswith(f"{base}?at={facts[found.start.event]}&")
    assert client.get(f"{base}?event=nothing", headers=named(EVALUATES)).status_code == 404


def test_the_form_is_sent_with_what_nobody_has_chosen(client: TestClient) -> None:
    blank = "&by=&region=&circle=&commune=&sector=&framework=&as_of=&known_at=&at="
    assert page(client, f"/timings?lang=fr&metric=M2{blank}").replace(blank, "") == page(
        client, "/timings?lang=fr&metric=M2"
    )


def test_an_address_keeps_the_whole_question_and_gives_the_same_for_ever(client: TestClient) -> None:
    asked = "/timings?lang=fr&metric=M4&by=policy&region=Ségou&as_of=2024-01-01&known_at=2030-01-01T10:00"
    found = page(client, asked)
    for shown in ('value="M4" selected', 'value="policy" selected', 'value="Ségou" selected', 'value="2024-01-01"'):
        assert shown in found
    assert 'value="2030-01-01T10:00:00"' in found
    [kept] = re.findall(r'<a href="([^"]+)">Garder ces chiffres', found)
    assert "metric=M4" in kept
    assert figures(page(client, kept)) == figures(found) != []


def test_the_page_and_its_json_are_of_the_same_question(client: TestClient) -> None:
    for path in ("/timings?metric=M2&region=Ségou&by=circle", "/timings/rows?metric=M2&by=circle&about=meeting"):
        found = page(client, path)
        [json] = re.findall(r'rel="alternate" type="application/json" href="([^"]+)"', found)
        body = client.get(json, headers=named(EVALUATES)).json()
        assert body["metric"] == "M2"
    assert {each["about"] for each in body["durations"]} == {"meeting"}


@pytest.mark.parametrize("wrong", ["metric=M99", "by=moon", "as_of=tomorrow", "known_at=soon", "at=-1", "after=?"])
def test_what_cannot_be_read_is_a_page_that_says_so(client: TestClient, wrong: str) -> None:
    answer = client.get(f"/timings/rows?{wrong}", headers=named(EVALUATES))
    assert answer.status_code == 422
    assert "<h1>" in answer.text


def test_what_an_account_may_not_see_is_neither_counted_nor_offered(client: TestClient, reader: Reader) -> None:
    own = page(client, "/timings?lang=fr", "facilitator-04")
    assert re.findall(r'data-label="Cadres">(\d+)', own) == ["1"]
    [commune] = re.findall(r'id="f-commune".*?</select>', own, re.S)
    assert commune.count("<option") == 2
    elsewhere = next(row.framework for row in reader.frameworks() if row.commune != "ML-4-01-04")
    for path in ("/timings", "/timings/rows"):
        answer = client.get(f"{path}?framework={elsewhere}", headers=named("facilitator-04"))
        assert answer.status_code == 404


def test_whoever_may_read_timings_is_led_to_them(client: TestClient) -> None:
    assert '<a href="/timings?lang=fr">Évaluation</a>' in page(client, "/?lang=fr")


def test_what_became_of_promises_stands_there_too_and_leads_to_its_cases(client: TestClient) -> None:
    found = page(client, "/timings?metric=M8&by=region&lang=fr")
    assert "L'argent n'est jamais ajouté à la nature" in found
    assert "promesses tenues en entier à l'échéance" in found
    [behind, *_] = [each for each in links(found, "/timings/rows") if "cohort" in each]
    cases = page(client, behind)
    assert "espèces" in cases
    [fact, *_] = [each for each in links(cases, "/frameworks/") if "event=" in each]
    assert client.get(fact, headers=named(EVALUATES), follow_redirects=False).status_code == 303


@pytest.mark.parametrize("metric", ["M7", "M9", "M10", "M11"])
def test_every_case_is_told_in_both_languages(client: TestClient, metric: str) -> None:
    for language in ("fr", "en"):
        found = page(client, f"/timings/rows?metric={metric}&lang={language}")
        lines = re.findall(r"</a> · ([^<\n]+)", found)
        assert lines
        assert not any("{" in line or "None" in line for line in lines)


def test_pictures_stand_beside_the_figures_that_they_illustrate(client: TestClient) -> None:
    def titles(path: str) -> list[str]:
        return re.findall(r'<title id="picture-([a-z-]+)-title">', page(client, path))

    assert titles("/timings") == ["next-plan", "strips"]
    assert titles("/timings?metric=M2") == ["stages", "map"]
    assert titles("/timings?framework=Dioro") == ["next-plan", "strips", "xmr"]
    assert titles("/timings?metric=M3") == []


def test_frameworks_at_risk_show_their_points_and_their_facts(client: TestClient) -> None:
    found = page(client, "/timings/risk?lang=fr")
    assert "Ce n'est pas une prévision" in found
    points = [int(each) for each in re.findall(r'class="stage">(\d+) points?<', found)]
    assert points == sorted(points, reverse=True) != []
    parts = re.findall(r'<section class="fact">(.*?)</section>', found, re.S)
    for total, part in zip(points, parts, strict=True):
        assert total == sum(int(each) for each in re.findall(r"<li>\+(\d+) ", part))
        assert "event=" in part
    nothing = page(client, "/timings/risk?as_of=2001-01-01&lang=fr")
    assert "Aucun signe dans aucun cadre." in nothing


def test_two_groups_or_two_periods_are_compared_and_how_many_is_said(client: TestClient) -> None:
    blank = "&side=&side=&since=&last=&since=&last="
    assert "Choisissez deux groupes ou deux périodes." in page(client, f"/timings/compare?lang=fr{blank}")
    sides = "&side=region%3DS%C3%A9gou&side=circle%3DMacina&since=&last=&since=&last="
    groups = page(client, f"/timings/compare?lang=fr&metric=M1{sides}")
    assert "1 écart examiné" in groups
    assert 'value="region=Ségou" selected' in groups
    periods = "&side=&side=&since=2023-01-01&last=2023-06-30&since=2023-07-01&last=2023-12-31"
    found = page(client, f"/timings/compare?lang=fr&metric=M1{periods}")
    assert "du 1er janvier 2023 au 30 juin 2023" in found
    assert "La plus récente a été observée moins longtemps" in found
    [json] = re.findall(r'rel="alternate" type="application/json" href="([^"]+)"', found)
    body = client.get(json, headers=named(EVALUATES)).json()
    assert [each["side"] for each in body["comparisons"][0]["sides"]] == [
        "2023-01-01..2023-07-01",
        "2023-07-01..2024-01-01",
    ]


def test_a_period_that_ends_before_it_begins_is_said_to(client: TestClient) -> None:
    found = page(client, "/timings/compare?lang=fr&since=2024-01-01&last=2023-01-01&side=region%3DS%C3%A9gou")
    assert "la période finit avant de commencer" in found
    answer = client.get("/timings/compare?side=moon%3D1", headers=named(EVALUATES))
    assert answer.status_code == 422
