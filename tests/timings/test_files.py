"""One question as files: the same numbers as on the page, harmless, and every column documented."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile
from typing import Any

import pyarrow.parquet
import pytest
from fastapi.testclient import TestClient

from cycle.catalogue import LANGUAGES, MissingText
from cycle.demo import Simulated
from cycle.engine import Engine
from cycle.exports.figures import Part, columns, taken
from cycle.history import EVERYTHING
from cycle.reading import Filters, Reader
from cycle.timings.listing import EVERY_GROUP, Only
from cycle.timings.measuring import By
from cycle.timings.metrics import IDS
from cycle_adapters.files.deliberations import recorded
from cycle_adapters.tabular import FORMS
from tests.cli.run import Cli
from tests.http.town import API, named, served


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven frameworks, two cycles each."""
    path = tmp_path_factory.mktemp("files") / "told.db"
    with Simulated(f"sqlite:///{path}", 1) as simulated:
        simulated.tell(recorded, frameworks=7, cycles=2)
    return path


@pytest.fixture(scope="module")
def reader(told: Path) -> Iterator[Reader]:
    with Engine(f"sqlite:///{told}") as engine:
        found = Reader(engine, "evaluator-pact")
        found.catch_up()
        yield found


@pytest.fixture(scope="module")
def client(reader: Reader) -> Iterator[TestClient]:
    with served(reader.engine, "evaluator-pact") as client:
        yield client


@pytest.fixture
def cli(told: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    copyfile(told, tmp_path / "cycle.db")
    monkeypatch.setenv("CYCLE_ACTOR", "evaluator-pact")
    return Cli(f"sqlite:///{tmp_path / 'cycle.db'}", capsys)


def rows(client: TestClient, path: str) -> list[dict[str, str]]:
    answer = client.get(f"{API}/timings/{path}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


@pytest.mark.parametrize("part", Part)
@pytest.mark.parametrize("metric", IDS)
def test_every_column_means_something_in_both_languages(metric: str, part: Part) -> None:
    names = [column.name for column in columns(metric, part)]
    assert len(names) == len(set(names))
    for column in columns(metric, part):
        for language in LANGUAGES:
            assert column.words(language)


def test_a_column_that_nothing_documents_is_noticed() -> None:
    with pytest.raises(MissingText):
        columns("M1", Part.FIGURES)[0]._replace(name="moon").words("fr")


@pytest.mark.parametrize("metric", IDS)
def test_csv_and_parquet_hold_the_same_rows_and_columns(client: TestClient, metric: str) -> None:
    for part in Part:
        plain = rows(client, f"{metric}/{part}.csv?by=circle")
        binary = client.get(f"{API}/timings/{metric}/{part}.parquet?by=circle").content
        table = pyarrow.parquet.read_table(io.BytesIO(binary))
        assert table.num_rows == len(plain) > 0
        assert table.column_names == list(plain[0])


def test_the_figures_are_those_of_the_json(client: TestClient) -> None:
    groups = client.get(f"{API}/timings/M1?by=region").json()["groups"]
    found = rows(client, "M1/figures.csv?by=region")
    assert [(each["cohort"], each["intervals"], each["median"], each["active_median"]) for each in found] == [
        (
            group["cohort"],
            str(group["intervals"]),
            str(group["curve"]["median"]["days"]),
            str(group["active"]["days"]),
        )
        for group in groups
    ]
    few = rows(client, "M1/figures.csv?by=circle")
    assert all(each["median"] == "" for each in few if int(each["frameworks"]) < 5)
    assert any(int(each["frameworks"]) < 5 for each in few)


def test_rows_lead_to_two_facts_and_are_those_of_one_group(client: TestClient) -> None:
    whole = client.get(f"{API}/timings/M2/rows?limit=500").json()["durations"]
    found = rows(client, "M2/rows.csv")
    assert [(each["start_event"], each["end_event"], each["days"]) for each in found] == [
        (each["start"]["event"], (each["end"] or {"event": ""})["event"], str(each["days"])) for each in whole
    ]
    part = rows(client, "M2/rows.csv?by=region&cohort=S%C3%A9gou&about=meeting")
    assert 0 < len(part) < len(found)
    assert {each["about"] for each in part} == {"meeting"}


def test_what_a_spreadsheet_would_run_is_harmless(reader: Reader) -> None:
    table = taken(reader, "M7", Part.ROWS, None, EVERY_GROUP, Filters(), EVERYTHING)
    place = [column.name for column in table.columns].index("action")
    hostile = ((*cells[:place], "=1+1", *cells[place + 1 :]) for cells in table.rows)
    file = io.BytesIO()
    FORMS["csv"].write(file, table.columns, hostile)
    written = list(csv.DictReader(io.StringIO(file.getvalue().decode(), newline="")))
    assert {each["action"] for each in written} == {"'=1+1"}


def test_one_group_of_shares_is_a_part_of_them(reader: Reader) -> None:
    def many(only: Only) -> int:
        return len(list(taken(reader, "M8", Part.ROWS, By.CIRCLE, only, Filters(), EVERYTHING).rows))

    circles = {row.circle for row in reader.communes()}
    assert sum(many(Only(circle)) for circle in circles) == many(EVERY_GROUP) > 0


def test_the_command_line_writes_the_same_file(cli: Cli, client: TestClient, tmp_path: Path) -> None:
    for more, address in (((), "figures"), (("--rows",), "rows")):
        file = tmp_path / "told.csv"
        said = cli("timings", "m2", "--by", "region", "--format", "csv", "--to", str(file), *more)
        assert said.code == 0
        assert str(file) in said.out + said.err
        assert file.read_bytes() == client.get(f"{API}/timings/M2/{address}.csv?by=region").content
    count = cli("--json", "timings", "M9", "--rows", "--format", "parquet", "--to", str(tmp_path / "m9.parquet")).json
    assert count["rows"] == pyarrow.parquet.read_table(tmp_path / "m9.parquet").num_rows


@pytest.mark.parametrize(
    ("arguments", "helps"),
    [
        (("timings", "M1", "--to", "x.csv"), "--format csv"),
        (("timings", "M1", "--rows"), "--format csv"),
        (("timings", "--format", "csv"), "cycle timings M1"),
    ],
)
def test_half_a_wish_is_refused_with_the_other_half(cli: Cli, arguments: tuple[str, ...], helps: str) -> None:
    found = cli(*arguments, lang="en")
    assert found.code == 2
    assert helps in found.err


def test_without_the_library_parquet_is_not_offered_and_the_command_says_what_to_install(
    cli: Cli, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    assert "Parquet</a>" in client.get("/timings").text
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr("cycle_adapters.http.evaluating.has_parquet", lambda: False)
    assert "Parquet</a>" not in client.get("/timings").text
    found = cli("timings", "M1", "--format", "parquet", lang="en")
    assert found.code == 4
    assert "pip install" in found.err


def test_whoever_may_not_read_timings_takes_none_away(reader: Reader) -> None:
    with served(reader.engine) as anybody:
        for part in Part:
            path = f"{API}/timings/M1/{part}.csv"
            assert anybody.get(path).status_code == 401
            own: Any = anybody.get(path, headers=named("facilitator-04"))
            assert own.status_code == 200
            assert "ML-4-01-05" not in own.text
