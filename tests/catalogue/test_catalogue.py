"""Whatever the code can say has its words in both languages, with every placeholder filled."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from cycle import catalogue
from cycle.aggregates import base, terms
from cycle.aggregates.base import EVENTS, Role
from cycle.aggregates.framework.state import ActionStage, ObstacleStage, Stage
from cycle.engine import COMMANDS

SAME = {
    "action",
    "invitation",
    "installation",
    "observation",
    "intermediation",
    "machine",
    "vote",
    "consensus",
    "contribution",
    "union",
    "association",
}
"""Words that both languages share."""
SOURCE = Path(base.__file__).parent


def calls() -> Iterator[ast.Call]:
    for file in (*SOURCE.rglob("*.py"), SOURCE.parent / "access.py", SOURCE.parent / "door.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                yield node


def codes() -> set[str]:
    """Every code that a finding of the aggregates is made with."""
    found = {"committee-too-small", "committee-too-large", "too-few-women", "too-few-young-people"}
    for call in calls():
        name = getattr(call.func, "id", "")
        if name in ("Finding", "ruled", "refusal", "Check") and call.args and isinstance(call.args[0], ast.Constant):
            found.add(str(call.args[0].value))
    return found


def placeholders(template: str) -> set[str]:
    return {re.split(r"[.|\[]", name)[0] for _, name, _, _ in string.Formatter().parse(template) if name}


def entries() -> list[str]:
    return sorted(catalogue._texts())


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_and_its_fields_have_labels(command: str, language: catalogue.Language) -> None:
    assert catalogue.text(f"command.{command}", language)
    for field in COMMANDS[command].__struct_fields__:
        assert catalogue.field_label(command, field, language)


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_has_a_sentence_made_of_its_own_fields(event: str) -> None:
    for language in catalogue.LANGUAGES:
        template = catalogue._texts()[f"event.{event}"][language]
        fields = set(EVENTS[event].__struct_fields__)
        assert placeholders(template) <= fields | {f"n_{field}" for field in fields}, template


@pytest.mark.parametrize("code", sorted(codes()))
def test_a_finding_says_what_it_saw_and_what_would_help(code: str) -> None:
    for language in catalogue.LANGUAGES:
        words = catalogue._texts()[f"finding.{code}"]
        assert words[language]
        assert words[f"{language}_help"]
    assert placeholders(words["fr"]) == placeholders(words["en"])


def test_no_finding_is_in_the_catalogue_for_nothing() -> None:
    assert catalogue.keys("finding") == codes()


@pytest.mark.parametrize(
    "enumeration",
    [e for e in vars(terms).values() if isinstance(e, type) and issubclass(e, StrEnum) and e is not StrEnum]
    + [ActionStage, ObstacleStage],
)
def test_a_value_of_an_enumeration_has_a_word(enumeration: type[StrEnum]) -> None:
    for value in enumeration:
        assert catalogue.word(value, "fr") != value or value in SAME, value


def test_roles_and_stages_have_words() -> None:
    assert {role.value for role in Role} == catalogue.keys("role")
    assert {stage.value for stage in Stage} == catalogue.keys("stage")


@pytest.mark.parametrize("entry", entries())
def test_both_languages_say_the_same(entry: str) -> None:
    words = catalogue._texts()[entry]
    parts = {key.partition("_")[2] for key in words}
    for part in parts:
        pair = [words[f"{language}_{part}" if part else language] for language in catalogue.LANGUAGES]
        assert placeholders(pair[0]) == placeholders(pair[1])
        assert all(text.strip() for text in pair)


def test_a_missing_text_is_named() -> None:
    with pytest.raises(catalogue.MissingText, match=r"command\.fly"):
        catalogue.text("command.fly", "fr")


def test_dates_and_numbers_are_written_as_people_write_them() -> None:
    from datetime import date
    from decimal import Decimal

    assert catalogue.shown(date(2026, 3, 1), "fr") == "1er mars 2026"
    assert catalogue.shown(date(2026, 3, 1), "en") == "1 March 2026"
    assert catalogue.shown(12500, "fr") == "12\u202f500"
    assert catalogue.shown(12500, "en") == "12,500"
    assert catalogue.shown(Decimal("1.5"), "fr") == "1,5"
    assert catalogue.shown(Decimal("3557.0"), "fr") == "3\u202f557"
    assert catalogue.shown(Decimal("3557.25"), "en") == "3,557.25"
    assert catalogue.shown(("a", "b", "c"), "fr") == "a, b et c"
    assert catalogue.shown("2026-03-02", "fr") == "2 mars 2026"
    assert catalogue.shown(None, "fr") == "—"


@pytest.mark.parametrize(
    ("count", "french", "english"), [(0, "ligne", "rows"), (1, "ligne", "row"), (2, "lignes", "rows")]
)
def test_words_agree_with_their_number(count: int, french: str, english: str) -> None:
    assert catalogue.agreed("{count} {count|ligne|lignes}", "fr", {"count": count}) == f"{{count}} {french}"
    assert catalogue.agreed("{count} {count|row|rows}", "en", {"count": count}) == f"{{count}} {english}"


@pytest.mark.parametrize("entry", entries())
def test_french_punctuation_does_not_begin_a_line(entry: str) -> None:
    for part, words in catalogue._texts()[entry].items():
        if part.startswith("fr"):
            assert not re.search(r" [:;?!»%](?!\w)|« ", words), words
        assert not re.search(r"\w\(s\)", words), f"{words}: say both forms, {{count|one|many}}"


def test_a_template_says_what_is_there() -> None:
    words = "{what}[ ({women} {women|woman|women}, {men} men)][ by {who:or}]"
    filled = catalogue.filled(words, "en", {"what": "A", "women": 1, "men": 0, "who": ("x", "y")})
    assert filled == "A (1 woman, 0 men) by x or y"
    assert catalogue.filled(words, "en", {"what": "A", "women": 0, "men": 0, "who": ()}) == "A"
    assert catalogue.filled("{a|day|days} {a:number}", "en", {"a": ("x", "y")}) == "days x and y"
    assert catalogue.filled("{open:number}", "fr", {"open": "2500.50"}) == "2\u202f500,5"
