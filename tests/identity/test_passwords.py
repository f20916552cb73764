"""What is asked of a password, and how it is kept."""

from __future__ import annotations

import unicodedata

import pytest
from argon2 import PasswordHasher, extract_parameters
from hypothesis import given
from hypothesis import strategies as st

from cycle.identity import passwords
from cycle.identity.failures import IdentityRefused
from cycle.identity.passwords import LONGEST, SHORTEST, demand_good, hashed, holds, is_outdated


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("court", "password-length"),
        ("x" * 11, "password-length"),
        ("phrase " * 40, "password-length"),
        ("aaaaaaaaaaaa", "password-trivial"),
        ("abababababab", "password-trivial"),
        ("ABCabcABCabc", "password-trivial"),
        ("123456789012", "password-trivial"),
        ("abcdefghijkl", "password-trivial"),
        ("987654321098", "password-trivial"),
        ("iloveyou1234", "password-trivial"),
        ("Passw0rd2026!", "password-trivial"),
        ("motdepasse1234!", "password-trivial"),
        ("Mot de passe 2026", "password-trivial"),
        ("azertyuiop123456", "password-trivial"),
        ("administrateur", "password-trivial"),
        ("Bamako@2026!", "password-trivial"),
        ("Tombouctou2026", "password-trivial"),
        ("tttttttttt1234%", "password-trivial"),
        ("motdepasse" * 20, "password-trivial"),
        ("kadi-coulibaly", "password-own-name"),
        ("Kadi-Coulibaly2026", "password-own-name"),
    ],
)
def test_what_is_tried_first_is_no_password(password: str, why: str) -> None:
    with pytest.raises(IdentityRefused) as refused:
        demand_good(password, "kadi-coulibaly")
    assert refused.value.cause == why
    assert password not in refused.value.told("fr") + refused.value.told("en")


@pytest.mark.parametrize(
    "password",
    [
        "le marigot monte",
        "le maire de Ségou arrive tard",
        "ߞߊߡߊ ߓߊߟߊ ߦߊ",
        " deux espaces, deux ",
        "azerty " * 3 + "le puits est loin",
    ],
)
def test_a_sentence_in_any_script_is_one(password: str) -> None:
    assert demand_good(password, "kadi") == unicodedata.normalize("NFC", password)


@given(st.text(min_size=SHORTEST, max_size=LONGEST))
def test_a_password_holds_however_its_accents_are_composed(password: str) -> None:
    kept = hashed(passwords.typed(password))
    assert holds(kept, unicodedata.normalize("NFD", password))
    assert holds(kept, unicodedata.normalize("NFC", password))
    assert not holds(kept, password + "x")
    assert not holds(None, password)


def test_the_kept_form_is_argon2id_with_the_parameters_of_the_rfc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    kept = hashed("le marigot monte en août")
    found = extract_parameters(kept)
    assert kept.startswith("$argon2id$")
    assert (found.memory_cost, found.time_cost, found.parallelism, found.salt_len) == (65_536, 3, 4, 16)
    assert holds(kept, "le marigot monte en août")
    assert not is_outdated(kept)


def test_a_password_of_other_parameters_holds_and_is_outdated() -> None:
    kept = PasswordHasher(time_cost=2, memory_cost=128, parallelism=1).hash("le marigot monte en août")
    assert holds(kept, "le marigot monte en août")
    assert is_outdated(kept)


def test_where_there_is_no_password_what_is_hashed_instead_lets_nobody_in() -> None:
    assert not holds(None, "the password of nobody")


def test_what_is_no_hash_holds_nothing() -> None:
    assert not holds("not a hash", "le marigot monte en août")
