"""A locale that orders texts as French does, written here: its compiler is on every machine with a GNU C library.

The sources that others use (`/usr/share/i18n`) are in a package of their own, and often missing.
"""

from __future__ import annotations

import subprocess
import unicodedata
from pathlib import Path

LETTERS = "aàâbcçdeéèêëfghiîïjklmnoôpqrstuùûüvwxyz"
LEVELS = ("<none>", "<accent>", "<small>", "<capital>")
CHARACTERS = 0x250


def locale(folder: Path, name: str) -> str:
    """Compile the locale into a folder, to which ``LOCPATH`` leads whoever is to use it.

    Returns:
        Its name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source, characters = folder / f"{name}.source", folder / "UTF-8"
    source.write_text(f"escape_char /\ncomment_char %\n{_classes()}{_order()}", "ascii")
    characters.write_text(_encoding(), "ascii")
    # Months, money and the like are left out: it warns of each, with exit code 1, and writes the others.
    made = subprocess.run(
        ["localedef", "-c", "-i", str(source), "-f", str(characters), str(folder / name)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (folder / name / "LC_COLLATE").exists(), made.stderr
    return name


def _classes() -> str:
    capitals = LETTERS.upper()
    pairs = list(zip(LETTERS, capitals, strict=True))
    return f"""LC_CTYPE
upper {_listed(capitals)}
lower {_listed(LETTERS)}
digit {_listed("0123456789")}
space {_listed(" ")};<U0009>;<U000A>;<U000B>;<U000C>;<U000D>
toupper {";".join(f"({_code(small)},{_code(capital)})" for small, capital in pairs)}
tolower {";".join(f"({_code(capital)},{_code(small)})" for small, capital in pairs)}
END LC_CTYPE
"""


def _order() -> str:
    """First the letters, then their accents, then their size, and what is no letter or digit at the very end."""
    bases = sorted({_base(letter) for letter in LETTERS})
    symbols = [*LEVELS, *(f"<{base}>" for base in bases)]
    lines = ["LC_COLLATE", *(f"collating-symbol {symbol}" for symbol in symbols)]
    lines += ["order_start forward;forward;forward;forward,position", *symbols]
    for sign in map(chr, range(0x20, 0x7F)):
        if sign.isdigit():
            lines.append(f"{_code(sign)} {_code(sign)};<none>;<small>;{_code(sign)}")
        elif not sign.isalpha():
            lines.append(f"{_code(sign)} IGNORE;IGNORE;IGNORE;{_code(sign)}")
    for letter in LETTERS:
        accent = "<none>" if letter == _base(letter) else "<accent>"
        for written, size in ((letter, "<small>"), (letter.upper(), "<capital>")):
            lines.append(f"{_code(written)} <{_base(letter)}>;{accent};{size};{_code(written)}")
    return "\n".join([*lines, "UNDEFINED", "order_end", "END LC_COLLATE", ""])


def _encoding() -> str:
    lines = [f"<U{n:04X}> {''.join(f'/x{byte:02x}' for byte in chr(n).encode())}" for n in range(CHARACTERS)]
    head = ["<code_set_name> UTF-8", "<comment_char> %", "<escape_char> /", "<mb_cur_min> 1", "<mb_cur_max> 6"]
    return "\n".join([*head, "CHARMAP", *lines, "END CHARMAP", ""])


def _base(letter: str) -> str:
    return unicodedata.normalize("NFD", letter)[0]


def _code(character: str) -> str:
    return f"<U{ord(character):04X}>"


def _listed(characters: str) -> str:
    return ";".join(map(_code, characters))
