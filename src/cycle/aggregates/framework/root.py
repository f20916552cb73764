"""The framework aggregate: areas register here how they decide and evolve."""

from __future__ import annotations

from cycle.aggregates.base import Aggregate
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.known import Known

framework: Aggregate[Framework, Known] = Aggregate("framework", Framework())
