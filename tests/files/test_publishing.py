"""A council's register leaves by the schema SCDL, and comes in again without a difference."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cycle.aggregates.commune import RegisterCommune
from cycle.aggregates.deliberation import EnterDeliberation, TransmitDeliberation
from cycle.aggregates.terms import Outcome, Votes
from cycle.engine import Engine, Said
from cycle_adapters.files.deliberations import against, judge, record
from cycle_adapters.files.mapping import scdl
from cycle_adapters.files.publishing import publish
from cycle_adapters.files.register import Register
from tests.cli.run import Cli
from tests.engine.test_engine import said
from tests.files.test_deliberations import DIORO, REAL, SECRETARY, TODAY, register
from tests.people import everybody

__all__ = ["register"]
SCHEMA = {
    "COLL_NOM": (True, r".+"),
    "COLL_SIRET": (True, r"\d{14}"),
    "DELIB_ID": (True, r".+"),
    "DELIB_DATE": (True, r"\d{4}-\d{2}-\d{2}"),
    "DELIB_MATIERE_CODE": (True, r"\d\.\d{1,2}"),
    "DELIB_MATIERE_NOM": (True, r".+"),
    "DELIB_OBJET": (True, r"(?s).+"),
    "BUDGET_ANNEE": (False, r"[0-9]{4}(\/[0-9]{4})?"),
    "BUDGET_NOM": (False, r".+"),
    "PREF_ID": (False, r".+"),
    "PREF_DATE": (False, r"\d{4}-\d{2}-\d{2}"),
    "VOTE_EFFECTIF": (False, r"\d+"),
    "VOTE_REEL": (False, r"\d+"),
    "VOTE_POUR": (False, r"\d+"),
    "VOTE_CONTRE": (False, r"\d+"),
    "VOTE_ABSTENTION": (False, r"\d+"),
    "DELIB_URL": (False, r"[a-z]+://\S+"),
}
"""Columns of "Délibérations" 2.1.5, whether a cell is wanted, and its pattern. Source: schema.data.gouv.fr."""


def published(engine: Engine, siret: str | None = "21860194600013") -> bytes:
    file = io.BytesIO()
    publish(file, Register(engine, DIORO).each(), "Dioro", siret)
    return file.getvalue()


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))


def enter(engine: Engine, number: str, subject: str, outcome: Outcome, votes: Votes | None = None, **more: str) -> str:
    command = EnterDeliberation(
        commune=DIORO, number=number, subject=subject, outcome=outcome, decided_on=date(2026, 1, 20), votes=votes,
        **more,
    )  # fmt: skip
    return engine.execute(Said(command=command, by=SECRETARY, on=date(2026, 1, 20))).stream.partition("-")[2]


def test_the_real_file_comes_out_as_it_went_in(register: Engine) -> None:
    record(register, judge(REAL.read_bytes(), DIORO, scdl(), REAL.name, TODAY), SECRETARY)
    data = published(register)
    again = judge(data, DIORO, scdl(), "again.csv", TODAY)
    assert (len(again.good), again.bad_lines) == (79, ())
    report = against(Register(register, DIORO), again)
    assert (len(report.new), len(report.completing), report.known) == (0, 0, 79)
    assert "known-differently" not in report.counts()


def test_an_empty_register_elsewhere_becomes_the_same(register: Engine, tmp_path: Path) -> None:
    record(register, judge(REAL.read_bytes(), DIORO, scdl(), REAL.name, TODAY), SECRETARY)
    with Engine(f"sqlite:///{tmp_path / 'other.db'}") as other:
        everybody(other)
        other.execute(said(RegisterCommune(commune=DIORO, name="Dioro", region="Ségou", circle="Ségou")))
        record(other, judge(published(register), DIORO, scdl(), "a.csv", TODAY), SECRETARY)
        assert published(other) == published(register)


def test_every_row_is_valid_by_the_schema_where_the_register_has_what_it_wants(register: Engine) -> None:
    votes = Votes(23, 20, 18, 1, 1)
    url = "https://dioro.ml/d/1.pdf"
    made = enter(register, "2026-1", "Budget", Outcome.ADOPTED, votes, matter="7.1 Décisions budgétaires", document=url)
    sent = TransmitDeliberation(transmitted_on=date(2026, 1, 31), authority="SPREF041")
    register.execute(Said(command=sent, by=SECRETARY, on=date(2026, 1, 31), target=made))
    (row,) = rows(published(register))
    assert list(row) == list(SCHEMA)
    for name, (wanted, pattern) in SCHEMA.items():
        assert (row[name] == "" and not wanted) or re.fullmatch(pattern, row[name]), f"{name}: {row[name]!r}"
    assert (row["PREF_ID"], row["PREF_DATE"], row["DELIB_URL"]) == ("SPREF041", "2026-01-31", url)
    assert [row[f"VOTE_{name}"] for name in ("EFFECTIF", "REEL", "POUR", "CONTRE", "ABSTENTION")] == [
        "23", "20", "18", "1", "1",
    ]  # fmt: skip


def test_a_text_that_was_put_off_is_not_told_as_adopted(register: Engine) -> None:
    enter(register, "2026-1", "Marché", Outcome.DEFERRED, Votes(23, 20, 18, 1, 1))
    enter(register, "2026-2", "Budget", Outcome.ADOPTED, Votes(23, 20, 18, 1, 1))
    put_off, adopted = rows(published(register))
    assert (put_off["DELIB_ID"], put_off["VOTE_POUR"], adopted["VOTE_POUR"]) == ("2026-1", "", "18")
    report = against(Register(register, DIORO), judge(published(register), DIORO, scdl(), "a.csv", TODAY))
    assert (report.known, "known-differently" in report.counts()) == (2, False)


texts = (
    st.sampled_from(["=1+1", "-Budget", "@x", "'=1", "''", "+223", "l1\nl2", "l1\r\nl2", "\x0b=1", "👩🏽‍🌾", "＝1"])
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=40)
).map(lambda words: unicodedata.normalize("NFC", words))


@given(st.lists(texts.filter(lambda words: words.strip() != ""), min_size=1, max_size=5, unique=True))
@settings(max_examples=8, deadline=None)
def test_whatever_a_text_is_called_it_is_known_when_it_comes_back(subjects: list[str]) -> None:
    with TemporaryDirectory() as folder, Engine(f"sqlite:///{folder}/cycle.db") as engine:
        everybody(engine)
        engine.execute(said(RegisterCommune(commune=DIORO, name="Dioro", region="Ségou", circle="Ségou")))
        for number, subject in enumerate(subjects):
            enter(engine, f"2026-{number}", subject, Outcome.NOTED)
        data = published(engine)
        assert not any(row["DELIB_OBJET"].startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows(data))
        report = against(Register(engine, DIORO), judge(data, DIORO, scdl(), "a.csv", TODAY))
        assert (report.known, report.new) == (len(subjects), ())


@pytest.fixture
def evaluator(demo: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("CYCLE_ACTOR", "evaluator-pact")
    return demo


def test_the_verb_says_what_the_file_cannot(evaluator: Cli, tmp_path: Path) -> None:
    file = tmp_path / "dioro.csv"
    ran = evaluator.ok("export", "deliberations", "--commune", "dioro", "--to", str(file), lang="en")
    assert ran.out == f"{len(rows(file.read_bytes()))} deliberations written to {file}\n"
    assert "a strict validator says so" in ran.err
    refused = evaluator("export", "deliberations", "--commune", "Dioro", "--to", str(file), lang="en")
    assert (refused.code, "say --overwrite" in refused.err) == (3, True)
    evaluator.ok("export", "deliberations", "--commune", "Dioro", "--to", str(file), "--overwrite")
    out = evaluator.ok("export", "deliberations", "--commune", "Dioro")
    assert out.out.encode() == file.read_bytes().replace(b"\r\n", b"\n") or out.out.encode() == file.read_bytes()
    evaluator.ok("--actor", "council-secretary-01", "import", "deliberations", str(file), "--commune", "Dioro")
