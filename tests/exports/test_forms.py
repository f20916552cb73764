"""Whatever somebody may have written: it comes back as it was, harms no spreadsheet and breaks no file."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pyarrow.parquet
import pytest
import xmlschema
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cycle.aggregates.base import Role
from cycle.aggregates.commune import RegisterCommune
from cycle.aggregates.framework.setup import ProposeFramework
from cycle.aggregates.rulebook import PublishPolicy
from cycle.aggregates.terms import CommuneCode, ExportForm
from cycle.engine import Engine
from cycle.exports.columns import Cell, Column, Kind
from cycle.history import EVERYTHING
from cycle.policy import sample
from cycle.reading import Filters, Reader
from cycle_adapters.exports import workbook
from cycle_adapters.exports.taking import Wanted, export
from cycle_adapters.exports.workbook import Workbook
from cycle_adapters.tabular import STEERING, as_written, harmless, write_csv, write_parquet
from tests.access.places import say
from tests.exports.reading import XES, rows
from tests.people import everybody

HOSTILE = (
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "'=1", "''", '"', 'a"b,c;d',
    "a\r\nb\nc\rd",
    "\x00\x01\x07\x0b\x0c\x1b\x1f", "\ufffe\uffff", "]]><!--&<é>", "null", "𝄞👩🏽‍🌾", "\u202eתי", "_x000D_",
    "x" * 2000, "\x01\x07\x1b\x1f",
)  # fmt: skip
texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
).map(lambda words: unicodedata.normalize("NFC", words))


def recordable(words: str) -> bool:
    """Whether a log takes it for a title: it holds no NUL."""
    return words.strip() != "" and len(words) <= 200 and "\x00" not in words


COLUMNS = tuple(Column(kind.value, kind, "test") for kind in Kind)
cells = st.tuples(
    *(
        st.none() | each
        for each in (
            texts,
            st.integers(-(2**53), 2**53),
            st.decimals(-1_000_000, 1_000_000, places=3),
            st.booleans(),
            st.dates(date(1900, 3, 1), date(9000, 1, 1)),
            st.datetimes(datetime(1900, 3, 1), datetime(9000, 1, 1), timezones=st.just(UTC)),
            texts.map(json.dumps),
        )
    )
)
tables = st.lists(cells, max_size=8)


def in_csv(given: list[tuple[Cell, ...]]) -> bytes:
    file = io.BytesIO()
    assert write_csv(file, COLUMNS, given) == len(given)
    return file.getvalue()


@given(tables)
@settings(deadline=None)
def test_csv_is_read_again_as_it_was(given: list[tuple[Cell, ...]]) -> None:
    head, *found = csv.reader(io.StringIO(in_csv(given).decode(), newline=""), strict=True)
    assert head == [column.name for column in COLUMNS]
    assert [as_written(row[0]) for row in found] == [row[0] or "" for row in given]
    assert [row[1] for row in found] == ["" if row[1] is None else str(row[1]) for row in given]
    assert [row[2] and Decimal(row[2]) for row in found] == ["" if row[2] is None else row[2] for row in given]


@given(tables)
@settings(deadline=None)
def test_no_text_in_csv_is_a_formula_and_numbers_stay_numbers(given: list[tuple[Cell, ...]]) -> None:
    _, *found = csv.reader(io.StringIO(in_csv(given).decode(), newline=""), strict=True)
    for row in found:
        assert not row[0].startswith(STEERING)
        assert not row[6].startswith(STEERING)
        assert row[1] == "" or int(row[1]) is not None


@pytest.mark.parametrize("words", ["=1", "+1", "-1", "@a", "\ta", "\ra"])
def test_what_may_be_a_formula_gets_an_apostrophe(words: str) -> None:
    assert harmless(words) == f"'{words}"
    assert as_written(harmless(words)) == words


def test_lines_of_csv_end_as_rfc_4180_says() -> None:
    row = ("a\nb", 1, Decimal("1.50"), True, date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "[]")
    assert in_csv([row]) == (
        b"text,integer,decimal,boolean,date,timestamp,json\r\n"
        b'"a\nb",1,1.50,true,2026-01-02,2026-01-02T03:04:00.000000Z,[]\r\n'
    )


@given(tables)
@settings(max_examples=40, deadline=None)
def test_parquet_is_read_again_as_it_was_in_types_of_its_own(given: list[tuple[Cell, ...]]) -> None:
    file = io.BytesIO()
    assert write_parquet(file, COLUMNS, given) == len(given)
    table = pyarrow.parquet.read_table(io.BytesIO(file.getvalue()))
    assert [str(each) for each in table.schema.types] == [
        "string", "int64", "double", "bool", "date32[day]", "timestamp[us, tz=UTC]", "string",
    ]  # fmt: skip
    wanted = [tuple(float(cell) if isinstance(cell, Decimal) else cell for cell in row) for row in given]
    assert [tuple(row.values()) for row in table.to_pylist()] == wanted


def test_without_the_library_of_parquet_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(Exception, match=r"pip install 'cycle\[parquet\]'"):
        write_parquet(io.BytesIO(), COLUMNS, [])


def in_workbook(folder: Path, given: list[tuple[Cell, ...]]) -> openpyxl.Workbook:
    book = Workbook(folder / "a.xlsx", "fr")
    assert book.table("table", COLUMNS, given) == len(given)
    book.close()
    return openpyxl.load_workbook(folder / "a.xlsx")


@given(tables)
@settings(max_examples=30, deadline=None)
def test_a_workbook_opens_and_holds_texts_and_numbers_and_no_formula(given: list[tuple[Cell, ...]]) -> None:
    with TemporaryDirectory() as folder:
        found = list(in_workbook(Path(folder), given)["table"].iter_rows(min_row=2))
    for cells, row in zip(found, given, strict=False):
        assert all(cell.data_type != "f" for cell in cells)
        # What looks like an escape of the format is escaped, which this reader leaves as it is.
        read = str(cells[0].value or "").replace("_x005F_", "_")
        assert read == workbook._FORBIDDEN.sub("\ufffd", "\n".join(re.split("\r\n|\r", str(row[0] or ""))))
        if row[1] is not None and abs(int(str(row[1]))) < 10**15:
            assert cells[1].value == row[1]
        assert cells[3].value == row[3]
        assert cells[4].value is None or cells[4].value.date() == row[4]


def test_a_text_too_long_for_a_cell_is_cut_and_says_so(tmp_path: Path) -> None:
    long = "é👩" * 30_000
    book = in_workbook(tmp_path, [(long, *(None,) * 6), ("y" * 32_767, *(None,) * 6)])
    cut, whole = (row[0] for row in book["table"].iter_rows(min_row=2, values_only=True))
    assert len(cut.encode("utf-16-le")) // 2 <= 32_767
    assert cut.startswith("é👩é👩")
    assert cut.endswith("le CSV contient tout]")
    assert whole == "y" * 32_767


def test_what_goes_beyond_a_sheet_stands_on_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 4)
    given = [(str(number), *(None,) * 6) for number in range(7)]
    book = in_workbook(tmp_path, given)
    assert book.sheetnames == ["table", "table 2", "table 3"]
    found = [row[0] for sheet in book for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert found == [row[0] for row in given]


@given(st.lists(texts.filter(recordable), min_size=1, max_size=4))
@example(list(filter(recordable, HOSTILE)))
@settings(max_examples=5, deadline=None)
def test_a_log_for_process_mining_holds_whatever_a_framework_is_called(titles: list[str]) -> None:
    with TemporaryDirectory() as folder, Engine(f"sqlite:///{folder}/cycle.db") as engine:
        found = _proposed(engine, titles)
        for form, json_wanted in ((ExportForm.OCEL, True), (ExportForm.XES, None), (ExportForm.CSV, None)):
            reader = Reader(engine, Role.EVALUATOR.value)
            wanted = Wanted(form, Filters(), EVERYTHING, "fr", json=json_wanted)
            export(reader, Path(folder) / form.value, wanted, lambda log: None, lambda done, of: None)
        _ocel_holds(Path(folder) / "ocel/cycle.ocel.json", found)
        _xes_holds(Path(folder) / "xes/by-framework.xes", found)
        told = {row["framework"]: as_written(row["title"]) for row in rows(Path(folder) / "csv/frameworks.csv")}
        assert told == found


def _proposed(engine: Engine, titles: list[str]) -> dict[str, str]:
    everybody(engine)
    say(engine, PublishPolicy(document=sample()))
    found = {}
    for number, title in enumerate(titles, 1):
        code = CommuneCode(f"ML-9-01-{number:02}")
        say(engine, RegisterCommune(commune=code, name=f"C {title}"[:200].strip(), region="R", circle="C"))
        found[say(engine, ProposeFramework(commune=code, title=title)).stream.partition("-")[2]] = title
    return found


def _ocel_holds(path: Path, titles: dict[str, str]) -> None:
    objects = {each["id"]: each for each in json.loads(path.read_bytes())["objects"]}
    for framework, title in titles.items():
        values = {each["name"]: each["value"] for each in objects[framework]["attributes"]}
        assert values["title"] == title


def _xes_holds(path: Path, titles: dict[str, str]) -> None:
    schema = xmlschema.XMLSchema(Path(__file__).parent / "xes.xsd")
    schema.validate(path)
    found = {}
    for trace in ElementTree.parse(path).getroot().iter(f"{XES}trace"):
        values = {each.get("key"): each.get("value") for each in trace.findall(f"{XES}string")}
        found[values["concept:name"]] = values["cycle:title"]
    assert found == {framework: _in_xml(title) for framework, title in titles.items()}


def _in_xml(words: str) -> str:
    return "".join(c if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff") else "\ufffd" for c in words)


def test_values_of_ocel_json_are_texts(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/cycle.db") as engine:
        _proposed(engine, ["Cadre"])
        wanted = Wanted(ExportForm.OCEL, Filters(), EVERYTHING, "fr")
        reader = Reader(engine, Role.EVALUATOR.value)
        export(reader, tmp_path / "out", wanted, lambda log: None, lambda done, of: None)
    log: Any = json.loads((tmp_path / "out/cycle.ocel.json").read_bytes())
    for each in (*log["events"], *log["objects"]):
        assert all(isinstance(attribute["value"], str) for attribute in each["attributes"])
    declared = {each["name"] for each in log["objectTypes"]}
    assert not declared & {"object", "map_type", "map-type"}


def test_a_sqlite_form_has_its_keys_and_the_type_of_time(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/cycle.db") as engine:
        _proposed(engine, ["Cadre"])
        wanted = Wanted(ExportForm.OCEL, Filters(), EVERYTHING, "fr", json=False)
        reader = Reader(engine, Role.EVALUATOR.value)
        export(reader, tmp_path / "out", wanted, lambda log: None, lambda done, of: None)
    database = sqlite3.connect(tmp_path / "out/cycle.ocel.sqlite")
    info = {name: (kind, key) for _, name, kind, _, _, key in database.execute("PRAGMA table_info(event_PlanAgreed)")}
    assert (info["ocel_time"], info["ocel_id"]) == (("TIMESTAMP", 0), ("TEXT", 1))
    assert database.execute("PRAGMA foreign_key_list(event_object)").fetchall()
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
