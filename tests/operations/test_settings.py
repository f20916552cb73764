"""Every setting is declared once, and everything that says settings follows from that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import cycle
import cycle_adapters
from cycle.catalogue import LANGUAGES, Language
from cycle.settings import RUNNING, SETTINGS, Setting, unknown_variables
from tests.cli.run import Cli

SOURCES = [file for room in (cycle, cycle_adapters) for file in Path(str(room.__file__)).parent.rglob("*.py")]
OF_ALL = [setting for setting in SETTINGS if setting.option and not setting.verbs]
BY_THE_ENVIRONMENT_ALONE = [(name, verb) for name in ("seals", "key_file") for verb in RUNNING]
OF_VERBS = [
    (setting, verb)
    for setting in SETTINGS
    for verb in setting.verbs
    if setting.option and (setting.name, verb) not in BY_THE_ENVIRONMENT_ALONE
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_says_what_it_is_for(setting: Setting, language: Language) -> None:
    said = setting.told(language)
    assert said.endswith(".")
    assert setting.variable in said


@pytest.mark.parametrize("setting", OF_ALL, ids=lambda setting: setting.name)
def test_what_every_verb_takes_is_in_the_first_help(cli: Cli, setting: Setting) -> None:
    assert setting.option in cli.ok("--help").out
    assert setting.variable in cli.ok("--help").out


@pytest.mark.parametrize(("setting", "verb"), OF_VERBS, ids=lambda each: getattr(each, "name", each))
def test_what_a_verb_takes_is_in_its_help_with_its_variable(cli: Cli, setting: Setting, verb: str) -> None:
    words = verb.split() + (["attach-document"] if verb == "do" else [])
    said = cli.ok(*words, "--help").out
    assert setting.option in said
    assert setting.variable in said


def test_no_variable_of_ours_is_read_anywhere_else() -> None:
    for file in SOURCES:
        if file.name != "settings.py" or file.parent.name != "cycle":
            strange = re.findall(r'(?:environ\S*|getenv|env\.get)\(?\[?"(CYCLE_\w+)', file.read_text("utf-8"))
            # The library hands the address of the database on under its own name.
            assert set(strange) <= {"CYCLE_DATABASE"}, file


@pytest.mark.parametrize(
    ("language", "words"),
    [("fr", "CYCLE_DATABSE n'est pas un réglage de cycle"), ("en", "CYCLE_DATABSE is no setting of cycle")],
)
def test_a_variable_with_a_wrong_letter_is_named_with_the_nearest(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    monkeypatch.setenv("CYCLE_DATABSE", "sqlite:///x.db")
    ran = cli.ok("policy", "show", lang=language)
    assert words in ran.err
    assert "CYCLE_DATABASE" in ran.err


def test_a_program_hears_of_it_as_json(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYCLE_ACTR", "x")
    assert '"code": "unknown-setting"' in cli.ok("--json", "policy", "show").err


def test_known_variables_and_those_of_others_are_passed_over() -> None:
    known = {setting.variable: "x" for setting in SETTINGS if setting.variable}
    assert unknown_variables({**known, "PATH": "x", "_CYCLE_COMPLETE": "x"}) == {}
    assert unknown_variables({"CYCLE_SEALKEY": "x"}) == {"CYCLE_SEALKEY": "CYCLE_SEAL_KEY"}


@pytest.mark.parametrize(("option", "value"), [("--port", "0"), ("--log", "xml"), ("--stop-seconds", "x")])
def test_a_value_that_cannot_be_is_told(demo: Cli, option: str, value: str) -> None:
    ran = demo("serve", option, value)
    assert ran.code == 2
    assert option in ran.err
