"""What accounts sign in with, on the command line: passwords, second factors, sessions, links to providers.

Secrets are typed where nobody sees them, or come on standard input; never as an argument, for those stand in
the shell's history and in the list of processes.
"""

from __future__ import annotations

import sys

import click
import segno

from cycle.catalogue import text, verbatim
from cycle.engine import Engine
from cycle.identity import factor
from cycle.identity.credentials import INVITATION_SECONDS, Credentials
from cycle.identity.failures import IdentityRefused
from cycle.identity.secrets import new_secret
from cycle.settings import DEFAULT_ADDRESS, Settings
from cycle.store import Receipt
from cycle_adapters.cli.doing import print_receipt
from cycle_adapters.cli.printing import emit, paragraph
from cycle_adapters.cli.wording import reference

LONGEST_LINE = 4096


@click.command("password")
@click.argument("ref", metavar="REF")
@click.option("--stdin", "from_stdin", is_flag=True)
@click.pass_obj
def password(settings: Settings, ref: str, from_stdin: bool) -> None:
    """Set one's own password; every session of the account ends."""
    typed = _line() if from_stdin else _typed_twice(settings)
    with Engine(settings.database) as engine:
        done(engine, Credentials(engine).set_password(settings.actor, reference(ref), typed), settings)


@click.command("invite")
@click.argument("ref", metavar="REF")
@click.option("--address", metavar="URL", envvar="CYCLE_ADDRESS", default=DEFAULT_ADDRESS, show_default=True)
@click.pass_obj
def invite(settings: Settings, ref: str, address: str) -> None:
    """Print a link by which the holder of an account sets its password, once and within a day."""
    with Engine(settings.database) as engine:
        secret = Credentials(engine).invite(settings.actor, reference(ref))
    link = f"{address.rstrip('/')}/invitation/{secret}"
    if settings.json:
        emit({"account": ref, "link": link, "hours": INVITATION_SECONDS // 3600})
        return
    paragraph(verbatim("message.invited", settings.language, account=ref, hours=INVITATION_SECONDS // 3600))
    click.echo(link)


@click.command("second-factor")
@click.argument("ref", metavar="REF")
@click.option("--reset", "reason", metavar="TEXT")
@click.pass_obj
def second_factor(settings: Settings, ref: str, reason: str | None) -> None:
    """Set up one's own second factor; or take away that of somebody else who has lost it."""
    account = reference(ref)
    if reason is None:
        _demand_terminal("no-factor-without-terminal")
    with Engine(settings.database) as engine:
        credentials = Credentials(engine)
        if reason is not None:
            done(engine, credentials.reset_factor(settings.actor, account, reason), settings)
            return
        secret = credentials.offered(new_secret(credentials.random_bytes))
        _show(settings, account, secret)
        codes = credentials.set_factor(settings.actor, account, secret, _code(settings))
    if settings.json:
        emit({"account": account, "recovery_codes": codes})
        return
    paragraph(text("message.recovery-codes", settings.language, "", count=len(codes)))
    for code in codes:
        click.echo(f"  {code}")


@click.command("sign-out")
@click.argument("ref", metavar="REF")
@click.pass_obj
def sign_out(settings: Settings, ref: str) -> None:
    """Sign an account out everywhere, at once."""
    with Engine(settings.database) as engine:
        done(engine, Credentials(engine).sign_out(settings.actor, reference(ref)), settings)


@click.command("link")
@click.argument("ref", metavar="REF")
@click.argument("issuer", metavar="ISSUER")
@click.argument("subject", metavar="SUBJECT")
@click.pass_obj
def link(settings: Settings, ref: str, issuer: str, subject: str) -> None:
    """Let somebody at a provider of OpenID Connect sign in as an account."""
    with Engine(settings.database) as engine:
        done(engine, Credentials(engine).link(settings.actor, reference(ref), issuer, subject), settings)


@click.command("unlink")
@click.argument("ref", metavar="REF")
@click.argument("issuer", metavar="ISSUER")
@click.pass_obj
def unlink(settings: Settings, ref: str, issuer: str) -> None:
    """Let an account no longer sign in through a provider."""
    with Engine(settings.database) as engine:
        done(engine, Credentials(engine).unlink(settings.actor, reference(ref), issuer), settings)


def done(engine: Engine, receipt: Receipt, settings: Settings) -> None:
    """What was recorded."""
    if settings.json:
        emit(receipt)
    else:
        print_receipt(engine, receipt, settings.language)


def _line() -> str:
    """The first line of standard input, without its end.

    Raises:
        IdentityRefused: there is none.
    """
    given = sys.stdin.readline(LONGEST_LINE).rstrip("\r\n")
    if not given:
        raise IdentityRefused("no-password-given")
    return given


def _typed_twice(settings: Settings) -> str:
    """Raises:
    IdentityRefused: nothing was typed, or not the same twice.
    """
    first, again = (_hidden(text(f"message.{key}", settings.language)) for key in ("new-password", "password-again"))
    if first != again:
        raise IdentityRefused("passwords-differ")
    return first


def _hidden(words: str) -> str:
    _demand_terminal("no-password-given")
    return str(click.prompt(words, hide_input=True, err=True))


def _demand_terminal(cause: str) -> None:
    """Raises:
    IdentityRefused: nobody can type here.
    """
    if not sys.stdin.isatty():
        raise IdentityRefused(cause)


def _show(settings: Settings, account: str, secret: bytes) -> None:
    """The secret of a second factor, for the telephone; on standard error where a program reads the other."""
    uri = factor.uri(account, secret)
    if settings.json:
        click.echo(uri, err=True)
        return
    paragraph(text("message.scan-this", settings.language))
    segno.make(uri, error="m").terminal(compact=True)
    click.echo(uri)


def _code(settings: Settings) -> str:
    return str(click.prompt(text("message.its-code", settings.language), err=True))
