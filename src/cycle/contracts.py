"""What events hold, for other systems: the JSON Schema of the ``data`` of each type and schema, frozen as a file.

A file is written once, when its type or schema is new (``make docs``), and never again: ``dataschema`` of an event
that was recorded points to it for ever. What changes the meaning of ``data`` is a new schema, with an upcast.
Source: JSON Schema 2020-12.
"""

from __future__ import annotations

from typing import Any

from cycle.aggregates import commune, deliberation, disclosure, organisation, person, rulebook
from cycle.aggregates.base import EVENTS
from cycle.aggregates.framework import table

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_WHERE_EVENTS_ARE = (commune, deliberation, disclosure, organisation, person, rulebook, table)
"""Importing these makes every type of event known."""
_FILE = "{type}.v{schema}.json"
Schema = dict[str, Any]

TYPES = tuple(sorted(EVENTS))
"""Every type of event that this release knows."""
