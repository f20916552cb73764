"""Subjects: what a consumer subscribes to, made of names as people write them."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cycle.fanout.subjects import NONE, Home, slug, subject

TOKEN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*|_")
names = st.text(max_size=60)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ségou", "segou"),
        ("SÉGOU", "segou"),
        ("ML-4-01-03", "ml-4-01-03"),
        ("Macina (ville)", "macina-ville"),
        ("N'Gouma", "ngouma"),
        ("Bɛlɛdugu", "beledugu"),
        ("Ɲɔnɔ", "nyono"),
        ("Kayes > Nord.*", "kayes-nord"),
        ("ߓߊߡߊߞߐ߫", "7d3-7ca-7e1-7ca-7de-7d0"),
        ("  ", "_"),
        ("", "_"),
        ("…", "_"),
    ],
)
def test_a_name_as_a_slug(name: str, expected: str) -> None:
    assert slug(name) == expected


@given(names)
@example("ﬁ℡Å")
@example("İI")
@example("𝒜٣")
@example("‌ₐª")
def test_whatever_a_name_is_its_slug_is_one_token(name: str) -> None:
    assert TOKEN.fullmatch(slug(name)), slug(name)


@given(names)
def test_a_name_is_one_slug_however_its_accents_are_written(name: str) -> None:
    written = {unicodedata.normalize(form, name) for form in ("NFC", "NFD")}
    assert len({slug(each) for each in written}) == 1


@given(names)
def test_a_slug_is_its_own_slug(name: str) -> None:
    assert slug(slug(name)) == slug(name)


@given(names, names, names)
def test_a_subject_has_six_tokens_whatever_the_names_are(region: str, circle: str, commune: str) -> None:
    found = subject(Home(region, circle, commune), "plan-agreed").split(".")
    assert found[:2] == ["cycle", "v1"]
    assert len(found) == 6
    assert all(map(TOKEN.fullmatch, found[2:]))


def test_what_belongs_nowhere_says_so() -> None:
    assert subject(Home(), "policy-published") == f"cycle.v1.{NONE}.{NONE}.{NONE}.policy-published"
