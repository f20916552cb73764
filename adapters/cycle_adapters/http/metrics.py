"""What Prometheus may count here. Labels are names that the programme declares: never what somebody sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from cycle.engine import Engine, utc_now
from cycle.failures import Failure
from cycle.fanout.handing import Lag
from cycle.groups.known import Groups
from cycle.projections.runner import Runner
from cycle.sealing import LastSeal
from cycle.store import Unavailable
from cycle.subscriptions.known import Subscriptions
from cycle.subscriptions.lag import lag_of
from cycle.watching import Ending, Outcome
from cycle.webhooks.endpoints import Webhooks

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
SAVES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The figures of one process; those of the log are looked up when they are asked for."""

    def __init__(
        self,
        engine: Engine,
        runner: Runner,
        last_seal: Callable[[], LastSeal],
        sessions: Callable[[], int] | None = None,
        fanned: Callable[[], Lag | None] = lambda: None,
        followers: Callable[[], int] = int,
    ) -> None:
        """``sessions``: how many are open; None where nobody signs in. ``fanned``: how far NATS is behind.

        ``followers``: how many requests follow the log.
        """
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(_LookedUp(engine, runner, last_seal, sessions))
        registry.register(_HandedOn(fanned))
        registry.register(_Subscribed(engine))
        followed = Gauge("cycle_followers", "Requests that follow the log now", registry=registry)
        followed.set_function(followers)
        self._commands = Counter("cycle_commands", "Commands", ["command", "outcome"], registry=registry)
        self._command_seconds = Histogram(
            "cycle_command_seconds", "How long commands took", ["command"], buckets=SECONDS, registry=registry
        )
        self._refused = Counter("cycle_attempts_refused", "Attempts without the right to it", registry=registry)
        self._events = Counter("cycle_events_appended", "Events that this process appended", registry=registry)
        self._saves = Histogram(
            "cycle_group_saves", "Saves that were committed together", buckets=SAVES, registry=registry
        )
        self._requests = Counter("cycle_http_requests", "Requests", ["method", "route", "status"], registry=registry)
        self._request_seconds = Histogram(
            "cycle_http_request_seconds",
            "How long requests took, beside following the log",
            ["route"],
            buckets=SECONDS,
            registry=registry,
        )
        engine.watchers.append(self.command)
        engine.store.grouped = self.group

    def command(self, outcome: Outcome) -> None:
        """A watcher of the engine."""
        self._commands.labels(outcome.command, outcome.ending.value).inc()
        self._command_seconds.labels(outcome.command).observe(outcome.seconds)
        if outcome.ending is Ending.FORBIDDEN:
            self._refused.inc()

    def group(self, saves: int, events: int) -> None:
        """Told by the store of every group."""
        self._saves.observe(saves)
        self._events.inc(events)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All of it as Prometheus reads it."""
        return generate_latest(self._registry)


class _LookedUp(Collector):
    def __init__(
        self,
        engine: Engine,
        runner: Runner,
        last_seal: Callable[[], LastSeal],
        sessions: Callable[[], int] | None,
    ) -> None:
        self._engine, self._runner, self._last_seal, self._sessions = engine, runner, last_seal, sessions

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing is asked of the database to find out what can be."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            head = self._engine.store.head().position
            positions, problems = self._runner.positions(), self._runner.problems()
            open_sessions = self._sessions() if self._sessions else None
        except Unavailable:
            yield GaugeMetricFamily("cycle_database_up", "Whether the database answers", 0)
        else:
            yield GaugeMetricFamily("cycle_database_up", "Whether the database answers", 1)
            yield GaugeMetricFamily("cycle_log_position", "The last position of the log", head)
            lag = GaugeMetricFamily("cycle_projection_lag_positions", "Positions not folded yet", labels=["projection"])
            stopped = GaugeMetricFamily("cycle_projection_stopped", "Whether it has stopped", labels=["projection"])
            for name, position in positions.items():
                lag.add_metric([name], head - position)
                stopped.add_metric([name], name in problems)
            yield from (lag, stopped)
            if open_sessions is not None:
                yield GaugeMetricFamily("cycle_sessions", "Open sessions", open_sessions)
        last = self._last_seal()
        yield GaugeMetricFamily("cycle_seal_refused", "Whether the sealer refuses to sign", last.refused)
        if last.when is not None:
            age = (utc_now() - last.when).total_seconds()
            yield GaugeMetricFamily("cycle_seal_age_seconds", "Since the registry was last signed", age)


class _HandedOn(Collector):
    """What is asked of NATS; nothing where none is named."""

    def __init__(self, fanned: Callable[[], Lag | None]) -> None:
        self._fanned = fanned

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing is asked to find out what can be."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            lag = self._fanned()
        except (Failure, Unavailable):
            yield GaugeMetricFamily("cycle_nats_up", "Whether NATS answers, with the stream", 0)
            return
        if lag is not None:
            yield GaugeMetricFamily("cycle_nats_up", "Whether NATS answers, with the stream", 1)
            yield GaugeMetricFamily("cycle_nats_position", "The last position of the stream", lag.position)
            yield GaugeMetricFamily("cycle_nats_lag_events", "Events that the stream does not have yet", lag.events)
            yield GaugeMetricFamily("cycle_nats_lag_seconds", "How long the first of them has waited", lag.seconds)


class _Subscribed(Collector):
    """How far behind webhooks and consumer groups are, by their ids."""

    def __init__(self, engine: Engine) -> None:
        self._kinds: tuple[tuple[str, Subscriptions[Any]], ...] = (
            ("webhook", Webhooks(engine)), ("group", Groups(engine)),
        )  # fmt: skip

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing is asked of the database to find out what can be."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        labels = ["kind", "subscription"]
        events = GaugeMetricFamily("cycle_subscription_lag_events", "Events wanted and not settled", labels=labels)
        seconds = GaugeMetricFamily("cycle_subscription_lag_seconds", "Age of the oldest of them", labels=labels)
        # That the database does not answer is told beside.
        with suppress(Unavailable):
            for kind, known in self._kinds:
                for each in known.live():
                    lag = lag_of(known, each)
                    events.add_metric([kind, each.id], lag.events)
                    seconds.add_metric([kind, each.id], lag.seconds)
        yield from (events, seconds)
