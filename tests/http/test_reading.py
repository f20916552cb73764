"""Reading over HTTP: pages that lose and repeat nothing, past moments, tags, and what the command line says too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile
from threading import Event, Thread
from typing import Any

import pytest
from fastapi.testclient import TestClient

from cycle.aggregates.framework.anytime import AttachDocument
from cycle.demo import Simulated
from cycle.engine import Engine
from cycle.projections.all import PROJECTIONS
from cycle.reading import Reader
from cycle_adapters.files.deliberations import recorded
from cycle_adapters.http.problems import URN
from cycle_adapters.http.reading import ROUTES
from tests.access.places import DAY, DIORO, FANTA, KOULA, say, two_communes
from tests.cli.run import Cli
from tests.http.town import API, WIDE, named, sent, served


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reading") / "told.db"
    with Simulated(f"sqlite:///{path}", 1) as simulated:
        simulated.tell(recorded, frameworks=3, cycles=1)
    return path


@pytest.fixture
def demo(told: Path, tmp_path: Path) -> Iterator[tuple[TestClient, Reader]]:
    """A client, and a reader beside it, of the demo."""
    copyfile(told, tmp_path / "cycle.db")
    with Engine(f"sqlite:///{tmp_path / 'cycle.db'}") as engine, served(engine, "operator") as client:
        reader = Reader(engine, "operator")
        reader.catch_up()
        yield client, reader


def walked(client: TestClient, path: str, limit: int, **more: Any) -> list[Any]:
    """All items, page by page by the links."""
    found, address = [], f"{API}{path}{'&' if '?' in path else '?'}limit={limit}"
    while address:
        answer = client.get(address, **more)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert len(body["items"]) <= limit
        found += body["items"]
        link = answer.headers.get("link", "")
        assert bool(link) is (body["next"] is not None)
        address = link.partition("<")[2].partition(">")[0]
    return found


def test_every_projection_has_its_route() -> None:
    assert {name.replace("-", "_") for name in ROUTES} == set(PROJECTIONS)


@pytest.mark.parametrize("route", ROUTES)
def test_pages_hold_every_row_once_and_in_order(demo: tuple[TestClient, Reader], route: str) -> None:
    client, reader = demo
    rows = reader.rows(ROUTES[route])
    whole = json.loads(client.get(f"{API}/{route}?limit=500").content)["items"]
    assert walked(client, f"/{route}", 7)[:500] == whole
    assert len(walked(client, f"/{route}", 500)) == len(rows)
    # Nobody waits for a second person at the end of the demo.
    assert rows or route == "requests"


@pytest.mark.parametrize("when", ["as_of=2023-06-01", "at=400", "known_at=2023-06-01T12:00:00Z"])
def test_pages_of_a_past_moment_hold_every_row_once(demo: tuple[TestClient, Reader], when: str) -> None:
    client, _ = demo
    whole = client.get(f"{API}/audit-trail?{when}&limit=500").json()["items"]
    assert whole
    assert walked(client, f"/audit-trail?{when}", 100)[:500] == whole
    assert len(client.get(f"{API}/actions?{when}").json()["items"]) < len(client.get(f"{API}/actions").json()["items"])


def test_few_look_back_over_everything_at_once_and_one_commune_is_always_answered(
    demo: tuple[TestClient, Reader],
) -> None:
    client, reader = demo
    past, home = client.app.state.doors.past, reader.frameworks()[0].commune  # type: ignore[attr-defined]
    with past, past:
        for path in ("/plans?", "/calendar.ics?", "/communes?"):
            answer = client.get(f"{API}{path}as_of=2023-06-01")
            assert (answer.status_code, answer.json()["type"]) == (503, f"{URN}busy")
            assert answer.headers["retry-after"]
            assert client.get(f"{API}{path}as_of=2023-06-01&commune={home}").status_code == 200
            assert client.get(f"{API}{path}").status_code == 200
    assert client.get(f"{API}/plans?as_of=2023-06-01").status_code == 200


def test_whoever_walks_while_others_write_loses_and_repeats_nothing(engine: Engine) -> None:
    dioro, _ = two_communes(engine)
    for _ in range(30):
        say(engine, AttachDocument(title="Reçu", sha256="0" * 64, bytes=1, media="a"), dioro, FANTA)
    there = engine.store.head().position

    def write() -> None:
        for _ in range(60):
            say(engine, AttachDocument(title="Reçu", sha256="0" * 64, bytes=1, media="a"), dioro, FANTA)

    writer = Thread(target=write)
    with served(engine) as client:
        writer.start()
        found = walked(client, "/audit-trail?commune=ML-4-01-01", 2, headers=named("fanta"))
        writer.join()
    positions = [row["position"] for row in found]
    assert positions == sorted(set(positions))
    known = {fact.position for fact in Reader(engine, "fanta").facts(DIORO) if fact.position <= there}
    assert known <= set(positions)


def test_filters_choose_and_a_list_that_knows_no_frameworks_takes_none(demo: tuple[TestClient, Reader]) -> None:
    client, reader = demo
    row = reader.frameworks()[0]
    by_framework = client.get(f"{API}/actions?framework={row.framework}").json()["items"]
    assert {each["framework"] for each in by_framework} == {row.framework}
    region = next(each.region for each in reader.communes() if each.code == row.commune)
    by_region = client.get(f"{API}/frameworks?region={region}").json()["items"]
    assert row.framework in {each["framework"] for each in by_region}
    assert client.get(f"{API}/frameworks?sector=none-such").json()["items"] == []
    parameters = client.get(f"{API}/openapi.json").json()["paths"][f"{API}/communes"]["get"]["parameters"]
    assert not [each for each in parameters if each["$ref"].endswith(("/framework", "/sector"))]


def test_what_is_written_is_read_at_once(engine: Engine) -> None:
    dioro, _ = two_communes(engine)
    path, body = sent(AttachDocument(title="Reçu", sha256="0" * 64, bytes=1, media="a"), DAY, dioro)
    with served(engine) as client:
        headers = named("fanta")
        for number in range(10):
            written = client.post(path, json=body, headers=headers | {"Idempotency-Key": f"k{number}"})
            position = written.headers["cycle-position"]
            read = client.get(f"{API}/audit-trail?min_position={position}&limit=500", headers=headers)
            assert int(read.headers["cycle-position"]) >= int(position)
            assert read.json()["items"][-1]["causation"] == f"k{number}"


def test_a_position_that_comes_is_waited_for(engine: Engine) -> None:
    dioro, _ = two_communes(engine)
    limits = WIDE.__class__(WIDE.account, WIDE.address, wait_seconds=60)
    with served(engine, limits=limits) as client:
        follows = client.app.state.doors.reader.runner  # type: ignore[attr-defined]
        waits, real = Event(), follows.follow_to

        def follow(position: int, seconds: float) -> None:
            waits.set()
            real(position, seconds)

        follows.follow_to = follow
        found: list[Any] = []
        goal = engine.store.head().position + 1
        reading = Thread(
            target=lambda: found.append(client.get(f"{API}/plans?min_position={goal}", headers=named("fanta")))
        )
        reading.start()
        assert waits.wait(60)
        say(engine, AttachDocument(title="Reçu", sha256="0" * 64, bytes=1, media="a"), dioro, FANTA)
        reading.join()
    assert (found[0].status_code, int(found[0].headers["cycle-position"])) == (200, goal)


def test_what_is_known_is_not_sent_again(engine: Engine) -> None:
    dioro, _ = two_communes(engine)
    with served(engine) as client:
        for path in (f"/frameworks/{dioro}", f"/frameworks/{dioro}/history", f"/frameworks/{dioro}/next", "/communes"):
            first = client.get(API + path, headers=named("fanta"))
            tag = first.headers["etag"]
            known = client.get(API + path, headers=named("fanta", **{"If-None-Match": f'"x", {tag}'}))
            assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
            assert client.get(API + path, headers=named("fanta", **{"If-None-Match": '"x"'})).status_code == 200
        say(engine, AttachDocument(title="Reçu", sha256="0" * 64, bytes=1, media="a"), dioro, FANTA)
        tags = [client.get(API + path, headers=named(who)).headers["etag"] for who in ("fanta", "mayor")]
        again = client.get(API + path, headers=named("fanta", **{"If-None-Match": tag}))
        single = client.get(f"{API}/frameworks/{dioro}", headers=named("fanta"))
    assert again.status_code == 200
    assert len(set(tags)) == 2
    assert single.headers["etag"] == '"2"'


def test_a_tag_is_never_older_than_what_it_stands_for(demo: tuple[TestClient, Reader]) -> None:
    client, reader = demo
    for row in reader.frameworks():
        answer = client.get(f"{API}/frameworks/{row.framework}")
        assert answer.headers["etag"] == f'"{len(reader.framework_facts(row.framework))}"'
        past = client.get(f"{API}/frameworks/{row.framework}?at={reader.framework_facts(row.framework)[0].position}")
        assert past.headers["etag"].startswith("W/")


def test_a_framework_that_was_not_yet_is_not_found(demo: tuple[TestClient, Reader]) -> None:
    client, reader = demo
    assert client.get(f"{API}/frameworks/{reader.frameworks()[0].framework}?at=1").status_code == 404


def test_the_api_and_the_command_line_say_the_same(
    told: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = f"sqlite:///{tmp_path / 'cycle.db'}"
    copyfile(told, tmp_path / "cycle.db")
    cli = Cli(database, capsys)
    with Engine(database) as engine, served(engine, "operator") as client:
        identity = client.get(f"{API}/frameworks").json()["items"][0]["framework"]
        here = f"{API}/frameworks/{identity}"
        history = walked(client, f"/frameworks/{identity}/history?lang=en", 100)
        changes = client.get(f"{here}/changes?from=2023-02-15&to=900&lang=en").json()
        steps = client.get(f"{here}/next").json()
    shown = json.loads(cli("--json", "show", "frameworks", "--framework", identity).out)["frameworks"]
    with Engine(database) as engine, served(engine, "operator") as client:
        assert [client.get(here).json()] == shown
    lines = cli("--json", "--lang", "en", "replay", identity).out.splitlines()
    assert history == [json.loads(line) for line in lines]
    told_changes = cli("--json", "--lang", "en", "diff", identity, "--from", "2023-02-15", "--to", "900").out
    assert changes == json.loads(told_changes)
    assert steps == json.loads(cli("--json", "next", identity).out)


def test_a_receipt_is_for_who_may_read_where_its_key_was_used(engine: Engine) -> None:
    dioro, koula = two_communes(engine)
    for place, k in ((dioro, "here"), (koula, "there")):
        path, body = sent(AttachDocument(title="Reçu", sha256="0" * 64, bytes=1, media="a"), DAY, place)
        with served(engine) as client:
            written = client.post(path, json=body, headers=named("facilitator", **{"Idempotency-Key": k}))
    with served(engine) as client:
        here = client.get(f"{API}/receipts/here", headers=named("fanta"))
        nothing = [client.get(f"{API}/receipts/{k}", headers=named("fanta")) for k in ("there", "nowhere")]
        auditor = client.get(f"{API}/receipts/there", headers=named("auditor")).json()
    assert (here.status_code, here.json()["key"], here.json()["signed"]) == (200, "here", None)
    assert [answer.status_code for answer in nothing] == [404, 404]
    assert nothing[0].content == nothing[1].content
    assert auditor == written.json() | {"signed": None}
    assert KOULA in {line["log"] for line in auditor["events"]}


def test_a_receipt_is_signed_where_the_key_is_at_hand(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Engine(sqlite_url) as engine:
        two_communes(engine)
    key_file = tmp_path / "seal.key"
    Cli(sqlite_url, capsys)("seal", "--new-key", "cycle.example.org", "--key-file", str(key_file))
    monkeypatch.setenv("CYCLE_SEAL_KEY", str(key_file))
    with Engine(sqlite_url) as engine, served(engine, "auditor") as client:
        signed = client.get(f"{API}/receipts/accounts-begin").json()["signed"]
    assert "— cycle.example.org" in signed
