"""Every column of every file is documented, in both languages, and none that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from cycle import catalogue
from cycle.exports.columns import Kind
from cycle.exports.tables import TABLES
from cycle_adapters.files.publishing import COLUMNS
from tests.exports.conftest import Take
from tests.exports.reading import columns, rows

FORMS = (("csv",), ("parquet",), ("xlsx",), ("ocel", "--form", "json"), ("ocel", "--form", "sqlite"), ("xes",))


def documented(folder: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in rows(folder / "dictionary.csv"):
        found.setdefault(line["file"], set()).add(line["column"])
    return found


@pytest.mark.parametrize("form", FORMS, ids="-".join)
def test_every_column_that_is_written_is_documented_and_no_other(take: Take, form: tuple[str, ...]) -> None:
    folder = take(*form)
    written, told = columns(folder), documented(folder)
    assert told.keys() == written.keys()
    for name, there in written.items():
        # An attribute by cycle stands in the traces of cycles alone.
        only = {"trace.cycle:cycle"} if name == "by-framework.xes" else set()
        assert there - told[name] == set(), f"{name}: undocumented"
        assert told[name] - there - only == set(), f"{name}: documented, and not there"


@pytest.mark.parametrize("form", FORMS, ids="-".join)
def test_a_line_says_what_a_column_means_what_it_counts_and_where_it_comes_from(
    take: Take, form: tuple[str, ...]
) -> None:
    for line in rows(take(*form) / "dictionary.csv"):
        assert line["fr"].strip(), line
        assert line["en"].strip(), line
        assert line["source"], line
        assert line["type"] in set(Kind), line
        assert line["unit"] or line["type"] not in ("date", "timestamp") or "data" in line["source"], line


def test_what_counts_days_or_money_says_so() -> None:
    told = {column.name: column.unit for table in TABLES for column in table.columns}
    assert told["days"] == told["days_to_solution"] == "day"
    assert told["estimate_xof"] == "xof"
    assert told["women"] == "person"


def test_every_table_is_of_documented_columns_in_both_languages() -> None:
    for column in (*COLUMNS, *(column for table in TABLES for column in table.columns)):
        french, english = (column.words(language) for language in catalogue.LANGUAGES)
        assert french
        assert english


def test_a_column_without_words_is_noticed() -> None:
    nameless = TABLES[0].columns[0]._replace(name="undreamt_of")
    with pytest.raises(catalogue.MissingText, match=r"column\.events\.undreamt_of"):
        nameless.words("fr")
