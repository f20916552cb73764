"""The evaluator's report: what the page says, on paper, in both languages, with how far the log had come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import pytest
from fastapi.testclient import TestClient

from cycle.aggregates.acts import TablesExported
from cycle.aggregates.terms import ExportForm
from cycle.demo import Simulated
from cycle.engine import Engine
from cycle.history import Cutoffs
from cycle.reading import Filters, Reader
from cycle.timings.measuring import By
from cycle_adapters.files.deliberations import recorded
from cycle_adapters.paper.basis import CannotPrint
from cycle_adapters.paper.report import reported
from tests.cli.run import Cli
from tests.http.sealed import seal
from tests.http.town import API, named, served
from tests.paper.pages import A4, boxes_of, codes_of, sizes_of, words_of


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six frameworks, two cycles each."""
    path = tmp_path_factory.mktemp("report") / "told.db"
    with Simulated(f"sqlite:///{path}", 1) as simulated:
        simulated.tell(recorded, frameworks=6, cycles=2)
    return path


@pytest.fixture
def cli(told: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    copyfile(told, tmp_path / "cycle.db")
    monkeypatch.setenv("CYCLE_ACTOR", "evaluator-pact")
    return Cli(f"sqlite:///{tmp_path / 'cycle.db'}", capsys)


@pytest.fixture
def engine(cli: Cli) -> Iterator[Engine]:
    with Engine(cli.url) as engine:
        yield engine


@pytest.fixture
def reader(engine: Engine) -> Reader:
    found = Reader(engine, "evaluator-pact")
    found.catch_up()
    return found


@pytest.fixture
def client(engine: Engine) -> Iterator[TestClient]:
    with served(engine) as client:
        yield client


def left(engine: Engine) -> list[TablesExported]:
    """What left, as it was recorded."""
    rows = engine.store.read(0, types=("tables-exported",))
    return [engine.leaves[topic, schema](leaf).data for _, topic, schema, leaf in rows]  # type: ignore[misc]


def test_each_metric_has_its_definition_its_table_and_what_the_columns_mean(cli: Cli, tmp_path: Path) -> None:
    to = tmp_path / "report.pdf"
    said = cli.ok("export", "report", "--to", str(to))
    assert said.out == f"Rapport d'évaluation : écrit dans {to}\n"
    pages = to.read_bytes()
    words = words_of(pages)
    for expected in (
        "Rapport d'évaluation",
        "tous les cadres",
        "Temps entre les cycles",
        "Jours d'un plan adopté au plan suivant adopté.",
        "Promesses tenues",
        "Cadres à risque",
        "Ce n'est pas une prévision",
        "Ce que veulent dire les colonnes",
        "moins de 5 cadres",
    ):
        assert expected in words, expected
    assert sizes_of(pages) == {A4}
    assert boxes_of(pages) == 0


def test_the_pictures_are_in_it_with_their_titles(reader: Reader) -> None:
    pages = reported(reader, None, Filters(), "en", published=lambda log: None).pages
    words = words_of(pages)
    assert "Half of the frameworks have their next plan within" in words
    assert "The longest wait for a plan" in words
    assert "The longest stage, at the median" in words


def test_the_same_question_gives_the_same_bytes_and_says_as_of_when(reader: Reader) -> None:
    then = Cutoffs(as_of=reader.engine.today().replace(year=2024, month=1, day=1), at=600)
    one, two = (
        reported(reader, By.CIRCLE, Filters(), "en", cutoffs=then, published=lambda log: None) for _ in range(2)
    )
    assert one.pages == two.pages
    words = words_of(one.pages)
    assert "held on 1 January 2024" in words
    assert "Up to position 600" in words
    assert one.fact == TablesExported(600, ExportForm.REPORT)


def test_what_was_signed_of_all_logs_stands_at_its_foot(engine: Engine, client: TestClient) -> None:
    seal(engine)
    answer = client.get(f"{API}/report.pdf?lang=en", headers=named("evaluator-pact"))
    assert answer.status_code == 200
    assert "Checkpoint" in words_of(answer.content)
    [code, *_] = codes_of(answer.content)
    assert b"\n" in code


def test_of_one_commune_it_is_recorded_in_that_name(engine: Engine, client: TestClient) -> None:
    answer = client.get(f"{API}/report.pdf?commune=Dioro&lang=fr", headers=named("evaluator-pact"))
    assert answer.status_code == 200
    assert "Rapport d'évaluation" in words_of(answer.content)
    [fact] = left(engine)
    assert (fact.form, fact.of) == (ExportForm.REPORT, "ML-4-01-01")
    assert answer.headers["Cycle-Position"] == str(fact.up_to)


def test_what_the_account_may_not_carry_out_is_not_in_it(engine: Engine, client: TestClient) -> None:
    own = words_of(client.get(f"{API}/report.pdf", headers=named("facilitator-04")).content)
    assert "Markala" in own
    assert "Dioro" not in own
    assert client.get(f"{API}/report.pdf").status_code == 401


def test_of_nothing_there_is_no_report_and_nothing_is_recorded(reader: Reader, client: TestClient) -> None:
    before = Cutoffs(at=3)
    with pytest.raises(CannotPrint):
        reported(reader, None, Filters(), "fr", cutoffs=before, published=lambda log: None)
    answer = client.get(f"{API}/report.pdf?at=3&lang=fr", headers=named("evaluator-pact"))
    assert answer.status_code == 404
    assert "rien à mesurer" in answer.json()["detail"]
    assert left(reader.engine) == []


def test_it_is_offered_on_the_page_with_the_same_question(client: TestClient) -> None:
    page = client.get("/timings?by=region&lang=fr", headers=named("evaluator-pact")).text
    assert "/api/v1/report.pdf?lang=fr&amp;by=region" in page
