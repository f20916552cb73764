"""Runs the command line as a person does, in a process of this test."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from cycle.aggregates.base import Role
from cycle.engine import Engine
from cycle_adapters.cli.main import main
from tests.people import accounts_begin, admit, everybody

PLAIN_SPACES = {0xA0: " ", 0x202F: " "}
"""That they do not break is tested in the catalogue; here it would only be hard to read."""


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @classmethod
    def of(cls, code: int, out: str, err: str) -> Ran:
        return cls(code, out.translate(PLAIN_SPACES), err.translate(PLAIN_SPACES))

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Cli:
    """``cli("next", "Dioro")`` in French on one database."""

    def __init__(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.url = url
        self._capsys = capsys

    def __call__(self, *arguments: str, lang: str = "fr") -> Ran:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["--database", self.url, "--lang", lang, *arguments])
        return Ran.of(int(ended.value.code or 0), *self._capsys.readouterr())

    def begin(self, *grants: tuple[str, Role, str]) -> int:
        """Accounts, in a new database: these, else everybody's; returns how many facts that makes."""
        with Engine(self.url) as engine:
            if not grants:
                return everybody(engine)
            accounts_begin(engine)
            admit(engine, *grants)
            return engine.store.head().position

    def ok(self, *arguments: str, lang: str = "fr") -> Ran:
        ran = self(*arguments, lang=lang)
        assert ran.code == 0, ran.err
        return ran
