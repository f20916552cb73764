"""Fields that cannot be read are refused in the reader's own language, with what to write instead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import inspect as types

from cycle.aggregates.rulebook import PublishPolicy
from cycle.engine import COMMANDS
from cycle.fields import FORMS, bare
from tests.cli.run import Cli
from tests.cli.test_next import is_french


def patterns(kind: types.Type) -> Iterator[str | None]:
    match bare(kind):
        case types.StrType(pattern=pattern):
            yield pattern
        case types.VarTupleType(item_type=item):
            yield from patterns(item)
        case types.StructType(fields=fields):
            for field in fields:
                yield from patterns(field.type)


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - {PublishPolicy.type}))
def test_every_pattern_of_a_field_has_a_name(command: str) -> None:
    assert set(patterns(types.type_info(COMMANDS[command]))) <= set(FORMS)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ('sectors=["A B"]', "sectors attend : code en minuscules et traits d'union"),
        ("sectors=[1]", "sectors attend : "),
        ("sectors=[", "s'arrête avant la fin du JSON"),
        ("sectors=[}]", "n'est pas du JSON à partir de l'octet"),
        (r'sectors=["\ud800"]', r"contient une moitié de caractère (\ud800)"),
    ],
)
def test_a_field_that_cannot_be_read(cli: Cli, field: str, words: str) -> None:
    ran = cli("do", "prioritise-sectors", "--framework", "Dioro", "--set", field)
    assert ran.code == 2
    assert words in ran.err
    is_french(ran.err.replace("prioritise-sectors", "").replace("sectors", "").replace('{"name": "Dioro"}', ""))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[1]", "contient autre chose que des champs"),
        ('{"reason":', "s'arrête avant la fin du JSON"),
        (r'{"reason":"\udc00"}', "moitié de caractère"),
        ("{'reason':1}", "n'est pas du JSON à partir de l'octet 2"),
    ],
)
def test_a_file_that_holds_no_fields(cli: Cli, tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "data.json").write_text(content)
    ran = cli("do", "suspend", "--framework", "Dioro", "--data", str(tmp_path / "data.json"))
    assert (ran.code, words in ran.err) == (2, True), ran.err
    assert "JSON is" not in ran.err


def test_a_digest_says_its_form(cli: Cli) -> None:
    digest = ("--set=title=x", "--set=media=text/plain", "--set=bytes=1", "--set=sha256=ab")
    ran = cli("do", "attach-document", "--framework", "Dioro", *digest)
    assert "sha256 attend : empreinte SHA-256 : 64 caractères parmi 0-9 et a-f" in ran.err


@pytest.mark.parametrize("verb", [("show",), ("next",), ("demo",), ("do", "suspend"), ("rebuild",), ("replay",)])
def test_help_is_french_and_breaks_no_word(cli: Cli, monkeypatch: pytest.MonkeyPatch, verb: tuple[str, ...]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = cli.ok(*verb, "--help").out
    for english in ("NAME", "FIELD", "VALUE", "INTEGER", "RANGE", "FILE", "KEY", "<=", "YYYY"):
        assert english not in out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "où cela s'est passé" not in out or verb[0] == "do"
