"""``cycle do``: one command recorded. Each command is a verb of its own, made from its declaration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from importlib import import_module
from itertools import groupby

import click
import msgspec

from cycle.aggregates.base import By, Command, Role
from cycle.aggregates.commune import commune
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.table import stages_of
from cycle.aggregates.personal import personal_fields
from cycle.aggregates.request import ActRequested, request
from cycle.catalogue import Language, listed, pair, text
from cycle.commands import BESIDE, SELF_NAMED
from cycle.engine import BY_COMMAND, COMMANDS, FOUNDING, Engine, Said
from cycle.fields import rows, takes_free_text
from cycle.reading import PlaceUnknown, Reader
from cycle.settings import ROLE, Settings
from cycle.store import Receipt
from cycle.telling import explained, sentence, warnings, whom_to_call
from cycle_adapters.cli.fields import gathered, said
from cycle_adapters.cli.places import framework_at, place_at
from cycle_adapters.cli.printing import emit, heading, paragraph
from cycle_adapters.cli.wording import Context, Wrong, heard, reference, worded
from cycle_adapters.moments import DAY


class Commands(click.Group):
    """Every command of every area, listed by area."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in COMMANDS if name not in BESIDE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS or cmd_name in BESIDE:
            return None
        return worded(OneCommand(cmd_name), f"do-{cmd_name}", heard(ctx).language)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        language = heard(ctx).language
        for area, names in by_area():
            with formatter.section(text(f"area.{area}", language)):
                formatter.write_dl([(name, text(f"command.{name}", language)) for name in names])


def by_area() -> Iterator[tuple[str, list[str]]]:
    """The commands of each area of the domain, in the order of the areas."""
    areas = ["setup", "council", "needs", "meetings", "proposals", "contributions", "plan", "committee"]
    areas += ["monitoring", "obstacles", "adjustment", "anytime"]
    areas += ["commune", "organisation", "deliberation", "person", "rulebook", "request", "account", "disclosure"]
    areas += ["webhook", "group"]

    def area(name: str) -> str:
        return COMMANDS[name].__module__.rpartition(".")[2]

    ordered = sorted((name for name in COMMANDS if name not in BESIDE), key=lambda name: areas.index(area(name)))
    for found, names in groupby(ordered, area):
        yield found, list(names)


class OneCommand(click.Command):
    """One command with its fields, stages and roles in its help."""

    context_class = Context

    def __init__(self, name: str) -> None:
        own = BY_COMMAND[name] is framework and COMMANDS[name] not in FOUNDING
        options: list[click.Parameter] = [
            click.Option(["--framework", "place"], metavar="ID", hidden=not own),
            click.Option(["--id", "identity"], metavar="ID", hidden=own or name in SELF_NAMED),
            click.Option(["--set", "fields"], metavar="FIELD=VALUE", multiple=True),
            click.Option(["--data"], metavar="FILE|-"),
            click.Option(["--on"], type=DAY),
            click.Option(["--key"], metavar="KEY"),
            click.Option([ROLE.option], envvar=ROLE.variable, type=click.Choice(list(map(str, Role))), metavar="ROLE"),
            click.Option(["--for", "on_behalf_of"], metavar="REF"),
            click.Option(["--late"], is_flag=True),
            click.Option(["--fields", "list_fields"], is_flag=True),
        ]
        super().__init__(name, params=options, callback=_do(name))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        for line in told_command(self.name or "", heard(ctx).language):
            formatter.write_text(line)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        language = heard(ctx).language
        name = self.name or ""
        with formatter.section(text("message.fields", language)):
            formatter.write_dl(list(rows(COMMANDS[name], language)) or [("—", "")])
        super().format_options(ctx, formatter)


def told_command(name: str, language: Language) -> list[str]:
    """What a command is, who may say it, and in which stages."""
    command = COMMANDS[name]
    lines = [text(f"command.{name}", language) + "."]
    lines.append(text("message.by-whom", language, "", roles=whom_to_call(command.roles, language)))
    if command.seconds:
        lines.append(text("message.two-people", language))
    stages = [text(f"stage.{stage.value}", language) for stage in stages_of(command) if stage]
    if stages:
        lines.append(text("message.in-stages", language, "", stages=listed(stages, language)))
    if takes_free_text(command):
        lines.append(text("message.public-record", language))
    if personal_fields(command):
        lines.append(text("message.sealed-fields", language))
    return lines


@click.group(
    "do", cls=Commands, invoke_without_command=True, options_metavar="", subcommand_metavar="COMMAND [OPTIONS]"
)
@click.pass_context
def do(ctx: click.Context) -> None:
    """Record one command; without COMMAND, list them all."""
    if ctx.invoked_subcommand is not None:
        return
    settings = heard(ctx)
    if settings.json:
        emit({name: text(f"command.{name}", settings.language) for name in COMMANDS})
    else:
        click.echo(ctx.get_help())


def _do(name: str) -> Callable[..., None]:
    """What runs when the command is said."""

    @click.pass_obj
    def run(
        settings: Settings,
        place: str | None,
        identity: str | None,
        fields: tuple[str, ...],
        data: str | None,
        on: date | None,
        key: str | None,
        role: str | None,
        on_behalf_of: str | None,
        late: bool,
        list_fields: bool,
    ) -> None:
        declared = COMMANDS[name]
        if list_fields:
            show_fields(name, settings)
            return
        command = said(name, declared, gathered(declared, fields, data), settings.language)
        if on_behalf_of is not None:
            reference(on_behalf_of)
        needed(name, place, identity)
        with Engine(settings.database) as engine:
            reader = Reader(engine, settings.actor)
            reader.catch_up()
            by = By(settings.actor, acting_as(engine, declared, role, settings), on_behalf_of)
            target = found(reader, command, place, identity)
            day = on or engine.today()
            receipt = engine.execute(Said(command=command, by=by, on=day, target=target, key=key, late_record=late))
            if settings.json:
                emit(receipt)
            else:
                print_receipt(engine, receipt, settings.language)
                # Named, not imported: adapters stay out of each other's rooms.
                signing = import_module("cycle_adapters.sealing.receipts")
                click.echo(signing.signed_where_configured(receipt), nl=False)

    return run


def needed(name: str, place: str | None, identity: str | None) -> None:
    """Raises:
    Wrong: nothing says which framework, commune, deliberation or organisation it is about.
    """
    if COMMANDS[name] in FOUNDING or name in SELF_NAMED:
        if place is not None:
            raise Wrong("framework-not-needed", command=name)
    elif BY_COMMAND[name] is framework:
        if place is None and identity is None:
            raise Wrong("framework-needed", command=name)
    elif place is not None:
        raise Wrong("framework-not-needed", command=name)
    elif identity is None:
        raise Wrong("id-needed", command=name)


def found(reader: Reader, command: Command, place: str | None, identity: str | None) -> str | None:
    """The id of the aggregate that a command is about; None for one that founds it or names it itself."""
    aggregate = BY_COMMAND[command.type]
    if aggregate is framework and place is not None:
        return framework_at(reader, place)
    if aggregate is commune and identity is not None:
        try:
            return place_at(reader, identity).commune
        except PlaceUnknown:
            return identity
    return identity


def acting_as(engine: Engine, command: type[Command], role: str | None, settings: Settings) -> Role:
    """The role that was said, or the only one in which the account can say it: the log holds no guess.

    Raises:
        Wrong: nothing says in which of several roles.
    """
    if role is not None:
        return Role(role)
    held = {grant.role for grant in engine.door.now.grants(settings.actor, engine.today())}
    possible = [each for each in command.roles if each in held] or list(command.roles)
    if len(possible) > 1:
        roles = (f"{each} ({text(f'role.{each}', settings.language)})" for each in possible)
        raise Wrong("role-needed", command=command.type, roles=", ".join(roles))
    return possible[0]


def show_fields(name: str, settings: Settings) -> None:
    """The fields of one command, who may say it, and when."""
    if settings.json:
        emit(msgspec.json.schema(COMMANDS[name]))
        return
    heading(name)
    for line in told_command(name, settings.language):
        paragraph(line)
    for field, words in rows(COMMANDS[name], settings.language):
        paragraph(words, f"  {field:18} ")


def print_receipt(engine: Engine, receipt: Receipt, language: Language) -> None:
    """What was recorded, in sentences, what to beware of, where it stands, and what to look at next."""
    versions = {line.version for line in receipt.events}
    for fact in engine.states.history(receipt.stream):
        if fact.version in versions:
            paragraph(pair(text("message.recorded", language), sentence(fact, language), language), "✓ ")
            for check in warnings(fact):
                said = " ".join(explained(check, COMMANDS[fact.command].roles, language))
                paragraph(text("message.beware", language, "", text=said), "  ")
    kind, _, identity = receipt.stream.partition("-")
    where = pair(text("message.position", language), str(receipt.position), language)
    names = pair(text(f"message.id-{kind}", language), identity, language)
    key = pair(text("message.key", language), receipt.key, language)
    paragraph(" · ".join((where, names, key)), "  ", dim=True)
    if kind == request.name and receipt.events[-1].type == ActRequested.type:
        paragraph(text("message.how-to-confirm", language, "", request=identity), "  ")
    if kind == framework.name:
        paragraph(text("message.look-next", language, "", framework=identity[-8:]), "  ", dim=True)
