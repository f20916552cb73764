"""Communes and frameworks as people name them, with the nearest names where there is a slip."""

from __future__ import annotations

from difflib import get_close_matches

from cycle.aggregates.terms import FrameworkId
from cycle.reading import Place, PlaceAmbiguous, PlaceUnknown, Reader, plain
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
    if found.framework is None and not any(row.commune == found.commune for row in reader.frameworks()):
        raise Wrong("commune-without-framework", place=name)
    try:
        return reader.find_framework(name)
    except PlaceAmbiguous as error:
        raise _told_apart(reader, error) from None


def _near(reader: Reader, name: str) -> Wrong | None:
    names = {plain(row.name): row.name for row in reader.communes()}
    close = get_close_matches(plain(name), names, 3, 0.7)
    return Wrong("place-near", place=name, near=", ".join(names[each] for each in close)) if close else None


def _told_apart(reader: Reader, error: PlaceAmbiguous) -> PlaceAmbiguous:
    titles = {row.framework: f"{row.framework[-8:]} ({row.title})" for row in reader.frameworks()}
    return PlaceAmbiguous(str(error), [titles.get(each, each) for each in error.candidates])
