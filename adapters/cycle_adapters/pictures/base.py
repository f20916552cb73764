"""What every drawing has, and the words of one language."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar, Generic, TypeVar

from cycle.catalogue import Language, shown, verbatim, word
from cycle.timings.estimators import Quantile, Ratio
from cycle.timings.pictures.all import Pictured, Shown
from cycle_adapters.pictures.sheet import Sheet

S = TypeVar("S", bound=Shown)


class Words:
    """The words of the pictures in one language; names that people gave stay as they are."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def say(self, key: str, **values: object) -> str:
        return verbatim(f"picture-word.{key}", self.language, **values)

    def title(self, key: str, **values: object) -> str:
        return verbatim(f"picture-title.{key}", self.language, **values)

    def number(self, value: int) -> str:
        return str(shown(value, self.language))

    def known(self, value: int | None) -> str | None:
        """A number for a place that is left out where there is none: nought is one."""
        return None if value is None else self.number(value)

    def days(self, days: int) -> str:
        return self.say("days", days=days)

    def word(self, value: str) -> str:
        """The word for a value of ours."""
        return word(value, self.language)

    def range(self, quantile: Quantile) -> str:
        """The interval of confidence of a median."""
        return self._range(quantile.lower, quantile.upper)

    def change(self, ratio: Ratio) -> str:
        lower, upper = (None if each is None else self._ratio(each) for each in (ratio.lower, ratio.upper))
        return self.say(
            "change",
            number=ratio.number,
            ratio=self._ratio(ratio.ratio),
            range=self._range(lower, upper),
            frameworks=ratio.frameworks,
        )

    def _ratio(self, ratio: float) -> str:
        return str(shown(Decimal(f"{ratio:.2f}"), self.language))

    def _range(self, lower: object, upper: object) -> str:
        if lower is None:
            return self.say("range-none")
        return self.say("range-open", lower=lower) if upper is None else self.say("range", lower=lower, upper=upper)


class Drawing(Generic[S]):
    """One picture in one language. Nobody sees it drawn who cannot also have it told."""

    shows: ClassVar[type[Shown]]

    def __init__(self, found: Pictured, shown: S, words: Words) -> None:
        self.found, self.shown, self.words = found, shown, words

    def title(self) -> str:
        """What the data say, in one sentence."""
        raise NotImplementedError

    def told(self) -> Iterator[str]:
        """The figures, in sentences."""
        raise NotImplementedError

    def draw(self, sheet: Sheet) -> None:
        """Draw below what there is on the sheet."""
        raise NotImplementedError
