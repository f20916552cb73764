"""Options of the command line, made from the settings that they stand for; any verb may use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from cycle.settings import Setting

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
