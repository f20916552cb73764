"""Work that one process does at a time, whichever of them comes first: whoever dies lets go of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from enum import Enum
from typing import Protocol


class Work(Enum):
    """What is done by one process at a time."""

    DELIVERING = "delivering"
    """Sending to webhooks."""
    PUBLISHING = "publishing"
    """Handing events on to NATS."""
    FOLDING = "folding"
    """Keeping projections up: what two fold at once, one of them folds for nothing."""
    WATCHING = "watching"
    """Recording deadlines as they pass."""


class Turn(Protocol):
    """The right to do it."""

    def held(self) -> bool:
        """Whether it is held still: a lost connection to the database lets go of it."""


class Turns(ABC):
    """The rights of one database."""

    @abstractmethod
    def turn(self, work: Work) -> AbstractContextManager[Turn | None]:
        """The right to some work until the end of the block; None: another process has it."""

    @abstractmethod
    def is_held(self, work: Work) -> bool:
        """Whether some process has the right now: asked without taking it from anybody."""


class Stop(Protocol):
    """Whoever works asks it between two pieces of work."""

    def is_set(self) -> bool:
        """Whether to stop."""
