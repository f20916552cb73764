"""``cycle``: the verbs, loaded when they are called. Help answers without loading the engine."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from cycle import __version__, catalogue
from cycle.catalogue import Language
from cycle.settings import ACTOR, BY_NAME, DATABASE, JSON, LANGUAGE, TOKEN, Settings, unknown_variables
from cycle_adapters.cli.settings import before_parsing
from cycle_adapters.cli.wording import Context, Wrong, heard, reference, sentence_case, usage_error, worded
from cycle_adapters.options import option

VERBS = {
    "demo": "cycle_adapters.cli.keeping:demo",
    "serve": "cycle_adapters.serve:serve",
    "do": "cycle_adapters.cli.doing:do",
    "next": "cycle_adapters.cli.next_steps:next_",
    "show": "cycle_adapters.cli.showing:show",
    "replay": "cycle_adapters.cli.telling:replay",
    "diff": "cycle_adapters.cli.telling:diff",
    "timings": "cycle_adapters.cli.timings:timings",
    "picture": "cycle_adapters.cli.picturing:picture",
    "listen": "cycle_adapters.cli.listening:listen",
    "rebuild": "cycle_adapters.cli.keeping:rebuild",
    "backup": "cycle_adapters.files.backup_verbs:backup",
    "restore": "cycle_adapters.files.backup_verbs:restore",
    "export": "cycle_adapters.files.verbs:export",
    "import": "cycle_adapters.files.verbs:import_",
    "policy": "cycle_adapters.cli.keeping:policy",
    "seal": "cycle_adapters.sealing.verbs:seal",
    "verify": "cycle_adapters.sealing.checking:verify",
    "witness": "cycle_adapters.sealing.witnessing:witness",
    "receipt": "cycle_adapters.sealing.receipts:receipt",
    "vault": "cycle_adapters.cli.vaulting:vault",
    "account": "cycle_adapters.cli.accounts:account",
    "token": "cycle_adapters.cli.tokens:token",
    "webhook": "cycle_adapters.cli.webhooks:webhook",
    "group": "cycle_adapters.cli.groups:group",
    "nats": "cycle_adapters.jetstream.verbs:nats_",
    "worker": "cycle_adapters.cli.working:worker",
    "doctor": "cycle_adapters.cli.doctor:doctor",
}
"""Each verb is named, not imported: that keeps help quick, and adapters out of each other's rooms."""

DELIBERATIONS = "cycle_adapters.files.deliberations:recorded"
"""How the demo imports the registers of its councils, as a real council would."""
ACTING = "cycle_adapters.cli.tokens:acting"
"""Who acts, where a token says it."""
PARTS = {
    "account": tuple(
        f"cycle_adapters.cli.signing_in:{name}"
        for name in ("password", "invite", "second_factor", "sign_out", "link", "unlink")
    ),
    "export": (
        "cycle_adapters.sealing.exporting:bundle",
        "cycle_adapters.sealing.exporting:checkpoint",
        "cycle_adapters.paper.verbs:plan",
        "cycle_adapters.paper.verbs:attendance",
        "cycle_adapters.paper.verbs:minutes",
        "cycle_adapters.paper.verbs:ics",
        "cycle_adapters.paper.report_verb:report",
        "cycle_adapters.exports.verbs:csv_",
        "cycle_adapters.exports.verbs:parquet",
        "cycle_adapters.exports.verbs:xlsx",
        "cycle_adapters.exports.verbs:ocel",
        "cycle_adapters.exports.verbs:xes",
    ),
}
"""Verbs below another one that live in another room."""

INTERRUPTED = 130


def part(name: str) -> Any:
    """What a name such as ``module:attribute`` stands for, loaded now."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


class Verbs(click.Group):
    """Loads the verb that is called; lists all of them from their names."""

    context_class = Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command = part(VERBS[cmd_name])
        for below in PARTS.get(cmd_name, ()):
            assert isinstance(command, click.Group)
            command.add_command(part(below))
        return worded(command, cmd_name, heard(ctx).language)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        params = super().get_params(ctx)
        for param in params:
            if isinstance(param, click.Option):
                name = "help" if "--help" in param.opts else param.name or ""
                own, language = BY_NAME.get(name), heard(ctx).language
                param.help = own.told(language) if own else catalogue.text(f"option.{name}", language)
        return params

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        formatter.write_text(sentence_case(catalogue.text("verb.cycle", heard(ctx).language)))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(verb, catalogue.text(f"verb.{verb}", heard(ctx).language)) for verb in VERBS])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@option(DATABASE)
@click.option(JSON.option, JSON.name, is_flag=True)
@option(LANGUAGE)
@option(ACTOR, given=False)
@click.version_option(__version__, prog_name="cycle")
@click.pass_context
def cli(ctx: click.Context, database: str, as_json: bool, lang: Language | None, actor: str | None) -> None:
    ctx.obj = Settings(database, lang or heard(ctx).language, as_json, reference(actor or ACTOR.default))
    if TOKEN.given():
        if actor:
            raise Wrong("token-and-actor")
        ctx.obj = ctx.with_resource(part(ACTING)(ctx.obj))


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run, and turn every error that a user can meet into one line and an exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    asked = before_parsing(given)
    settings = asked
    if "_CYCLE_COMPLETE" in os.environ:
        cli.main(args=given, prog_name="cycle", obj=asked)
    warn_of_strange_variables(asked)
    try:
        with cli.make_context("cycle", list(given), obj=asked) as ctx:
            try:
                cli.invoke(ctx)
            finally:
                settings = ctx.obj
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        say_error("usage", usage_error(error, asked.language), asked)
        sys.exit(2)
    except (KeyboardInterrupt, EOFError, click.exceptions.Abort):
        say_error("interrupted", catalogue.text("message.interrupted", asked.language), asked)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read has seen enough; the interpreter must not complain when it closes the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        from cycle_adapters.cli.errors import told

        found = told(error, settings)
        if found is None:
            raise
        say_error(found.code, found.text, settings, found.reasons)
        sys.exit(found.exit_code)
    sys.exit(0)


def warn_of_strange_variables(asked: Settings) -> None:
    """A variable with a letter wrong would be passed over in silence, and its default be used."""
    for name, near in unknown_variables().items():
        say_error(
            "unknown-setting",
            catalogue.verbatim("message.unknown-setting", asked.language, name=name, near=near),
            asked,
        )


def say_error(code: str, text: str, asked: Settings, reasons: list[dict[str, object]] | None = None) -> None:
    """One line on stderr; one JSON object where ``--json`` was asked for."""
    line = catalogue.printable(text)
    if asked.json:
        said: dict[str, object] = {"code": code, "text": line}
        if reasons:
            said["reasons"] = reasons
        line = json.dumps(said, ensure_ascii=False, default=str)
    # What a terminal handed over need not be UTF-8.
    click.echo(line.encode(errors="replace").decode(), err=True)
