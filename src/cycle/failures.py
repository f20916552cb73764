"""How anything fails before a person: an exit code, a stable code, words in both languages."""

from __future__ import annotations

from typing import ClassVar, NamedTuple, Self

from cycle.catalogue import Language, template, verbatim

REFUSED, USAGE, CONFLICT, UNAVAILABLE = 1, 2, 3, 4
"""Exit codes: a rule or check said no, wrong usage, somebody else was quicker, not now."""


class Told(NamedTuple):
    """How an error is told."""

    exit_code: int
    code: str
    text: str
    reasons: list[dict[str, object]] | None = None


class Failure(Exception):  # noqa: N818
    """A failure told by the catalogue: ``<kind>.<cause>``, filled with ``values``.

    A value may be a failure itself, the reason for this one; ``subject`` is what it is about, such
    as a file. A subclass says its ``kind``, its ``code`` for programs and its ``exit_code``.
    """

    kind: ClassVar[str]
    code: ClassVar[str] = "bad-input"
    exit_code: ClassVar[int] = USAGE

    def __init__(self, cause: str, /, **values: object) -> None:
        super().__init__(cause, values)
        self.cause, self.values = cause, values
        self.subject = ""

    def about(self, subject: object) -> Self:
        """This failure, saying what it is about."""
        self.subject = str(subject)
        return self

    def told(self, language: Language) -> str:
        """What is wrong, where, and what to do."""
        values = {name: v.told(language) if isinstance(v, Failure) else v for name, v in self.values.items()}
        words = verbatim(f"{self.kind}.{self.cause}", language, **values)
        if not self.subject:
            return words
        return template("message.pair", language).format(label=self.subject, value=words)

    def reasons(self, language: Language) -> list[dict[str, object]] | None:
        """What programs want to know beside the text."""
        return None

    def __str__(self) -> str:
        return self.told("en")
