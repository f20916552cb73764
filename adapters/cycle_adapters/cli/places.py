"""Communes and frameworks as people name them, with the nearest names where there is a slip."""

from __future__ import annotations

from difflib import get_close_matches

from cycle.aggregates.terms import FrameworkId
from cycle.history import Cutoffs
from cycle.reading import Filters, Place, PlaceAmbiguous, PlaceUnknown, Reader, plain
from cycle_adapters.cli.wording import Wrong


def place_at(reader: Reader, name: str) -> Place:
    """A commune or framework.

    Raises:
        PlaceUnknown, PlaceAmbiguous, Wrong: with what to name instead.
    """
    try:
        return reader.find(name)
    except PlaceUnknown:
        raise (_near(reader, name) or PlaceUnknown(name)) from None
    except PlaceAmbiguous as error:
        raise _told_apart(reader, error) from None


def framework_at(reader: Reader, name: str) -> FrameworkId:
    """A framework, by its id or by the commune that has only one.

    Raises:
        PlaceUnknown, PlaceAmbiguous, Wrong: with what to name instead.
    """
    found = place_at(reader, name)
    if found.framework is None and not reader.rows("frameworks", Filters(commune=found.commune)):
        raise Wrong("commune-without-framework", place=name)
    try:
        return reader.find_framework(name)
    except PlaceAmbiguous as error:
        raise _told_apart(reader, error) from None


def filters_at(
    reader: Reader,
    cutoffs: Cutoffs,
    framework: str | None,
    commune: str | None,
    circle: str | None,
    region: str | None,
    sector: str | None,
) -> Filters:
    """What a list is narrowed to, by names as they were typed; a commune may be named by one of its frameworks.

    Raises:
        PlaceUnknown, PlaceAmbiguous, Wrong: with what to name instead.
    """
    found = place_at(reader, commune) if commune else None
    chosen = framework_at(reader, framework) if framework else (found.framework if found else None)
    filters = Filters(found.commune if found else None, chosen, circle, region, sector)
    known_areas(reader, filters, cutoffs)
    return filters


def known_areas(reader: Reader, filters: Filters, cutoffs: Cutoffs) -> None:
    """Let filters pass that name something that there is, now or inside the cut-offs.

    Raises:
        Wrong: no such circle, region or sector, with the near ones.
    """
    places = [*reader.communes(), *reader.communes(cutoffs)]
    frameworks = [*reader.frameworks(), *reader.frameworks(cutoffs)]
    known = {
        "circle": {row.circle for row in places},
        "region": {row.region for row in places},
        "sector": {sector for row in frameworks for sector in row.sectors},
    }
    for kind, names in known.items():
        name = getattr(filters, kind)
        same = str if kind == "sector" else plain
        if name is not None and same(name) not in map(same, names):
            close = get_close_matches(plain(name), map(plain, names), 3, 0.6)
            near = [each for each in sorted(names) if plain(each) in close] or sorted(names)
            raise Wrong(f"{kind}-unknown", name=name, near=", ".join(near) or "cycle show frameworks")


def _near(reader: Reader, name: str) -> Wrong | None:
    names = {plain(row.name): row.name for row in reader.communes()}
    close = get_close_matches(plain(name), names, 3, 0.7)
    return Wrong("place-near", place=name, near=", ".join(names[each] for each in close)) if close else None


def _told_apart(reader: Reader, error: PlaceAmbiguous) -> PlaceAmbiguous:
    titles = {row.framework: f"{row.framework[-8:]} ({row.title})" for row in reader.frameworks()}
    return PlaceAmbiguous(str(error), [titles.get(each, each) for each in error.candidates])
