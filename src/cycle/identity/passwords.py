"""Passwords: what is asked of them, and how they are kept."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from threading import Semaphore
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from zxcvbn import zxcvbn

from cycle.identity.failures import IdentityRefused

SHORTEST, LONGEST = 12, 256
DIFFERENT = 5
"""So many different characters at least: ``abababababab`` is tried first."""
BESIDE_NAME = 8
"""So many characters at least beside the account's own name."""
FEWEST_GUESSES = 10**9
"""So many tries, at least, of somebody who knows what people choose: a word, a year and a sign are fewer."""
JUDGED = 72
"""So many characters are looked at: the work grows faster than the length, and whoever typed more typed a sentence."""
LIKELY_HERE = (
    "motdepasse", "mot de passe", "bonjour", "azertyuiop", "azerty", "administrateur", "administration",
    "secretaire", "secrétaire", "facilitateur", "facilitatrice", "concertation", "commune", "communal", "mairie",
    "maire", "conseil", "cadre", "cycle", "mali", "bamako", "kayes", "koulikoro", "sikasso", "segou", "ségou", "mopti",
    "tombouctou", "gao", "kidal", "menaka", "ménaka", "taoudenit", "coulibaly", "traore", "traoré", "diarra", "keita",
    "keïta", "toure", "touré", "diallo", "cisse", "cissé", "sangare", "sangaré", "konate", "konaté", "dembele",
    "dembélé", "sidibe", "sidibé", "maiga", "maïga",
)  # fmt: skip
"""What people here choose first, and the lists of zxcvbn, which are English, do not know."""
HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4, hash_len=32, salt_len=16)
"""RFC 9106, the second recommended option, with 64 MiB: above what OWASP asks. When it changes, who signs in is
hashed anew."""
_AT_ONCE = Semaphore(4)
"""Each takes 64 MiB: a crowd that signs in, or a flood, must not take the machine's memory."""


def typed(password: str) -> str:
    """What was typed, however the keyboard composes its accents."""
    return normalize("NFC", password)


def demand_good(password: str, account: str) -> str:
    """The password in the form in which it is kept. No rules of composition: length is what counts.

    Raises:
        IdentityRefused: too short, too long, or among the first that anybody tries.
    """
    found = typed(password)
    if not SHORTEST <= len(found) <= LONGEST:
        raise IdentityRefused("password-length", shortest=SHORTEST, longest=LONGEST, given=len(found))
    if len(set(found.casefold())) < DIFFERENT or _counts_up(found):
        raise IdentityRefused("password-trivial")
    if len(found.casefold().replace(account.casefold(), "")) < BESIDE_NAME:
        raise IdentityRefused("password-own-name")
    # NIST SP 800-63B asks for a list of what is common and expected; zxcvbn sees it behind `2026!` and `@` as well.
    if zxcvbn(found[:JUDGED], user_inputs=LIKELY_HERE)["guesses"] < FEWEST_GUESSES:
        raise IdentityRefused("password-trivial")
    return found


def _counts_up(password: str) -> bool:
    """``123456789012``, ``abcdefghijkl``, and the same backwards."""
    steps = {ord(b) - ord(a) for a, b in pairwise(password)}
    return len(steps - {-9, 9}) == 1 and steps & {1, -1} != set()


def hashed(password: str) -> str:
    """The argon2id string that is kept."""
    with _AT_ONCE:
        return HASHER.hash(password)


def holds(encoded: str | None, password: str) -> bool:
    """Whether this is the password; where there is none it is the same work, so that nobody learns it by the clock."""
    with _AT_ONCE:
        try:
            HASHER.verify(encoded or _nobodys(), typed(password)[: LONGEST + 1])
        except (Argon2Error, InvalidHashError):
            return False
    return encoded is not None


def is_outdated(encoded: str) -> bool:
    """Whether it was hashed with other parameters than today's."""
    return HASHER.check_needs_rehash(encoded)


@cache
def _nobodys() -> str:
    return HASHER.hash("the password of nobody")
