"""Runs the command line as a person does, in a process of this test."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from cycle_adapters.cli.main import main


class Ran(NamedTuple):
    code: int
    out: str
    err: str

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
        out, err = self._capsys.readouterr()
        return Ran(int(ended.value.code or 0), out, err)

    def ok(self, *arguments: str, lang: str = "fr") -> Ran:
        ran = self(*arguments, lang=lang)
        assert ran.code == 0, ran.err
        return ran
