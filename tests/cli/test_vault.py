"""``cycle vault``, and people on the command line."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from cycle.aggregates.base import Role
from tests.cli.run import Cli
from tests.cli.test_next import flat
from tests.people import AWA

COMMUNE = ("--set", "commune=ML-4-01-01", "--set", "name=Dioro", "--set", "region=Ségou", "--set", "circle=Ségou")


@pytest.fixture
def person(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The reference of somebody who is recorded, by a file: names stay out of the shell's history."""
    cli.begin(*AWA, *((account, Role.MAYOR, "/") for account in ("fanta", "moussa", "issa")))
    cli.ok("do", "register-commune", "--role", "programme", *COMMUNE)
    cli.ok("vault", "new-key", str(tmp_path / "vault.key"))
    monkeypatch.setenv("CYCLE_VAULT_KEY", str(tmp_path / "vault.key"))
    fields = {"commune": "ML-4-01-01", "name": "Awa Traoré", "telephone": "+223 76 12 34 56"}
    (tmp_path / "awa.json").write_text(json.dumps(fields))
    said = cli.ok("--json", "do", "record-person", "--role", "mayor", "--data", str(tmp_path / "awa.json"))
    return str(said.json["stream"]).partition("-")[2]


def test_a_key_is_for_its_owner_alone_and_never_written_over(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    said = cli.ok("vault", "new-key", str(path))
    assert "CYCLE_VAULT_KEY=" in said.out
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    again = cli("vault", "new-key", str(path))
    assert (again.code, again.err.count("\n")) == (4, 1)
    assert path.read_bytes() == before


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_without_a_key_one_line_says_what_to_do(cli: Cli, lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CYCLE_VAULT_KEY", raising=False)
    cli.begin()
    cli.ok("do", "register-commune", "--role", "programme", *COMMUNE)
    refused = cli(
        "do", "record-person", "--role", "mayor", "--set", "commune=ML-4-01-01", "--set", "name=Awa", lang=lang
    )
    assert refused.code == 4
    assert refused.err.count("\n") == 1
    assert "cycle vault new-key" in refused.err
    assert "Awa" not in refused.err + refused.out


@pytest.mark.parametrize(
    "field", ["name=", "telephone=Awa", f"name=Awa {'x' * 200}", "function=Awa\x00", "person=Awa T"]
)
def test_a_wrong_field_is_told_without_what_it_holds(cli: Cli, person: str, field: str) -> None:
    good = ("--set", "commune=ML-4-01-01", "--set", "name=Issa")
    wrong = cli("do", "record-person", "--role", "mayor", *good, "--set", field)
    assert wrong.code == 2
    assert "Awa" not in wrong.err + wrong.out
    assert wrong.err.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        (b"cycle-vault-key-1 short\n", 0o600, "new-key"),
        (b"\xff\xfe", 0o600, "new-key"),
        (None, 0o600, "CYCLE_VAULT_KEY"),
        (b"x", 0o640, "chmod 600"),
        (b"x", 0o604, "chmod 600"),
    ],
)
def test_a_key_that_is_none_is_told(
    cli: Cli, person: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, mode: int, says: str
) -> None:
    path = tmp_path / "other.key"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    monkeypatch.setenv("CYCLE_VAULT_KEY", str(path))
    refused = cli("vault", "show", person, "--purpose", "contact", "--role", "mayor")
    assert (refused.code, refused.err.count("\n")) == (4, 1)
    assert says in refused.err


def test_a_person_is_shown_to_who_says_what_for(cli: Cli, person: str) -> None:
    shown = cli.ok("vault", "show", person, "--purpose", "contact", "--role", "mayor")
    assert "Awa Traoré" in shown.out
    assert cli.ok("--json", "vault", "show", person, "--purpose", "payment", "--role", "mayor").json == {
        "person": person,
        "name": "Awa Traoré",
        "telephone": "+223 76 12 34 56",
    }
    assert cli("vault", "show", person, "--role", "mayor").code == 2
    assert cli("vault", "show", person, "--purpose", "contact", "--role", "organisation").code == 2
    told = cli.ok("show", "audit").out + cli.ok("replay", "Dioro").out
    assert "Awa Traoré" not in told
    assert person in told


def test_what_is_asked_for_and_confirmed_by_another_is_forgotten(cli: Cli, person: str) -> None:
    ask = ("do", "erase-person", "--id", person, "--role", "mayor", "--set", "reason=own-request")
    request = str(cli.ok("--json", "--actor", "fanta", *ask).json["stream"]).removeprefix("request-")
    confirm = ("do", "confirm-request", "--id", request, "--role", "mayor")
    same = cli("--actor", "fanta", *confirm)
    assert same.code == 1
    assert "fanta l'a demandé" in same.err
    told = cli.ok("--actor", "moussa", *confirm).out
    assert "demande de fanta, confirmation de moussa (à la demande de la personne)" in flat(told)
    again = cli("--actor", "issa", *confirm)
    assert (again.code, "La demande a été confirmée le" in again.err) == (1, True)
    once_more = cli("--actor", "issa", *ask)
    assert (once_more.code, "est effacée, et sa référence le reste" in once_more.err) == (1, True)
    assert cli("vault", "show", person, "--purpose", "contact", "--role", "mayor").code == 1
    assert cli.ok("--json", "vault", "forget-again").json == {"forgotten": 0}


def test_a_vault_goes_over_to_another_key(
    cli: Cli, person: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.ok("vault", "new-key", str(tmp_path / "new.key"))
    monkeypatch.setenv("CYCLE_VAULT_KEY", str(tmp_path / "new.key"))
    ask = ("vault", "show", person, "--purpose", "contact", "--role", "mayor")
    assert "rewrap" in cli(*ask).err
    said = cli.ok("vault", "rewrap", "--old", str(tmp_path / "vault.key"), lang="en")
    assert said.out.startswith("1 person's key is wrapped by the key ")
    assert "Awa Traoré" in cli.ok(*ask).out


def test_where_people_type_it_says_what_is_public_and_what_is_sealed(cli: Cli) -> None:
    assert "public record" in " ".join(cli.ok("do", "raise-obstacle", "--help", lang="en").out.split())
    sealed = " ".join(cli.ok("do", "record-person", "--help", lang="en").out.split())
    assert "public record" not in sealed
    assert "(sealed)" in sealed
    assert "shell's history" in sealed
