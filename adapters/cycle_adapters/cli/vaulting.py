"""``cycle vault``: the key for what is personal, who sees it, and what is forgotten."""

from __future__ import annotations

from pathlib import Path

import click

from cycle.aggregates.base import By
from cycle.aggregates.disclosure import DisclosePerson
from cycle.aggregates.terms import PersonId, Purpose
from cycle.catalogue import pair, text, verbatim, word
from cycle.engine import Engine
from cycle.settings import ROLE, Settings
from cycle.vault.keys import new_key, read_key
from cycle.vault.people import disclose, forget_again
from cycle_adapters.cli.doing import acting_as
from cycle_adapters.cli.printing import emit, paragraph
from cycle_adapters.options import option


@click.group()
def vault() -> None:
    """Personal data: their key, who sees them, what is forgotten."""


@vault.command("new-key")
@click.argument("path", metavar="FILE")
@click.pass_obj
def new_key_(settings: Settings, path: str) -> None:
    """Make a key in a file of its own."""
    made = new_key(Path(path))
    if settings.json:
        emit({"id": made.id, "path": made.path})
    else:
        paragraph(verbatim("message.vault-key-made", settings.language, id=made.id, path=made.path))


@vault.command("show")
@click.argument("person", metavar="REF")
@click.option("--purpose", type=click.Choice([each.value for each in Purpose]), metavar="PURPOSE", required=True)
@option(ROLE, click.Choice([each.value for each in DisclosePerson.roles]))
@click.pass_obj
def show(settings: Settings, person: str, purpose: str, role: str | None) -> None:
    """Show what is kept of a person, and record that it was shown."""
    with Engine(settings.database) as engine:
        engine.door.refresh()
        by = By(settings.actor, acting_as(engine, DisclosePerson, role, settings))
        shown = disclose(engine, by, PersonId(person), Purpose(purpose))
    if settings.json:
        emit({"person": shown.person, **shown.values})
        return
    for field, value in shown.values.items():
        paragraph(pair(word(field, settings.language), value, settings.language))


@vault.command("rewrap")
@click.option("--old", metavar="FILE", required=True)
@click.pass_obj
def rewrap(settings: Settings, old: str) -> None:
    """Go over from an old key to the one in CYCLE_VAULT_KEY."""
    with Engine(settings.database) as engine:
        engine.act(settings.actor, "vault-rewrap")
        count, identity = engine.vault.rewrap(read_key(Path(old))), engine.vault.outside_key.id
    if settings.json:
        emit({"rewrapped": count, "id": identity})
    else:
        paragraph(text("message.vault-rewrapped", settings.language, "", count=count, id=identity))


@vault.command("forget-again")
@click.pass_obj
def forget_again_(settings: Settings) -> None:
    """Destroy what a restored vault holds of people who are forgotten."""
    with Engine(settings.database) as engine:
        engine.act(settings.actor, "vault-forget-again")
        count = forget_again(engine)
    if settings.json:
        emit({"forgotten": count})
    else:
        paragraph(text("message.vault-forgot-again", settings.language, "", count=count))
