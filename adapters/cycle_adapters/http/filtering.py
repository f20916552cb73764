"""What a list is narrowed to, as an address says it."""

from __future__ import annotations

from msgspec import Struct

from cycle.reading import Filters, Reader
from cycle_adapters.http.parameters import Place


class Asked(Struct, frozen=True):
    """Names as they were typed."""

    commune: str | None = None
    circle: str | None = None
    region: str | None = None
    sector: str | None = None
    framework: str | None = None

    @property
    def named(self) -> str | None:
        """What it is called after; nothing where it is everything."""
        return self.framework or self.commune or self.circle or self.region

    def filters(self, reader: Reader) -> Filters:
        """What was meant.

        Raises:
            PlaceUnknown, PlaceAmbiguous: with what to name instead.
        """
        commune = reader.find(self.commune).commune if self.commune else None
        framework = reader.find_framework(self.framework) if self.framework else None
        return Filters(commune, framework, self.circle, self.region, self.sector)


def of_places(commune: Place | None = None, circle: Place | None = None, region: Place | None = None) -> Asked:
    """Of a list about communes and who is in them."""
    return Asked(commune, circle, region)


def of_frameworks(
    commune: Place | None = None,
    circle: Place | None = None,
    region: Place | None = None,
    sector: Place | None = None,
    framework: Place | None = None,
) -> Asked:
    """Of a list about frameworks."""
    return Asked(commune, circle, region, sector, framework)
