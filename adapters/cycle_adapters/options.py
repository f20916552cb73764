"""Options of the command line, made from the settings that they stand for; any verb may use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from cycle.settings import Setting
from cycle_adapters.moments import DAY, MOMENT

F = TypeVar("F", bound=Callable[..., Any])


def option(setting: Setting, kind: click.ParamType[Any] | None = None, *, given: bool = True) -> Callable[[F], F]:
    """The option of a setting. ``given`` False: a verb that must know whether it was said fills in the default."""
    default = setting.default if given and setting.default else None
    return click.option(
        setting.option,
        setting.name,
        envvar=setting.variable or None,
        default=default,
        show_default=default is not None,
        metavar=setting.metavar or None,
        type=kind or (click.Choice(setting.choices) if setting.choices else None),
    )


def area_options(command: F) -> F:
    """What a list is narrowed to: ``--commune``, ``--circle``, ``--region`` and ``--sector``."""
    return _with(
        command,
        click.option("--commune", metavar="NAME"),
        click.option("--circle", metavar="NAME"),
        click.option("--region", metavar="NAME"),
        click.option("--sector", metavar="CODE"),
    )


def past_options(command: F) -> F:
    """The three cut-offs: ``--as-of``, ``--known-at`` and ``--at``."""
    return _with(
        command,
        click.option("--as-of", type=DAY),
        click.option("--known-at", type=MOMENT),
        click.option("--at", type=int, metavar="POSITION"),
    )


def _with(command: F, *options: Callable[[F], F]) -> F:
    """A command with some options, which help lists in this order."""
    for each in reversed(options):
        command = each(command)
    return command
