"""The list of what can be printed is true, and what is not on it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from cycle_adapters.paper.typesetting import letters, pictured
from tests.paper.letters import LETTERS, Printer, written


def test_whatever_is_on_the_list_has_a_picture_with_this_typesetter(tmp_path: Path) -> None:
    """When it has not: ``python -m tests.paper.letters``."""
    assert Printer(tmp_path).empty(sorted(letters())) == 0
    assert written(sorted(letters())) == LETTERS.read_text("ascii")


def test_what_is_not_on_it_would_be_an_empty_box(tmp_path: Path) -> None:
    missing = [0x1F389, 0x1F33E, 0x4E2D, 0xAC00]
    assert not set(missing) & letters()
    assert Printer(tmp_path).empty(missing) == len(missing)


@pytest.mark.parametrize("words", ["Fête du riz", "Dɔ̀nkili bɛ́ɛ", "ߒߞߏ", "مرحبا", "a\u202eb\u200d", "1\u202f000 m²"])
def test_what_can_be_printed_stays_as_it_was_typed(words: str) -> None:
    assert pictured(words) == words


def test_what_cannot_is_named_sign_by_sign() -> None:
    assert pictured("riz 🌾, 中") == "riz [U+1F33E], [U+4E2D]"
    assert pictured("\U0001fae8") == "[U+1FAE8]"
