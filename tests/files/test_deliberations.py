"""Real councils' files: judged row by row, recorded all together or not at all."""

from __future__ import annotations

import gc
import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cycle.aggregates.base import Refused, Role
from cycle.aggregates.commune import RegisterCommune
from cycle.aggregates.deliberation import EnterDeliberation
from cycle.aggregates.terms import CommuneCode, Outcome
from cycle.catalogue import Language, keys
from cycle.engine import Engine
from cycle_adapters.files.deliberations import BadRows, Report, against, judge, record
from cycle_adapters.files.mapping import Mapping, MappingError, read_mapping, scdl
from cycle_adapters.files.register import Register
from cycle_adapters.files.report import as_json, told
from cycle_adapters.files.table import FileBroken
from tests.engine.test_engine import said
from tests.people import by, everybody

REAL = Path(__file__).parents[3] / "shared/data/deliberations/saint-etienne-metropole-2022.csv"
MODEL = REAL.with_name("scdl-model-altervilles.csv")
DIORO = CommuneCode("ML-4-01-01")
HEADER = "DELIB_ID,DELIB_DATE,DELIB_OBJET,PREF_DATE,VOTE_EFFECTIF,VOTE_REEL,VOTE_POUR,VOTE_CONTRE,VOTE_ABSTENTION"
GOOD = "2026-1,2026-01-20,Budget,2026-01-31,23,20,18,1,1"


TODAY = date(2026, 7, 1)
SECRETARY = by(Role.COUNCIL_SECRETARY)


def judged(*rows: str, header: str = HEADER, mapping: Mapping | None = None) -> Report:
    return judge("\r\n".join((header, *rows)).encode(), DIORO, mapping or scdl(), "a.csv", TODAY)


@pytest.fixture
def register(engine: Engine) -> Engine:
    everybody(engine)
    engine.execute(said(RegisterCommune(commune=DIORO, name="Dioro", region="Ségou", circle="Ségou")))
    return engine


def test_the_real_file_holds_what_its_council_published() -> None:
    report = judge(REAL.read_bytes(), DIORO, scdl(), REAL.name, TODAY)
    assert (report.rows, len(report.good), report.bad_lines) == (80, 79, ())
    assert report.counts() == {"no-vote": 1, "number-repeated": 18, "row-repeated": 1, "votes-exceed-present": 79}
    (silent,) = (row for row in report.good if row.command.votes is None)
    assert (silent.command.number, silent.command.outcome) == ("2022.00031", Outcome.NOTED)
    assert sum(row.command.outcome is Outcome.ADOPTED for row in report.good) == 78


def test_the_real_file_imported_twice_changes_nothing(register: Engine) -> None:
    report = judge(REAL.read_bytes(), DIORO, scdl(), REAL.name, TODAY)
    first = record(register, report, SECRETARY)
    head = register.store.head()
    again = record(register, report, SECRETARY)
    assert (first.recorded, first.known) == (79, 0)
    assert (again.recorded, again.known) == (0, 79)
    assert register.store.head() == head


def test_the_model_file_is_read(register: Engine) -> None:
    report = judge(MODEL.read_bytes(), DIORO, scdl(), MODEL.name, TODAY)
    assert (report.rows, len(report.good)) == (1, 1)


def test_an_overlapping_file_brings_only_what_is_new(register: Engine) -> None:
    record(register, judged(GOOD), SECRETARY)
    more = record(register, judged(GOOD, GOOD.replace("2026-1", "2026-2")), SECRETARY)
    assert (more.recorded, more.known) == (1, 1)


MATTER = read_mapping(
    b'{"columns": {"number": ["DELIB_ID"], "decided_on": ["DELIB_DATE"], "subject": ["DELIB_OBJET"]}}'
)
"""A mapping with few columns."""
AWAITING = "2026-1,2026-01-20,Budget,,23,20,18,1,1"


def in_one_line(report: Report, *, dry_run: bool = False) -> str:
    return " ".join(told(report, "fr", dry_run=dry_run).split())


def stages(engine: Engine) -> list[str]:
    return [fact.type for _, fact in facts(engine)]


def facts(engine: Engine):  # type: ignore[no-untyped-def]
    for _, topic, schema, leaf in engine.store.read(0, log=DIORO):  # type: ignore[arg-type]
        if topic.startswith("deliberation"):
            fact = engine.leaves[topic, schema](leaf)
            yield fact.stream, fact


def test_a_decision_that_is_published_again_with_its_transmission_is_completed(register: Engine) -> None:
    """It used to be recorded twice: every cell was part of its identity."""
    assert record(register, judged(AWAITING), SECRETARY).recorded == 1
    again = record(register, judged(GOOD), SECRETARY)
    assert (again.recorded, again.completed, again.known) == (0, 1, 0)
    assert stages(register) == ["deliberation-recorded", "deliberation-sent-to-authority"]
    assert len({stream for stream, _ in facts(register)}) == 1
    head = register.store.head()
    for rows in (GOOD, AWAITING):
        third = record(register, judged(rows), SECRETARY)
        assert (third.recorded, third.completed, third.known) == (0, 0, 1)
    assert register.store.head() == head


def test_a_mapping_with_one_more_column_changes_nothing(register: Engine) -> None:
    record(register, judged(GOOD, mapping=MATTER), SECRETARY)
    more = record(register, judged(AWAITING), SECRETARY)
    assert (more.recorded, more.completed, more.known) == (0, 0, 1)
    (finding,) = (oddity for oddity in more.oddities if oddity.code == "known-differently")
    assert [each.field for each in finding.values["differences"]][:2] == ["in_office", "present"]  # type: ignore[attr-defined]
    head = register.store.head()
    assert record(register, judged(GOOD, mapping=MATTER), SECRETARY).known == 1
    assert register.store.head() == head


def test_what_the_register_holds_differently_is_said_and_left_as_it_is(register: Engine) -> None:
    record(register, judged(GOOD), SECRETARY)
    head = register.store.head()
    changed = GOOD.replace("2026-01-31", "2026-02-03").replace(",18,", ",17,")
    report = record(register, judged(changed), SECRETARY)
    assert (report.known, register.store.head()) == (1, head)
    french = in_one_line(report)
    assert (
        "Voix pour : 18 au registre, 17 ici ; Transmise le : 31 janvier 2026 au registre, 3 février 2026 ici" in french
    )
    assert "Demandez au secrétariat du conseil" in french


def test_a_decision_that_was_entered_by_hand_is_not_recorded_again(register: Engine) -> None:
    entered = EnterDeliberation(
        commune=DIORO, number="2026-1", subject="BUDGET", outcome=Outcome.ADOPTED, decided_on=date(2026, 1, 20)
    )
    receipt = register.execute(said(entered))
    report = record(register, judged(GOOD), SECRETARY)
    assert (report.recorded, report.completed) == (0, 1)
    assert register.states.history(receipt.stream)[-1].type == "deliberation-sent-to-authority"


def test_a_number_that_the_register_has_for_another_decision_is_said(register: Engine) -> None:
    record(register, judged(GOOD), SECRETARY)
    report = record(register, judged(GOOD.replace("Budget", "Marché")), SECRETARY)
    assert (report.recorded, report.counts()) == (1, {"number-known": 1})
    assert "une autre décision, du 20 janvier 2026 : « Budget »" in in_one_line(report)


def test_one_decision_that_a_file_tells_in_two_ways_is_to_be_mended(register: Engine) -> None:
    report = judged(GOOD, GOOD.replace(",18,", ",17,"), GOOD.replace("Budget", "BUDGET"))
    assert report.counts() == {"row-differs": 1, "row-repeated": 1}
    assert (report.bad_lines, report.repeated, len(report.good)) == ((3,), 1, 1)


def test_a_dry_run_compares_with_the_register_and_writes_nothing(register: Engine) -> None:
    record(register, judged(AWAITING), SECRETARY)
    head = register.store.head()
    report = against(Register(register, DIORO), judged(GOOD, GOOD.replace("2026-1,", "2026-2,")))
    assert (len(report.new), len(report.completing), report.known) == (1, 1, 0)
    assert (report.recorded, report.completed, register.store.head()) == (0, 0, head)
    assert "À enregistrer : 1 ; à compléter par la date de transmission : 1" in in_one_line(report, dry_run=True)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_report_fits_eighty_columns_and_shows_no_codes(language: Language) -> None:
    report = judge(REAL.read_bytes(), DIORO, scdl(), REAL.name, TODAY)
    lines = told(report, language, dry_run=True).splitlines()
    assert max(map(len, lines)) <= 80
    assert not any(code in line for code in report.counts() for line in lines)
    first = {"fr": "80 lignes : 79 délibérations, 1 répétition, 0 ligne à corriger", "en": "80 rows: 79 deliberations"}
    assert lines[0].replace("\u00a0", " ").startswith(first[language])
    assert any(line.startswith({"fr": "ligne 2\u00a0: 105", "en": "line 2: 105"}[language]) for line in lines)


def test_a_real_run_that_is_refused_does_not_call_itself_a_dry_run(register: Engine) -> None:
    with pytest.raises(BadRows) as caught:
        record(register, judged(GOOD, ODD["date-in-future"][0]), SECRETARY)
    report = caught.value.report
    assert "Essai à blanc" not in told(report, "fr", dry_run=False)
    assert told(report, "fr", dry_run=False).endswith("Rien n'a été enregistré.")
    assert caught.value.told("fr").startswith("1 ligne ne peut pas être enregistrée (ligne 3), donc rien ne l'a été")
    assert json.loads(as_json(report, "fr", dry_run=False))["dry_run"] is False


ODD = {
    "number-missing": (",2026-01-20,Budget,2026-01-31,23,20,18,1,1", True),
    "subject-missing": ("1,2026-01-20,,2026-01-31,23,20,18,1,1", True),
    "date-invalid": ("1,20/01/2026,Budget,2026-01-31,23,20,18,1,1", True),
    "transmitted-before-decided": ("1,2026-01-20,Budget,2026-01-10,23,20,18,1,1", True),
    "date-in-future": ("1,2026-01-20,Budget,2126-01-31,23,20,18,1,1", True),
    "date-too-old": ("1,0026-01-20,Budget,2026-01-31,23,20,18,1,1", True),
    "in-force-unknown": ("1,2026-01-20,Budget,,23,20,18,1,1", False),
    "no-vote": ("1,2026-01-20,Budget,2026-01-31,23,20,,,", False),
    "vote-incomplete": ("1,2026-01-20,Budget,2026-01-31,23,vingt,18,1,1", True),
    "votes-exceed-present": ("1,2026-01-20,Budget,2026-01-31,23,15,18,1,1", False),
    "votes-exceed-office": ("1,2026-01-20,Budget,2026-01-31,15,15,18,1,1", True),
    "present-exceed-office": ("1,2026-01-20,Budget,2026-01-31,20,21,18,1,1", True),
    "row-does-not-fit": (f"1,2026-01-20,{'x' * 2500},2026-01-31,23,20,18,1,1", True),
    "text-recomposed": ("1,2026-01-20,Re\u0301gie,2026-01-31,23,20,18,1,1", False),
}


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_oddity_is_told_in_words(language: Language) -> None:
    for code, (row, _) in ODD.items():
        assert code not in told(judged(row), language, dry_run=True)


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
    report = judge("\n".join(rows).encode("cp1252"), DIORO, mapping, "b.csv", TODAY)
    assert [row.command.number for row in report.good] == ["1"]
    assert {"siret-malformed", "outcome-unknown", "votes-exceed-proxies", "proxies-exceed-absent"} <= set(
        report.counts()
    )
    assert "adopted-without-majority" in report.counts()


def test_every_oddity_that_has_words_is_tested() -> None:
    others = {"row-differs", "number-known", "known-differently"}
    others |= {"row-repeated", "number-repeated", "siret-malformed", "outcome-unknown"}
    others |= {"votes-exceed-proxies", "proxies-exceed-absent", "adopted-without-majority"}
    assert keys("oddity") == set(ODD) | others


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the header has no column DELIB_ID"),
        (b"a,b\n1,2", "the header has no column DELIB_ID"),
        (HEADER.encode(), "there are no rows"),
        (HEADER.encode() + b"\n1,2", "line 2: 2 cells where the header has 9"),
        (HEADER.encode() + b'\n"1,2', "line 2: a quotation mark is open"),
        (HEADER.encode() + b"\n\xe9,2,3,4,5,6,7,8,9", "line 2: not utf-8-sig text; say the right `encoding`"),
        (HEADER.encode() + b"\n\x00", "NUL"),
        (b"PK\x03\x04\xff\xfe\x00", "not utf-8-sig text"),
    ],
)
def test_a_file_that_no_mapping_can_help_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(FileBroken, match=words):
        judge(data, DIORO, scdl(), "a.csv", TODAY)


def mapped(**changes: object) -> bytes:
    return json.dumps(json.loads(scdl_bytes()) | changes).encode()


def scdl_bytes() -> bytes:
    from importlib.resources import files

    return (files("cycle_adapters.files") / "scdl-2.1.5.json").read_bytes()


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        (b'{"{"x":', "this is not JSON: look at line 1, column"),
        (b"encoding: utf-8", "this is not JSON: look at line 1, column 1"),
        (b'{\n "encoding": "utf-8",\n "separator": \n}', "this is not JSON: look at line 4, column 1"),
        (b"\xff\xff", "not text in UTF-8"),
        (b"[" * 100_000, "a mapping is flat"),
        (b"[]", "an object, in braces"),
        (b"{}", "the field “columns” is missing"),
        (mapped(seperator=";"), "there is no field “seperator”"),
        (mapped(columns={"number": "DELIB_ID"}), r"\$.columns.number: here stands a list"),
        (mapped(columns={"number": [], "decided_on": ["a"], "subject": ["b"]}), r"\$.columns.number"),
        (mapped(outcomes={"Oui": "yes"}), "“yes” is none of the values that are known"),
        (mapped(separator=";;"), "the separator “;;” is not one character"),
        (mapped(separator=""), "the separator “” is not one character"),
        (mapped(separator='"'), "is not one character that can separate"),
        (mapped(separator="\n"), "is not one character that can separate"),
        (mapped(encoding="klingon"), "there is no encoding “klingon”"),
        (mapped(encoding="hex"), "there is no encoding “hex”"),
        (mapped(encoding="\0"), "there is no encoding"),
        (mapped(dates=[]), "dates names no way"),
        (mapped(dates=["%"]), "“%” does not say day, month and year"),
        (mapped(dates=["%d/%m"]), "“%d/%m” does not say"),
        (mapped(dates=["%d %d %Y"]), "“%d %d %Y” does not say"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_where_and_what_to_write(mapping: bytes, words: str) -> None:
    # Whatever is finalised at the limit of recursion would be a fault of this test.
    gc.collect()
    with pytest.raises(MappingError, match=words) as caught:
        read_mapping(mapping)
    assert caught.value.told("fr") != caught.value.told("en")


def test_a_mapping_that_was_saved_by_a_windows_editor_is_read() -> None:
    assert read_mapping(b"\xef\xbb\xbf" + scdl_bytes()) == scdl()


@settings(max_examples=200, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "encoding": st.sampled_from(["utf-8", "utf-16", "utf-7", "idna", "punycode", "undefined", "cp037"])
            | st.text(),
            "separator": st.text(max_size=2),
            "dates": st.lists(st.text("%dmYyjbH/- ", max_size=8) | st.text(), max_size=2),
        },
    )
)
def test_any_mapping_reads_the_file_or_is_refused(changes: dict[str, object]) -> None:
    try:
        judged(GOOD, mapping=read_mapping(mapped(**changes)))
    except (MappingError, FileBroken):
        return


def test_bad_rows_refuse_the_file_unless_they_are_left_out(register: Engine) -> None:
    report = judged(GOOD, ODD["date-invalid"][0])
    head = register.store.head()
    with pytest.raises(BadRows, match=r"1 row cannot be recorded \(line 3\), so nothing was"):
        record(register, report, SECRETARY)
    assert register.store.head() == head
    assert record(register, report, SECRETARY, skip_bad_rows=True).recorded == 1


def test_an_unknown_commune_imports_nothing(engine: Engine) -> None:
    begun = everybody(engine)
    with pytest.raises(Refused, match="commune-unknown"):
        record(engine, judged(GOOD), SECRETARY)
    assert engine.store.head().position == begun


def test_a_hundred_times_the_data(register: Engine) -> None:
    rows = (GOOD.replace("2026-1,", f"2026-{n},") for n in range(8_000))
    assert record(register, judged(*rows), SECRETARY).recorded == 8_000


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 300))
def test_any_file_is_judged_or_refused(noise: bytes, place: int) -> None:
    data = "\n".join((HEADER, GOOD)).encode()
    try:
        judge(data[:place] + noise + data[place:], DIORO, scdl(), "a.csv", TODAY)
    except FileBroken:
        return
