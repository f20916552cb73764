"""The pictures through their doors: drawn, or as the data that they show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient

from cycle.catalogue import has
from cycle.engine import Engine
from cycle.reading import Reader
from cycle.timings.pictures.all import PICTURES
from tests.cli.run import PLAIN_SPACES, Cli
from tests.http.town import API, named, served
from tests.timings.towns import TURN, D, N, town

DRAWN = f"{API}/timings/pictures"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    lived = {f"Cadre {n}": ((D, 20 + n), *TURN * 2, (N, 0)) for n in range(6)}
    with town(tmp_path_factory.mktemp("doors") / "a.db", lived) as found:
        yield found


@pytest.fixture
def client(engine: Engine) -> Iterator[TestClient]:
    with served(engine) as found:
        yield found


@pytest.fixture
def one(engine: Engine) -> str:
    reader = Reader(engine, "evaluator")
    reader.catch_up()
    return reader.frameworks()[0].framework


def asked(name: str, one: str) -> str:
    """An address behind which the picture is."""
    return f"{DRAWN}/{name}.svg?lang=en" + (f"&framework={one}" if PICTURES[name].alone else "")


EVALUATOR = named("evaluator")


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_a_file_and_its_data_stand_beside_it(client: TestClient, one: str, name: str) -> None:
    answer = client.get(asked(name, one), headers=EVALUATOR)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert ElementTree.fromstring(answer.text).attrib["lang"] == "en"
    assert answer.headers["content-language"] == "en"
    data = client.get(asked(name, one).replace(".svg", ""), headers=EVALUATOR).json()
    assert (data["picture"], data["shown"]["type"]) == (name, name)
    assert has(f"picture.{name}")


def test_who_has_seen_it_is_told_so(client: TestClient, one: str) -> None:
    first = client.get(asked("stages", one), headers=EVALUATOR)
    again = client.get(asked("stages", one), headers={**EVALUATOR, "If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    other = asked("stages", one).replace("lang=en", "lang=fr")
    assert client.get(other, headers={**EVALUATOR, "If-None-Match": first.headers["etag"]}).status_code == 200


def test_filters_and_cutoffs_are_those_of_the_figures(client: TestClient, one: str) -> None:
    whole = client.get(f"{DRAWN}/map", headers=EVALUATOR).json()
    assert whole["shown"]["frameworks"] == 6
    for narrowed, frameworks in (("region=S%C3%A9gou", 3), (f"framework={one}", 1), ("as_of=2023-01-01", 0)):
        found = client.get(f"{DRAWN}/map?{narrowed}", headers=EVALUATOR).json()
        assert found["shown"]["frameworks"] == frameworks, narrowed
    figures = client.get(f"{API}/timings/M1?by=region", headers=EVALUATOR).json()["groups"]
    cohorts = client.get(f"{DRAWN}/next-plan?by=region", headers=EVALUATOR).json()["shown"]["cohorts"]
    assert [each["group"] for each in cohorts] == figures


@pytest.mark.parametrize(
    ("address", "field", "words"),
    [
        ("nix.svg", "picture", "such as stages"),
        ("stages.svg?by=region", "by", "compares no groups"),
        ("xmr.svg", "framework", "of one framework"),
        ("xmr", "framework", "of one framework"),
        ("stages?by=moon", "by", "region"),
        ("stages?as_of=tomorrow", "as_of", "day"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_reason(
    client: TestClient, address: str, field: str, words: str
) -> None:
    answer = client.get(f"{DRAWN}/{address}", headers={**EVALUATOR, "Accept-Language": "en"})
    assert answer.status_code == 422
    [fault] = answer.json()["errors"]
    assert fault["field"] == field
    assert words in fault["text"]


def test_whoever_may_read_no_figures_sees_no_picture(client: TestClient) -> None:
    assert client.get(f"{DRAWN}/stages.svg").status_code == 401
    assert client.get(f"{DRAWN}/stages.svg", headers=named("operator")).status_code == 403


@pytest.fixture
def cli(engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("CYCLE_ACTOR", "evaluator")
    return Cli(str(engine.env["CYCLE_DATABASE"]), capsys)


def test_the_command_line_writes_a_file_or_to_where_one_reads(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "stages.svg"
    said = cli("picture", "stages", "--as-of", "2026-03-01", "--to", str(file))
    assert (said.code, said.out.strip()) == (0, f"{file} est écrit.")
    assert file.read_text("utf-8").startswith("<svg ")
    assert cli("picture", "stages", "--as-of", "2026-03-01").out == file.read_text("utf-8").translate(PLAIN_SPACES)


def test_command_line_and_api_say_the_same(cli: Cli, client: TestClient, one: str) -> None:
    for name in PICTURES:
        more = ("--framework", one) if PICTURES[name].alone else ()
        said = cli("--json", "picture", name, "--as-of", "2026-03-01", *more).json
        address = asked(name, one).replace(".svg", "") + "&as_of=2026-03-01"
        assert client.get(address, headers=EVALUATOR).json() == said


def test_what_the_command_line_cannot_draw_is_refused_with_the_reason(cli: Cli, tmp_path: Path) -> None:
    for arguments, words in (
        (("stages", "--by", "region"), "ne compare pas de groupes"),
        (("xmr",), "nommez-le"),
        (("nix",), "next-plan, stages, map, strips, xmr"),
    ):
        found = cli("picture", *arguments)
        assert found.code == 2
        assert words in found.err
    nowhere = cli("picture", "map", "--to", str(tmp_path / "no" / "folder.svg"))
    assert nowhere.code not in (0, 2)
    assert "folder.svg" in nowhere.err
