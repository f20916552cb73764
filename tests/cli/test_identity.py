"""Passwords, second factors, sessions, links and tokens on the command line: typed unseen, told in one line."""

from __future__ import annotations

import io
import re
from base64 import b32decode
from pathlib import Path

import click
import pytest
from pyotp import TOTP

from cycle.aggregates.base import Role
from cycle.engine import Engine
from cycle.identity import passwords
from cycle.identity.sessions import Sessions
from tests.cli.run import Cli, Ran
from tests.people import EVERYWHERE

PASSWORD = "le marigot monte en août"
GRANTS = (
    ("kadi", Role.ADMINISTRATOR, EVERYWHERE),
    ("awa", Role.FACILITATOR, EVERYWHERE),
    ("ousmane", Role.EVALUATOR, EVERYWHERE),
)


@pytest.fixture(autouse=True)
def people(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from argon2 import PasswordHasher

    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    monkeypatch.delenv("CYCLE_ACTOR")
    cli.begin(*GRANTS)
    cli.ok("--actor", "kadi", "account", "open", "dhis", "--machine")
    cli.ok("--actor", "kadi", "account", "grant", "dhis", "auditor", "/")


@pytest.fixture
def key(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Path:
    cli.ok("vault", "new-key", str(tmp_path / "vault.key"))
    monkeypatch.setenv("CYCLE_VAULT_KEY", str(tmp_path / "vault.key"))
    return tmp_path / "vault.key"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def types(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """Whatever is asked for is answered with these, in turn."""
    waiting = iter(words)
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(click.termui, "hidden_prompt_func", lambda prompt: next(waiting))
    monkeypatch.setattr(click.termui, "visible_prompt_func", lambda prompt: next(waiting))


def one_line(ran: Ran, code: int, says: str) -> None:
    assert (ran.code, ran.err.count("\n")) == (code, 1)
    assert says in ran.err


def signs_in(cli: Cli, account: str, password: str) -> str:
    with Engine(cli.url) as engine:
        return Sessions(engine).with_password(account, password, "here").stage.value


def test_a_password_is_typed_twice_and_shown_never(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    types(monkeypatch, PASSWORD, PASSWORD)
    done = cli.ok("--actor", "ousmane", "account", "password", "ousmane")
    assert "mot de passe du compte ousmane est choisi" in done.out
    assert PASSWORD not in done.out + done.err
    assert signs_in(cli, "ousmane", PASSWORD) == "in"
    types(monkeypatch, PASSWORD, PASSWORD + ".")
    one_line(cli("--actor", "ousmane", "account", "password", "ousmane"), 2, "ne sont pas les mêmes")


def test_a_password_comes_on_standard_input(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\nmore\n"))
    done = cli.ok("--json", "--actor", "ousmane", "account", "password", "ousmane", "--stdin")
    assert done.json["events"][0]["type"] == "password-set"
    assert signs_in(cli, "ousmane", PASSWORD) == "in"
    for given, says in (("", "aucun mot de passe"), ("court\n", "12 à 256"), ("aaaaaaaaaaaa\n", "premiers")):
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        one_line(cli("--actor", "ousmane", "account", "password", "ousmane", "--stdin"), 2, says)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    one_line(cli("--actor", "kadi", "account", "password", "ousmane", "--stdin"), 1, "titulaire du compte")


def test_who_has_no_terminal_is_told_how(cli: Cli, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    one_line(cli("--actor", "ousmane", "account", "password", "ousmane"), 2, "--stdin")
    one_line(cli("--actor", "awa", "account", "second-factor", "awa"), 2, "téléphone")


def test_an_invitation_is_a_link_for_the_holder(cli: Cli) -> None:
    told = cli.ok("--actor", "kadi", "account", "invite", "ousmane", "--address", "https://cycle.example.ml/")
    link = told.out.splitlines()[-1]
    assert re.fullmatch(r"https://cycle\.example\.ml/invitation/[\w-]{43}", link)
    assert "24 heures" in told.out
    found = cli.ok("--json", "--actor", "kadi", "account", "invite", "ousmane").json
    assert (found["account"], found["hours"]) == ("ousmane", 24)
    with Engine(cli.url) as engine:
        sessions = Sessions(engine)
        assert sessions.accept(found["link"].rpartition("/")[2], PASSWORD, "here").account == "ousmane"
    one_line(cli("--actor", "ousmane", "account", "invite", "awa"), 1, "administrateur des comptes")
    one_line(cli("--actor", "kadi", "account", "invite", "dhis"), 1, "machine")
    one_line(cli("--actor", "kadi", "account", "invite", "kadi"), 1, "lui-même")
    one_line(cli("--actor", "kadi", "account", "invite", "personne"), 1, "pas de compte")


def test_a_second_factor_is_shown_proved_and_reset(cli: Cli, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def telephone(prompt: str) -> str:
        secret = re.search(r"secret=([A-Z2-7]+)", shown_so_far())
        assert secret
        return TOTP(secret[1]).now()

    def shown_so_far() -> str:
        captured = cli._capsys.readouterr()
        shown.append(captured.out + captured.err)
        return "".join(shown)

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(click.termui, "visible_prompt_func", telephone)
    done = cli.ok("--actor", "awa", "account", "second-factor", "awa")
    assert "otpauth://totp/cycle:awa?secret=" in shown[0]
    assert "█" in shown[0]
    codes = re.findall(r"^  ([A-Z2-7-]{29})$", done.out, re.MULTILINE)
    assert len(codes) == 10
    assert all(b32decode(code.replace("-", "")) for code in codes)
    shown.clear()
    assert len(cli.ok("--json", "--actor", "awa", "account", "second-factor", "awa").json["recovery_codes"]) == 10
    types(monkeypatch, "000000")
    refused = cli("--actor", "awa", "account", "second-factor", "awa")
    assert refused.code == 2
    assert "code le plus récent" in refused.err
    reset = cli.ok("--actor", "kadi", "account", "second-factor", "awa", "--reset", "téléphone perdu")
    assert "téléphone perdu" in reset.out
    one_line(cli("--actor", "ousmane", "account", "second-factor", "awa", "--reset", "x"), 1, "administrateur")


def test_without_a_key_a_second_factor_is_refused_before_it_is_shown(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    refused = cli("--actor", "awa", "account", "second-factor", "awa")
    one_line(refused, 4, "cycle vault new-key")
    assert "otpauth" not in refused.out


def test_sign_out_link_and_unlink_are_recorded(cli: Cli) -> None:
    issuer = "https://id.example.ml"
    assert "déconnecté partout" in cli.ok("--actor", "kadi", "account", "sign-out", "ousmane").out
    assert "déconnecté partout" in cli.ok("--actor", "ousmane", "account", "sign-out", "ousmane").out
    assert issuer in cli.ok("--actor", "kadi", "account", "link", "ousmane", issuer, "o-1").out
    one_line(cli("--actor", "kadi", "account", "link", "awa", issuer, "o-1"), 2, "déjà liée")
    assert issuer in cli.ok("--actor", "kadi", "account", "unlink", "ousmane", issuer).out
    cli.ok("--actor", "kadi", "account", "link", "awa", issuer, "o-1")
    one_line(cli("--actor", "awa", "account", "sign-out", "ousmane"), 1, "administrateur")


def issued(cli: Cli, *scope: str) -> str:
    words = [word for name in scope for word in ("--scope", name)]
    ran = cli.ok("--json", "--actor", "kadi", "token", "issue", "dhis", *words, "--days", "30")
    return str(ran.json["secret"])


def test_a_token_is_shown_once_listed_and_revoked(cli: Cli) -> None:
    told = cli.ok("--actor", "kadi", "token", "issue", "dhis", "--scope", "plans,needs", "--days", "30", lang="en")
    token = told.out.splitlines()[-1]
    identity = token.split("_")[1]
    assert "It is not shown again" in told.out
    listed = cli.ok("--actor", "kadi", "token", "list", lang="en").out
    assert f"{identity} (dhis)" in listed
    assert "needs, plans" in listed
    assert "last used: never" in listed
    assert token not in listed
    found = cli.ok("--json", "--actor", "kadi", "token", "list").json
    assert [(each["token"], each["scope"], each["used_on"]) for each in found] == [(identity, ["needs", "plans"], None)]
    assert "révoqué" in cli.ok("--actor", "kadi", "token", "revoke", identity).out
    one_line(cli("--actor", "kadi", "token", "revoke", identity), 2, "cycle token list")
    assert "Rien" in cli.ok("--actor", "kadi", "token", "list").out
    one_line(cli("--actor", "ousmane", "token", "list"), 1, "ousmane")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("dhis", "--scope", "planz", "--days", "3"), 2, "plans"),
        (("dhis", "--scope", "agree-plan", "--days", "3"), 1, "agree-plan"),
        (("dhis", "--scope", "plans", "--days", "367"), 2, "1–366"),
        (("dhis", "--scope", "plans"), 2, "--days"),
        (("dhis", "--days", "3"), 2, "--scope"),
        (("ousmane", "--scope", "plans", "--days", "3"), 1, "second facteur"),
    ],
)
def test_a_token_that_is_refused_is_told_in_one_line(
    cli: Cli, arguments: tuple[str, ...], code: int, says: str
) -> None:
    one_line(cli("--actor", "kadi", "token", "issue", *arguments), code, says)


def test_a_token_says_who_acts_and_for_what(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYCLE_TOKEN", issued(cli, "list-accounts", "export-events"))
    cli.ok("export", "events", "--to", "/dev/null")
    one_line(cli("verify"), 1, "verify")
    one_line(cli("--actor", "kadi", "account", "list"), 2, "CYCLE_TOKEN")
    one_line(cli("account", "list", "--database", "sqlite:///other.db"), 2, "CYCLE_DATABASE")
    monkeypatch.setenv("CYCLE_TOKEN", "cyc_no_token")
    one_line(cli("account", "list"), 1, "cycle token issue")
    monkeypatch.delenv("CYCLE_TOKEN")
    one_line(cli("--actor", "ousmane", "account", "list"), 1, "ousmane")


def test_what_is_half_of_something_is_no_command_alone(cli: Cli) -> None:
    for name in ("set-password", "issue-token", "reset-second-factor"):
        one_line(cli("do", name, "--help"), 2, name)
    assert "set-password" not in cli.ok("do", "--help").out
