"""``cycle token``: what machines show instead of a password. Shown once, kept as a digest, good for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import click
from msgspec import Struct

from cycle.access import ACTIONS
from cycle.aggregates.credentials import TOKEN_DAYS
from cycle.aggregates.terms import TokenId
from cycle.catalogue import shown, text, verbatim
from cycle.door import within
from cycle.engine import Engine
from cycle.identity.credentials import Credentials
from cycle.identity.sessions import Sessions
from cycle.reading import opened
from cycle.settings import TOKEN, Settings
from cycle_adapters.cli.printing import emit, heading, paragraph
from cycle_adapters.cli.signing_in import done
from cycle_adapters.cli.wording import Wrong, near, reference


class Standing(Struct, frozen=True):
    """A token that is not revoked, as it is listed."""

    token: TokenId
    account: str
    scope: tuple[str, ...]
    expires_on: date
    used_on: date | None


@click.group()
def token() -> None:
    """Issue, list and revoke tokens of machines."""


@token.command("issue")
@click.argument("ref", metavar="REF")
@click.option("--scope", "scope", metavar="ACT", multiple=True, required=True)
@click.option("--days", type=click.IntRange(1, TOKEN_DAYS), required=True)
@click.pass_obj
def issue(settings: Settings, ref: str, scope: tuple[str, ...], days: int) -> None:
    """Issue a token to a machine's account, for some of what the account may do."""
    wanted = tuple(name for words in scope for name in words.split(",") if name)
    for name in wanted:
        if name not in ACTIONS:
            raise Wrong("no-such-act", name=name, near=", ".join(near(name, ACTIONS)) or "docs/access.md")
    with Engine(settings.database) as engine:
        made, last = Credentials(engine).issue(settings.actor, reference(ref), wanted, days)
    if settings.json:
        emit({"account": ref, "token": made.id, "secret": str(made), "scope": sorted(set(wanted)), "expires_on": last})
        return
    paragraph(verbatim("message.token-issued", settings.language, account=ref, until=shown(last, settings.language)))
    click.echo(str(made))


@token.command("list")
@click.pass_obj
def list_(settings: Settings) -> None:
    """List the tokens that are not revoked."""
    with opened(settings.database) as engine:
        engine.door.refresh()
        engine.act(settings.actor, "list-accounts")
        found = list(standing(engine))
    if settings.json:
        emit(found)
        return
    for each in found:
        language = settings.language
        heading(f"{each.token} ({each.account})")
        used = shown(each.used_on, language) if each.used_on else text("message.never", language)
        until = shown(each.expires_on, language)
        paragraph(verbatim("message.token-line", language, scope=", ".join(each.scope), until=until, used=used), "  ")
    if not found:
        click.echo(text("message.none-found", settings.language))


@token.command("revoke")
@click.argument("identity", metavar="ID")
@click.pass_obj
def revoke(settings: Settings, identity: str) -> None:
    """Revoke a token, at once and for good."""
    with Engine(settings.database) as engine:
        done(engine, Credentials(engine).revoke(settings.actor, TokenId(identity)), settings)


def standing(engine: Engine) -> Iterator[Standing]:
    """The tokens that are not revoked, by their accounts."""
    used = {each.id: each.used_on for each in engine.store.identities.tokens()}
    for name, account in sorted(engine.door.now.accounts.items()):
        for each in account.tokens.values():
            yield Standing(each.id, name, tuple(sorted(each.scope)), each.expires_on, used.get(each.id))


@contextmanager
def acting(settings: Settings) -> Iterator[Settings]:
    """The settings of whoever runs this: the account of ``CYCLE_TOKEN`` where it is set, and no more than its scope.

    Raises:
        NotSignedIn: the token does not hold.
        Wrong: another account is named beside it.
    """
    given = TOKEN.given()
    if not given:
        yield settings
        return
    with opened(settings.database) as engine:
        account, scope = Sessions(engine).by_token(given)
    with within(account, scope):
        yield settings._replace(actor=account)
