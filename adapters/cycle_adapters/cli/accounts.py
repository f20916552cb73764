"""``cycle account``: who may do what where. Each verb is one command, said in the role that the account holds."""

from __future__ import annotations

from datetime import date

import click

from cycle.access import Forbidden
from cycle.aggregates.account import (
    Account,
    BeginAccounts,
    GiveGrant,
    Grant,
    OpenAccount,
    RevokeGrant,
    path_of,
    territory_of,
)
from cycle.aggregates.base import By, Command, Role
from cycle.aggregates.terms import AccountKind, GrantId
from cycle.catalogue import shown, text
from cycle.engine import Engine, Said
from cycle.identity.credentials import Credentials
from cycle.projections.places import CommuneRow
from cycle.reading import PlaceUnknown, Reader, opened
from cycle.settings import Settings
from cycle_adapters.cli.doing import print_receipt
from cycle_adapters.cli.printing import emit, heading, paragraph
from cycle_adapters.cli.signing_in import done
from cycle_adapters.cli.wording import reference
from cycle_adapters.moments import DAY

GRANTED = tuple(role for role in Role if role is not Role.ACCOUNT_HOLDER)


@click.group()
def account() -> None:
    """Open accounts, grant and revoke roles, list who may do what."""


@account.command("open")
@click.argument("ref", metavar="REF")
@click.option("--machine", is_flag=True)
@click.pass_obj
def open_(settings: Settings, ref: str, machine: bool) -> None:
    """Open an account; the first one of a log also makes the operator's."""
    kind = AccountKind.MACHINE if machine else AccountKind.PERSON
    with Engine(settings.database) as engine:
        if not begun(engine, settings) or ref != settings.actor:
            said(engine, settings, OpenAccount(account=ref, kind=kind), ref)


@account.command("grant")
@click.argument("ref", metavar="REF")
@click.argument("role", metavar="ROLE", type=click.Choice([role.value for role in GRANTED]))
@click.argument("territory", metavar="TERRITORY")
@click.option("--since", type=DAY)
@click.option("--until", type=DAY)
@click.pass_obj
def grant(settings: Settings, ref: str, role: str, territory: str, since: date | None, until: date | None) -> None:
    """Grant an account a role in a territory: a path, or the name of a commune."""
    with Engine(settings.database) as engine:
        begun(engine, settings)
        reader = Reader(engine, settings.actor)
        reader.catch_up()
        where = written(reader, territory)
        said(engine, settings, GiveGrant(role=Role(role), territory=where, since=since, until=until), ref)
        if not settings.json:
            count = sum(in_territory(row, where) for row in reader.communes())
            paragraph(text("message.covers", settings.language, count=count), "  ", dim=True)


@account.command("revoke")
@click.argument("ref", metavar="REF")
@click.argument("number", metavar="GRANT")
@click.option("--reason", metavar="TEXT", required=True)
@click.pass_obj
def revoke(settings: Settings, ref: str, number: str, reason: str) -> None:
    """Revoke a grant, at once and for good."""
    with Engine(settings.database) as engine:
        said(engine, settings, RevokeGrant(grant=GrantId(number), reason=reason), ref)


@account.command("close")
@click.argument("ref", metavar="REF")
@click.option("--reason", metavar="TEXT", required=True)
@click.pass_obj
def close(settings: Settings, ref: str, reason: str) -> None:
    """Close an account for good."""
    with Engine(settings.database) as engine:
        done(engine, Credentials(engine).close(settings.actor, reference(ref), reason), settings)


@account.command("list")
@click.argument("ref", metavar="REF", required=False)
@click.pass_obj
def list_(settings: Settings, ref: str | None) -> None:
    """List accounts with their grants; everybody may look at his own."""
    with opened(settings.database) as engine:
        engine.door.refresh()
        if ref is None or ref != settings.actor:
            engine.act(settings.actor, "list-accounts")
        accounts = engine.door.now.accounts
    found = [accounts[each] for each in sorted(accounts) if ref in (None, each)]
    if settings.json:
        emit([as_json(each) for each in found])
        return
    for each in found:
        tell(each, settings)
    if not found:
        click.echo(text("message.none-found", settings.language))


def begun(engine: Engine, settings: Settings) -> bool:
    """Make the operator's account, where the log has no account at all; returns whether it was made."""
    engine.door.refresh()
    if engine.door.now.accounts:
        return False
    by = By(settings.actor, Role.OPERATOR)
    engine.execute(Said(command=BeginAccounts(account=settings.actor), by=by, on=engine.today()))
    engine.door.refresh()
    if not settings.json:
        paragraph(text("message.operator-made", settings.language, "", account=settings.actor))
    return True


def said(engine: Engine, settings: Settings, command: Command, ref: str) -> None:
    """One command about an account, in the role that the actor holds: an administrator's, else the operator's."""
    engine.door.refresh()
    held = {each.role for each in engine.door.now.grants(settings.actor, engine.today())}
    role = Role.ADMINISTRATOR if Role.ADMINISTRATOR in held else command.roles[-1]
    by = By(settings.actor, role)
    receipt = engine.execute(Said(command=command, by=by, on=engine.today(), target=reference(ref)))
    if settings.json:
        emit(receipt)
    else:
        print_receipt(engine, receipt, settings.language)


def written(reader: Reader, territory: str) -> str:
    """A territory as a path; the name of a commune stands for where it lies."""
    if "/" in territory:
        return territory
    try:
        code = reader.find(territory).commune
    except (PlaceUnknown, Forbidden):
        return territory
    return territory_of(next(path(row) for row in reader.communes() if row.code == code))


def path(row: CommuneRow) -> tuple[str, ...]:
    return row.code.partition("-")[0], row.region, row.circle, row.code


def in_territory(row: CommuneRow, territory: str) -> bool:
    anything = Grant(GrantId(""), Role.AUDITOR, path_of(territory), date.min)
    return anything.covers(path(row))


def as_json(each: Account) -> dict[str, object]:
    grants = [
        {
            "grant": one.id,
            "role": one.role,
            "territory": territory_of(one.territory),
            "since": one.since,
            "until": one.until,
        }
        for one in each.grants.values()
    ]
    return {"account": each.id, "kind": each.kind, "closed": each.closed, "grants": grants}


def tell(each: Account, settings: Settings) -> None:
    """One account, and a line for each of its grants."""
    language = settings.language
    state = [str(shown(each.kind, language))] + ([text("message.account-state", language)] if each.closed else [])
    heading(f"{each.id} ({', '.join(state)})")
    lines: list[str] = []
    for one in each.grants.values():
        where, since = shown(territory_of(one.territory), language), shown(one.since, language)
        until = shown(one.until, language) if one.until else ""
        lines.append(f"{one.id}  {shown(one.role, language)} · {where} · {since} – {until}".rstrip())
    for line in lines or [text("message.no-grants", language)]:
        paragraph(line, "  ")
