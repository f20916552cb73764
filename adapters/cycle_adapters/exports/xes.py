"""XES (IEEE 1849): an event log of traces, one for each framework, or one for each of its cycles.

The facts of a framework alone are in it: a trace is what one of them went through, in the order of its stream.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import IO
from uuid import UUID
from xml.sax.saxutils import quoteattr

from cycle import __version__
from cycle.aggregates.framework.root import framework
from cycle.engine import stream_of
from cycle.exports.columns import Column, Kind
from cycle.exports.facts import Facts, Told
from cycle.exports.still import Still
from cycle.exports.trail import Trail
from cycle.leaf import rfc3339
from cycle.projections.frameworks import FrameworkRow
from cycle.projections.places import CommuneRow

HEAD = f"""<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016" xes.features="" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
<extension name="Identity" prefix="identity" uri="http://www.xes-standard.org/identity.xesext"/>
<global scope="trace">
<string key="concept:name" value=""/>
</global>
<global scope="event">
<string key="concept:name" value=""/>
<date key="time:timestamp" value="1970-01-01T00:00:00.000Z"/>
<string key="lifecycle:transition" value="complete"/>
</global>
<classifier name="Activity" scope="event" keys="concept:name"/>
<string key="concept:name" value="cycle"/>
<string key="lifecycle:model" value="standard"/>
<string key="cycle:release" value="{__version__}"/>
"""
OF_TRACE = tuple(
    Column(name, kind, source, "", "xes")
    for name, kind, source in (
        ("trace.concept:name", Kind.TEXT, "log.stream"),
        ("trace.cycle:framework", Kind.TEXT, "projection frameworks.framework"),
        ("trace.cycle:cycle", Kind.WHOLE, "log"),
        ("trace.cycle:title", Kind.TEXT, "projection frameworks.title"),
        ("trace.cycle:policy", Kind.TEXT, "projection frameworks.policy"),
        ("trace.cycle:commune", Kind.TEXT, "projection communes.code"),
        ("trace.cycle:region", Kind.TEXT, "projection communes.region"),
        ("trace.cycle:circle", Kind.TEXT, "projection communes.circle"),
    )
)
OF_EVENT = tuple(
    Column(name, kind, source, unit, "xes")
    for name, kind, source, unit in (
        ("event.concept:name", Kind.TEXT, "log.type", ""),
        ("event.time:timestamp", Kind.MOMENT, "log.occurred_on", "utc"),
        ("event.lifecycle:transition", Kind.TEXT, "xes", ""),
        ("event.identity:id", Kind.TEXT, "log.id", ""),
        ("event.org:role", Kind.TEXT, "log.role", ""),
        ("event.cycle:recorded_at", Kind.MOMENT, "log.recorded_at", "utc"),
        ("event.cycle:version", Kind.WHOLE, "log.version", ""),
        ("event.cycle:cycle", Kind.WHOLE, "log", ""),
        ("event.cycle:corrected", Kind.FLAG, "log", ""),
    )
)
OF_LOG = tuple(
    Column(name, Kind.TEXT, "xes", "", "xes")
    for name in ("log.concept:name", "log.lifecycle:model", "log.cycle:release")
)
COLUMNS = (*OF_LOG, *OF_TRACE, *OF_EVENT)
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""


def write(file: IO[bytes], at: Still, facts: Facts, *, by_cycle: bool) -> int:
    """Write every trace. Returns how many events there are."""
    file.write(HEAD.encode())
    places = {row.code: row for row in at.communes(at.cutoffs)}
    count = 0
    for row in at.each_of("frameworks"):
        assert isinstance(row, FrameworkRow)
        about = _about(row, places.get(row.commune))
        traces = _by_cycle(row, facts) if by_cycle else [(row.framework, None, _followed(row, facts))]
        for name, cycle, told in traces:
            file.write(_trace(name, row, cycle, about))
            for number, each in told:
                file.write(_event(each, number, facts))
                count += 1
            file.write(b"</trace>\n")
    file.write(b"</log>\n")
    return count


Followed = Iterator[tuple[int, Told]]


def _followed(row: FrameworkRow, facts: Facts) -> Followed:
    """The facts of a framework, each with its cycle."""
    trail = Trail()
    for told in facts.of(stream_of(framework, row.framework)):
        yield trail.follow(told.recorded), told


def _by_cycle(row: FrameworkRow, facts: Facts) -> Iterator[tuple[str, int | None, Sequence[tuple[int, Told]]]]:
    """The same cycle by cycle, which follow each other; 0 is what was before the first."""
    some: list[tuple[int, Told]] = []
    for number, told in _followed(row, facts):
        if some and some[-1][0] != number:
            yield f"{row.framework}/cycle-{some[-1][0]}", some[-1][0], some
            some = []
        some.append((number, told))
    if some:
        yield f"{row.framework}/cycle-{some[-1][0]}", some[-1][0], some


def _about(row: FrameworkRow, place: CommuneRow | None) -> str:
    """What is the same for every trace of a framework."""
    return (
        _string("cycle:framework", row.framework)
        + _string("cycle:title", row.title)
        + _string("cycle:policy", row.policy)
        + _string("cycle:commune", row.commune)
        + (_string("cycle:region", place.region) + _string("cycle:circle", place.circle) if place else "")
    )


def _trace(name: str, row: FrameworkRow, cycle: int | None, about: str) -> bytes:
    number = "" if cycle is None else _int("cycle:cycle", cycle)
    return f"<trace>\n{_string('concept:name', name)}{number}{about}".encode()


def _event(told: Told, cycle: int, facts: Facts) -> bytes:
    recorded = told.recorded
    return (
        "<event>\n"
        + _string("concept:name", recorded.type)
        + _date("time:timestamp", facts.noon(recorded.log, recorded.occurred_on))
        + _string("lifecycle:transition", "complete")
        + _identity(recorded.id)
        + _string("org:role", recorded.by.role.value)
        + _date("cycle:recorded_at", recorded.recorded_at)
        + _int("cycle:version", recorded.version)
        + _int("cycle:cycle", cycle)
        + f'<boolean key="cycle:corrected" value="{str(told.corrected).lower()}"/>\n'
        + "</event>\n"
    ).encode()


def _string(key: str, value: str) -> str:
    return f'<string key="{key}" value={quoteattr(_FORBIDDEN.sub(chr(0xFFFD), value))}/>\n'


def _int(key: str, value: int) -> str:
    return f'<int key="{key}" value="{value}"/>\n'


def _date(key: str, value: datetime) -> str:
    return f'<date key="{key}" value="{rfc3339(value)}"/>\n'


def _identity(identity: str) -> str:
    """An id of XES is a UUID; a log from elsewhere may have others."""
    try:
        UUID(identity)
    except ValueError:
        return _string("identity:id", identity)
    return f'<id key="identity:id" value="{identity}"/>\n'
