"""The SQL store: one log on SQLite or PostgreSQL, through the library's infrastructure factory."""

from __future__ import annotations

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    ProcessRecorder,
    TrackingRecorder,
)
from eventsourcing.utils import Environment, EnvType

from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder


class SqlFactory(InfrastructureFactory[TrackingRecorder]):
    """Made by the library from ``PERSISTENCE_MODULE``; reads ``CYCLE_DATABASE``."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        self._recorder = SqlRecorder(open_database(self.env.get("CYCLE_DATABASE") or "sqlite:///cycle.db"))

    def application_recorder(self) -> ApplicationRecorder:
        return self._recorder

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        raise NotImplementedError("states are folded from events; there are no snapshots")

    def tracking_recorder(self, tracking_recorder_class: type[TrackingRecorder] | None = None) -> TrackingRecorder:
        raise NotImplementedError("projections keep their own checkpoints")

    def process_recorder(self) -> ProcessRecorder:
        raise NotImplementedError("projections keep their own checkpoints")

    def close(self) -> None:
        self._recorder.close()
