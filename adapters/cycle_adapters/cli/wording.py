"""Help and errors of usage in the reader's language, whichever adapter a verb comes from.

click speaks English only, and verbs are declared once for both languages: so the words are put in
when a verb is looked up, from the catalogue: ``verb.<path>`` and ``option.<name>``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, cast

import click

from cycle import catalogue
from cycle.catalogue import Language, printable, text
from cycle.settings import BY_NAME, TOKEN, Settings

_RANGE = re.compile(r"(\d+)<=x<=(\d+)")


class Wrong(click.UsageError):
    """Wrong usage, told by a message of the catalogue."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key, self.values = key, values


class Formatter(click.HelpFormatter):
    """click's help with its few own words translated."""

    language: Language = "fr"

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, stood_for(args, self.language), text("message.usage", self.language))

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        known = {"Options": "options", "Commands": "verbs", "Arguments": "arguments"}
        with super().section(text(f"message.{known[name]}", self.language) if name in known else name):
            yield

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        default, required = (text(f"message.{key}", self.language) for key in ("default", "required"))
        words = {"[default: ": f"[{default}", "[required]": f"[{required}]", "; required]": f" ; {required}]"}
        for english, own in words.items():
            rows = [(term, said.replace(english, own)) for term, said in rows]
        rows = [(stood_for(term, self.language), _RANGE.sub(self._range, said)) for term, said in rows]
        super().write_dl(rows, col_max, col_spacing)

    def _range(self, found: re.Match[str]) -> str:
        return text("message.range", self.language, "", low=int(found[1]), high=int(found[2]))


class Context(click.Context):
    """A context whose help is written in the reader's language."""

    def make_formatter(self) -> click.HelpFormatter:
        formatter = Formatter(width=self.terminal_width, max_width=self.max_content_width)
        formatter.language = heard(self).language
        return formatter


def stood_for(words: str, language: Language) -> str:
    """What stands for values in help, in the reader's language: ``FIELD=VALUE`` -> ``CHAMP=VALEUR``."""
    for code in sorted(catalogue.keys("metavar"), key=len, reverse=True):
        english = rf"\b{code.upper()}\b".replace("-", "[- ]")
        words = re.sub(english, text(f"metavar.{code}", language), words)
    return words


def heard(ctx: click.Context) -> Settings:
    """What was asked for, so far as it is known."""
    return cast("Settings", ctx.find_object(Settings))


def worded(command: click.Command, path: str, language: Language) -> click.Command:
    """The command with its words in one language; its verbs too, and the options that all have."""
    command.context_class = Context
    command.epilog = text("message.everywhere", language)
    label = f"verb.{path}"
    if catalogue.has(label):
        command.short_help = text(label, language)
        command.help = sentence_case(text(label, language))
    for param in command.params:
        key = f"option.{path}.{param.name}"
        key = key if catalogue.has(key) else f"option.{param.name}"
        if isinstance(param, click.Option) and param.name in BY_NAME:
            param.help = BY_NAME[param.name].told(language)
        elif isinstance(param, click.Option) and catalogue.has(key):
            param.help = text(key, language)
    if not any(param.name == "say_help" for param in command.params):
        command.params += [
            click.Option(["--help", "-h", "say_help"], is_flag=True, is_eager=True, expose_value=False, callback=_help),
            click.Option(["--json", "say_json"], is_flag=True, hidden=True, expose_value=False, callback=_set("json")),
            click.Option(["--database", "say_database"], hidden=True, expose_value=False, callback=_set("database")),
            click.Option(
                ["--lang", "say_lang"],
                type=click.Choice(catalogue.LANGUAGES),
                hidden=True,
                expose_value=False,
                callback=_set("language"),
            ),
        ]
        command.add_help_option = False
    for param in command.params:
        if isinstance(param, click.Option) and param.name == "say_help":
            param.help = text("option.say_help", language)
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            worded(child, f"{path}-{name}", language)
    return command


def sentence_case(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _help(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


def _set(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """``cycle show plan --json`` means ``cycle --json show plan``."""

    def callback(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        if value and name == "database" and TOKEN.given():
            # Whose token it is was read from the database that was named first.
            raise Wrong("token-and-database")
        if value:
            # Whoever tells an error asks the outermost.
            ctx.obj = ctx.find_root().obj = heard(ctx)._replace(**{name: value})

    return callback


def near(name: str, known: Iterable[str]) -> list[str]:
    return get_close_matches(name, list(known), 3, 0.6)


def usage_error(error: click.ClickException, language: Language) -> str:
    """A wrong usage in one line that says what to write."""

    def say(key: str, **values: object) -> str:
        return catalogue.verbatim(f"message.{key}", language, **values)

    ctx = getattr(error, "ctx", None) or click.Context(click.Command("cycle"), info_name="cycle")
    ask_help = f"{ctx.command_path} --help"
    match error:
        case Wrong():
            return say(error.key, **error.values)
        # By attribute: the class of an unknown verb is younger than the oldest click that we take.
        case click.UsageError() if hasattr(error, "command_name") and isinstance(ctx.command, click.Group):
            name = str(error.command_name)
            close = near(name, ctx.command.list_commands(ctx))
            return say("no-such-command", name=name, near=", ".join(close) or ask_help)
        case click.NoSuchOption(option_name=name):
            return say("no-such-option", name=name, near=", ".join(error.possibilities or ()) or ask_help)
        case click.MissingParameter(param=param) if param is not None:
            return say(
                "missing",
                name=_named(param, ctx, language),
                expected=_expected(param.type, language) or ask_help,
            )
        case click.BadParameter(param=param) if param is not None and isinstance(param.type, click.Path):
            return say("no-such-file", path=_quoted(error.message))
        case click.BadParameter(param=param) if param is not None and _expected(param.type, language):
            close = near(_quoted(error.message), map(str, getattr(param.type, "choices", ())))
            expected = ", ".join(close) or _expected(param.type, language)
            return say("bad-value", name=_named(param, ctx, language), given=_quoted(error.message), expected=expected)
        case click.BadOptionUsage(option_name=name):
            return say("option-without-value", name=name, near=ask_help)
        case click.UsageError() if extra := re.search(r"unexpected extra arguments? \((.*)\)", error.message):
            return say("extra-argument", extra=extra[1], near=ask_help)
        case _:
            return say("wrong-usage", near=ask_help) if language == "fr" else error.format_message()


def _quoted(message: str) -> str:
    """The value that click's message is about."""
    found = re.search(r"'(.*)'|\"(.*)\"|^(-?[0-9]+)", message.partition(" is not ")[0])
    return next((part for part in found.groups() if part), "") if found else ""


def _named(param: click.Parameter, ctx: click.Context, language: Language) -> str:
    return param.opts[0] if isinstance(param, click.Option) else stood_for(param.make_metavar(ctx).strip("[]"), language)


def _expected(kind: click.ParamType[Any], language: Language) -> str:
    match kind:
        case click.Choice(choices=choices):
            return ", ".join(map(str, choices))
        case click.IntRange(min=low, max=high):
            return f"{low}–{high}"
        case _:
            types = {"YYYY-MM-DD": "day", "TIME": "moment", "POSITION|DATE": "position", "integer": "int"}
            return text(f"message.type-{types[kind.name]}", language) if kind.name in types else ""


def reference(actor: str) -> str:
    """The reference itself.

    Raises:
        Wrong: a name instead of a reference.
    """
    if not re.fullmatch(r"\S{1,120}", actor) or printable(actor) != actor:
        raise Wrong("not-a-reference", given=printable(actor))
    return actor
