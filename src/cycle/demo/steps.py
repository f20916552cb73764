"""What a story is made of: steps, each of them one thing that happens on a day and is recorded on one."""

from __future__ import annotations

from collections.abc import Generator
from datetime import date
from typing import Any

from msgspec import Struct

from cycle.aggregates.base import By, Command
from cycle.aggregates.terms import CommuneCode


class Import(Struct, frozen=True):
    """A council's file to be imported."""

    commune: CommuneCode
    data: bytes
    source: str


class Step(Struct, frozen=True):
    """One thing that happens: what, who says it, on which day, and when it gets recorded."""

    what: Command | Import
    by: By
    on: date
    recorded_on: date
    target: str | None = None
    late: bool = False
    closes_cycle: bool = False


Steps = Generator[Step, Any, Any]
"""Yields steps and is sent what they led to: a receipt, or the ids of what a file held."""
