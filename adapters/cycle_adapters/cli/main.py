"""``cycle``: the verbs, loaded when they are called. Help answers without loading the engine."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from cycle import __version__, catalogue
from cycle.catalogue import Language
from cycle_adapters.cli.settings import DEFAULT_DATABASE, Settings, language_of

VERBS = {
    "demo": "cycle_adapters.cli.keeping:demo",
    "serve": "cycle_adapters.http.verb:serve",
    "do": "cycle_adapters.cli.doing:do",
    "next": "cycle_adapters.cli.doing:next_",
    "show": "cycle_adapters.cli.showing:show",
    "replay": "cycle_adapters.cli.telling:replay",
    "diff": "cycle_adapters.cli.telling:diff",
    "rebuild": "cycle_adapters.cli.keeping:rebuild",
    "export": "cycle_adapters.files.verbs:export",
    "import": "cycle_adapters.files.verbs:import_",
    "policy": "cycle_adapters.cli.keeping:policy",
}
"""Each verb is named, not imported: that keeps help quick, and adapters out of each other's rooms."""


class Verbs(click.Group):
    """Loads the verb that is called; lists all of them from their names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module, _, attribute = VERBS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        language = language_of(ctx.params.get("lang"), os.environ)
        with formatter.section("Verbs" if language == "en" else "Verbes"):
            formatter.write_dl([(verb, catalogue.text(f"verb.{verb}", language)) for verb in VERBS])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--database", metavar="URL", envvar="CYCLE_DATABASE", default=DEFAULT_DATABASE, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print for programs.")
@click.option("--lang", type=click.Choice(["fr", "en"]), default=None, is_eager=True, help="Default: your locale.")
@click.version_option(__version__, prog_name="cycle")
@click.pass_context
def cli(ctx: click.Context, database: str, as_json: bool, lang: Language | None) -> None:
    """The consultation cycle between a commune and its private sector."""
    ctx.obj = Settings(database, language_of(lang, os.environ), as_json)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run, and turn every error that a user can meet into one line and an exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        result = cli.main(args=given, prog_name="cycle", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        say_error("usage", error.format_message(), given)
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        from cycle_adapters.cli.errors import explained

        language = language_of(_option(given, "--lang"), os.environ)
        told = explained(error, language)
        if told is None:
            raise
        say_error(told.code, told.text, given, told.reasons)
        sys.exit(told.exit_code)
    sys.exit(result if isinstance(result, int) else 0)


def _option(given: list[str], name: str) -> Any:
    return given[given.index(name) + 1] if name in given[:-1] else None


def say_error(code: str, text: str, given: list[str], reasons: list[dict[str, object]] | None = None) -> None:
    """One line on stderr; one JSON object where ``--json`` was asked for."""
    if "--json" in given:
        import json

        said: dict[str, object] = {"code": code, "text": text}
        if reasons:
            said["reasons"] = reasons
        click.echo(json.dumps(said, ensure_ascii=False, default=str), err=True)
    else:
        click.echo(" ".join(text.split()), err=True)
