"""Real councils' files: judged row by row, recorded all together or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cycle.aggregates.base import Refused
from cycle.aggregates.commune import RegisterCommune
from cycle.aggregates.terms import CommuneCode, Outcome
from cycle.catalogue import keys
from cycle.engine import Engine
from cycle_adapters.files.deliberations import BadRows, Report, judge, record
from cycle_adapters.files.mapping import MappingError, read_mapping, scdl
from cycle_adapters.files.table import FileBroken
from tests.engine.test_engine import said

REAL = Path(__file__).parents[3] / "shared/data/deliberations/saint-etienne-metropole-2022.csv"
MODEL = REAL.with_name("scdl-model-altervilles.csv")
DIORO = CommuneCode("ML-4-01-01")
HEADER = "DELIB_ID,DELIB_DATE,DELIB_OBJET,PREF_DATE,VOTE_EFFECTIF,VOTE_REEL,VOTE_POUR,VOTE_CONTRE,VOTE_ABSTENTION"
GOOD = "2026-1,2026-01-20,Budget,2026-01-31,23,20,18,1,1"


def judged(*rows: str, header: str = HEADER) -> Report:
    return judge("\r\n".join((header, *rows)).encode(), DIORO, scdl(), "a.csv")


@pytest.fixture
def register(engine: Engine) -> Engine:
    engine.execute(said(RegisterCommune(commune=DIORO, name="Dioro", region="Ségou", circle="Ségou")))
    return engine


def test_the_real_file_holds_what_its_council_published() -> None:
    report = judge(REAL.read_bytes(), DIORO, scdl(), REAL.name)
    assert (report.rows, len(report.good), report.bad_lines) == (80, 79, ())
    assert report.counts() == {"no-vote": 1, "number-repeated": 18, "row-repeated": 1, "votes-exceed-present": 79}
    (silent,) = (row for row in report.good if row.command.votes is None)
    assert (silent.command.number, silent.command.outcome) == ("2022.00031", Outcome.NOTED)
    assert sum(row.command.outcome is Outcome.ADOPTED for row in report.good) == 78


def test_the_real_file_imported_twice_changes_nothing(register: Engine) -> None:
    report = judge(REAL.read_bytes(), DIORO, scdl(), REAL.name)
    first = record(register, report)
    head = register.store.head()
    again = record(register, report)
    assert (first.recorded, first.known) == (79, 0)
    assert (again.recorded, again.known) == (0, 79)
    assert register.store.head() == head


def test_the_model_file_is_read(register: Engine) -> None:
    report = judge(MODEL.read_bytes(), DIORO, scdl(), MODEL.name)
    assert (report.rows, len(report.good)) == (1, 1)


def test_an_overlapping_file_brings_only_what_is_new(register: Engine) -> None:
    record(register, judged(GOOD))
    more = record(register, judged(GOOD, GOOD.replace("2026-1", "2026-2")))
    assert (more.recorded, more.known) == (1, 1)


ODD = {
    "number-missing": (",2026-01-20,Budget,2026-01-31,23,20,18,1,1", True),
    "subject-missing": ("1,2026-01-20,,2026-01-31,23,20,18,1,1", True),
    "date-invalid": ("1,20/01/2026,Budget,2026-01-31,23,20,18,1,1", True),
    "transmitted-before-decided": ("1,2026-01-20,Budget,2026-01-10,23,20,18,1,1", True),
    "in-force-unknown": ("1,2026-01-20,Budget,,23,20,18,1,1", False),
    "no-vote": ("1,2026-01-20,Budget,2026-01-31,23,20,,,", False),
    "vote-incomplete": ("1,2026-01-20,Budget,2026-01-31,23,vingt,18,1,1", True),
    "votes-exceed-present": ("1,2026-01-20,Budget,2026-01-31,23,15,18,1,1", False),
    "votes-exceed-office": ("1,2026-01-20,Budget,2026-01-31,15,15,18,1,1", True),
    "present-exceed-office": ("1,2026-01-20,Budget,2026-01-31,20,21,18,1,1", True),
    "row-does-not-fit": (f"1,2026-01-20,{'x' * 2500},2026-01-31,23,20,18,1,1", True),
    "text-recomposed": ("1,2026-01-20,Re\u0301gie,2026-01-31,23,20,18,1,1", False),
}


@pytest.mark.parametrize(("code", "row", "bad"), [(c, r, b) for c, (r, b) in ODD.items()])
def test_what_is_odd_about_a_row_is_said(code: str, row: str, bad: bool) -> None:
    report = judged(row)
    assert code in report.counts()
    assert (report.bad_lines == (2,)) is bad
    assert len(report.good) == (0 if bad else 1)


def test_repeated_rows_and_numbers_are_said() -> None:
    report = judged(GOOD, GOOD, GOOD.replace("Budget", "Autre"))
    assert report.counts() == {"number-repeated": 1, "row-repeated": 1}
    assert len(report.good) == 2


def test_columns_of_proxies_and_outcomes_are_read_through_a_mapping() -> None:
    mapping = read_mapping(
        json.dumps(
            {
                "encoding": "cp1252",
                "separator": ";",
                "dates": ["%d/%m/%Y"],
                "outcomes": {"Adopté": "adopted", "Rejeté": "rejected"},
                "columns": {
                    "number": ["N°"], "decided_on": ["Séance"], "subject": ["Objet"], "outcome": ["Résultat"],
                    "in_office": ["En exercice"], "present": ["Présents"], "proxies": ["Pouvoirs"],
                    "in_favour": ["Pour"], "against": ["Contre"], "siret": ["SIRET"],
                },
            }
        ).encode()
    )  # fmt: skip
    rows = (
        "N°;Séance;Objet;Résultat;En exercice;Présents;Pouvoirs;Pour;Contre;SIRET",
        "1;20/01/2026;Marché;Adopté;23;15;5;20;0;123",
        "2;20/01/2026;Taxe;Peut-être;23;15;5;20;0;",
        "3;20/01/2026;Prêt;Adopté;23;15;2;19;0;",
        "4;20/01/2026;Voeu;Adopté;23;15;9;5;6;",
        "5;20/01/2026;Bail;Adopté;23;15;5;5;6;",
    )
    report = judge("\n".join(rows).encode("cp1252"), DIORO, mapping, "b.csv")
    assert [row.command.number for row in report.good] == ["1"]
    assert {"siret-malformed", "outcome-unknown", "votes-exceed-proxies", "proxies-exceed-absent"} <= set(
        report.counts()
    )
    assert "adopted-without-majority" in report.counts()


def test_every_oddity_that_has_words_is_tested() -> None:
    others = {"row-repeated", "number-repeated", "siret-malformed", "outcome-unknown"}
    others |= {"votes-exceed-proxies", "proxies-exceed-absent", "adopted-without-majority"}
    assert keys("oddity") == set(ODD) | others


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the header has no column DELIB_ID"),
        (b"a,b\n1,2", "the header has no column DELIB_ID"),
        (HEADER.encode(), "there are no rows"),
        (HEADER.encode() + b"\n1,2", "line 2: 2 cells where the header has 9"),
        (HEADER.encode() + b'\n"1,2', "line 2: unexpected end of data"),
        (HEADER.encode() + b"\n\xe9,2,3,4,5,6,7,8,9", "line 2: not utf-8-sig text; say the right `encoding`"),
        (HEADER.encode() + b"\n\x00", "NUL"),
        (b"PK\x03\x04\xff\xfe\x00", "not utf-8-sig text"),
    ],
)
def test_a_file_that_no_mapping_can_help_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(FileBroken, match=words):
        judge(data, DIORO, scdl(), "a.csv")


def test_a_mapping_that_cannot_be_used_says_where() -> None:
    with pytest.raises(MappingError, match="columns"):
        read_mapping(b'{"columns": {"number": "DELIB_ID"}}')
    with pytest.raises(FileBroken, match="there is no encoding"):
        judge(b"x", DIORO, read_mapping(_with(scdl_bytes(), '"utf-8-sig"', '"klingon"')), "a.csv")


def scdl_bytes() -> bytes:
    from importlib.resources import files

    return (files("cycle_adapters.files") / "scdl-2.1.5.json").read_bytes()


def _with(data: bytes, old: str, new: str) -> bytes:
    return data.replace(old.encode(), new.encode())


def test_bad_rows_refuse_the_file_unless_they_are_left_out(register: Engine) -> None:
    report = judged(GOOD, ODD["date-invalid"][0])
    head = register.store.head()
    with pytest.raises(BadRows, match=r"1 row\(s\) cannot be recorded \(line 3\), so nothing was"):
        record(register, report)
    assert register.store.head() == head
    assert record(register, report, skip_bad_rows=True).recorded == 1


def test_an_unknown_commune_imports_nothing(engine: Engine) -> None:
    with pytest.raises(Refused, match="commune-unknown"):
        record(engine, judged(GOOD))
    assert engine.store.head().position == 0


def test_a_hundred_times_the_data(register: Engine) -> None:
    rows = (GOOD.replace("2026-1,", f"2026-{n},") for n in range(8_000))
    assert record(register, judged(*rows)).recorded == 8_000


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 300))
def test_any_file_is_judged_or_refused(noise: bytes, place: int) -> None:
    data = "\n".join((HEADER, GOOD)).encode()
    try:
        judge(data[:place] + noise + data[place:], DIORO, scdl(), "a.csv")
    except FileBroken:
        return
