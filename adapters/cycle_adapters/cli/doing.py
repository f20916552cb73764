"""``cycle do`` and ``cycle next``."""

from __future__ import annotations

import getpass
import os
import re
import sys
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click
import msgspec

from cycle.aggregates.base import By, Command, Role
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.table import stages_of
from cycle.catalogue import Language, field_label, listed, shown, text
from cycle.engine import BY_COMMAND, COMMANDS, BadInput, Engine, Said, UnknownCommand, read_command
from cycle.reading import Reader
from cycle.store import Receipt
from cycle.telling import option_as_json, reason, sentence, what_helps, whom_to_call
from cycle_adapters.cli.printing import DAY, emit, heading, paragraph
from cycle_adapters.cli.settings import Settings


@click.command(context_settings={"ignore_unknown_options": False})
@click.argument("command", required=False)
@click.option("--framework", "place", metavar="ID", help="Id, its beginning or end, or the commune's name.")
@click.option("--id", "identity", metavar="ID", help="The commune, deliberation or organisation it is about.")
@click.option("--set", "fields", metavar="FIELD=VALUE", multiple=True, help="A field; a dot reaches inside.")
@click.option("--data", type=click.Path(allow_dash=True), help="All fields as a JSON file, - for standard input.")
@click.option("--on", type=DAY, help="The day on which it happened; today when left out.")
@click.option("--key", help="Your own key: sent twice, it is done once.")
@click.option("--role", type=click.Choice([role.value for role in Role]), help="In which role you act.")
@click.option("--actor", envvar="CYCLE_ACTOR", help="Who you are: a reference, not a name.")
@click.option("--for", "on_behalf_of", metavar="REF", help="On whose behalf.")
@click.option("--late", is_flag=True, help="Later facts are recorded already.")
@click.option("--fields", "list_fields", is_flag=True, help="Show the command's fields and stop.")
@click.pass_obj
def do(
    settings: Settings,
    command: str | None,
    place: str | None,
    identity: str | None,
    fields: tuple[str, ...],
    data: str | None,
    on: date | None,
    key: str | None,
    role: str | None,
    actor: str | None,
    on_behalf_of: str | None,
    late: bool,
    list_fields: bool,
) -> None:
    """Record one command; without COMMAND, list them all."""
    if command is None:
        list_commands(settings)
        return
    if command not in COMMANDS:
        near = ", ".join(get_close_matches(command, COMMANDS, 3)) or "cycle do"
        raise UnknownCommand(f"{command}? {near}")
    if list_fields:
        show_fields(command, settings)
        return
    said = read_command(command, msgspec.json.encode(gathered(COMMANDS[command], fields, data)))
    with Engine(settings.database) as engine:
        reader = Reader(engine)
        reader.catch_up()
        target = identity
        if BY_COMMAND[command] is framework and place is not None:
            target = reader.find_framework(place)
        by = By(actor or operator(), Role(role) if role else type(said).roles[0], on_behalf_of)
        receipt = engine.execute(
            Said(command=said, by=by, on=on or engine.today(), target=target, key=key, late_record=late)
        )
        reader.catch_up()
        if settings.json:
            emit(receipt)
        else:
            print_receipt(engine, receipt, settings.language)


def operator() -> str:
    """The account that runs this program, as a reference."""
    name = re.sub(r"\s+", "-", getpass.getuser()) if os.environ.get("USER") or os.name != "nt" else "operator"
    return f"os:{name}"


def gathered(command: type[Command], fields: tuple[str, ...], data: str | None) -> dict[str, Any]:
    """The fields of ``--data`` with those of ``--set`` over them.

    Raises:
        BadInput: not JSON, no such field, not FIELD=VALUE.
    """
    found: dict[str, Any] = {}
    if data is not None:
        try:
            raw = sys.stdin.buffer.read() if data == "-" else Path(data).read_bytes()
            found = msgspec.json.decode(raw, type=dict[str, Any])
        except OSError as error:
            raise BadInput(f"--data {data}: {error.strerror}") from error
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise BadInput(f"--data {data}: {error}") from error
    hints = {field.name: field.type for field in msgspec.structs.fields(command)}
    for item in fields:
        path, equals, value = item.partition("=")
        names = path.strip().split(".")
        if not equals:
            raise BadInput(f"--set {item}: write --set field=value")
        if names[0] not in hints:
            near = get_close_matches(names[0], hints, 1)
            known = f"did you mean {near[0]}?" if near else f"its fields are: {', '.join(hints) or '—'}"
            raise BadInput(f"--set {item}: {command.type} has no field {names[0]!r}; {known}")
        place = found
        for name in names[:-1]:
            place = place.setdefault(name, {})
        place[names[-1]] = typed(value, hints[names[0]] if len(names) == 1 else None)
    return found


def typed(value: str, hint: Any) -> Any:
    """A value as its declared type wants it; JSON where it looks like JSON, a comma list for tuples."""
    words = str(hint)
    if value[:1] in "[{":
        try:
            return msgspec.json.decode(value.encode())
        except msgspec.DecodeError as error:
            raise BadInput(f"{value}: {error}") from error
    if "tuple" in words and "Struct" not in words:
        return [part.strip() for part in value.split(",") if part.strip()]
    if "Decimal" in words:
        return value
    if re.fullmatch(r"-?\d{1,15}", value) and ("int" in words or hint is None):
        return int(value)
    if value in ("true", "false") and ("bool" in words or hint is None):
        return value == "true"
    return value


def list_commands(settings: Settings) -> None:
    """Every command with its label."""
    if settings.json:
        emit({name: text(f"command.{name}", settings.language) for name in COMMANDS})
        return
    width = max(len(name) for name in COMMANDS)
    for name in COMMANDS:
        click.echo(f"{name:{width}}  {text(f'command.{name}', settings.language)}")


def show_fields(name: str, settings: Settings) -> None:
    """The fields of one command, who may say it, and when."""
    command, language = COMMANDS[name], settings.language
    fields = msgspec.structs.fields(command)
    if settings.json:
        emit(msgspec.json.schema(command))
        return
    heading(f"{name} — {text(f'command.{name}', language)}")
    click.echo(text("message.by-whom", language, "", roles=whom_to_call(command.roles, language)))
    stages = [stage.value for stage in stages_of(command) if stage]
    if stages:
        click.echo(
            f"{text('message.stage', language)}: {listed((text(f'stage.{s}', language) for s in stages), language)}"
        )
    for field in fields:
        star = "*" if field.required else " "
        click.echo(f"  {star} {field.name:16} {field_label(name, field.name, language)}")


def print_receipt(engine: Engine, receipt: Receipt, language: Language) -> None:
    """What was recorded, in sentences, and where it stands."""
    versions = {line.version for line in receipt.events}
    for fact in engine.history(receipt.stream):
        if fact.version in versions:
            paragraph(f"{text('message.recorded', language)}: {sentence(fact, language)}")
    place = receipt.stream.partition("-")[2]
    click.echo(f"{text('message.position', language)} {receipt.position} · {place} · {receipt.key}")


@click.command("next")
@click.argument("place", metavar="ID")
@click.option("--on", type=DAY, help="As of this day; today when left out.")
@click.pass_obj
def next_(settings: Settings, place: str, on: date | None) -> None:
    """Show what may happen next, and what keeps the rest from happening."""
    language = settings.language
    with Engine(settings.database) as engine:
        reader = Reader(engine)
        reader.catch_up()
        identity = reader.find_framework(place)
        found = engine.options(identity, on)
        state = engine.framework(identity)
        if settings.json:
            emit({"framework": identity, "stage": state.stage, "options": [option_as_json(o) for o in found]})
            return
        names = {row.code: row.name for row in reader.communes()}
    values: Mapping[str, object] = {
        "commune": names.get(state.commune, state.commune),
        "title": state.title,
        "stage": state.stage,
        "cycle": state.cycle,
        "since": state.stage_since,
    }
    heading(text("message.stage-of", language, "", **values))
    allowed = [option for option in found if option.allowed]
    if not found:
        click.echo(text("message.nothing", language))
    if allowed:
        click.echo(f"\n{text('message.possible', language)}")
    for option in allowed:
        roles = text("message.by-whom", language, "", roles=whom_to_call(option.roles, language))
        to = f" → {listed((str(shown(s, language)) for s in option.to), language)}" if option.to else ""
        paragraph(f"{text(f'command.{option.command}', language)}{to} — {option.command} ({roles})", "  ✓ ")
        for warning in option.warnings:
            paragraph(text("message.beware", language, "", text=reason(warning, language)), "      ")
    if len(allowed) < len(found):
        click.echo(f"\n{text('message.not-yet', language)}")
    for option in found:
        if not option.allowed:
            paragraph(f"{text(f'command.{option.command}', language)} — {option.command}", "  ✗ ")
            for finding in option.refused_by:
                paragraph(f"{reason(finding, language)} {what_helps(finding, language)}", "      ")
                if finding.lift:
                    call = whom_to_call(finding.lift, language)
                    paragraph(text("message.call", language, "", roles=call), "      ")
