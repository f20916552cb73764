"""What commands lead to: decided on what is known now, and not stored yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from msgspec import Raw
from msgspec.structs import replace

from cycle.access import Access
from cycle.aggregates.base import Event, Recorded, Refused, StreamId, VersionMoved
from cycle.aggregates.request import ActRequested, ConfirmRequest, Request, WithdrawRequest, request
from cycle.aggregates.terms import RequestId
from cycle.commands import BY_COMMAND, FOUNDING, BadInput, Said, read_command
from cycle.door import Door
from cycle.drafting import Decision, Envelope, log_of, target_of
from cycle.leaf import canonical
from cycle.lookup import Lookup, Sizes, State, stream_of
from cycle.repository import States


class Stale(Exception):  # noqa: N818
    """A state was older than the log."""


def about(said: Said, key: str) -> Envelope:
    return Envelope(said.by, said.on, said.command.type, key, said.correlation)


class Deciding:
    """Decides the commands of one engine.

    Args:
        states: what aggregates are at now; lookup: what a decision may know beside its own.
        door: who may say what.
        ids: makes ids of events and of new aggregates.
    """

    def __init__(self, states: States, lookup: Lookup, door: Door, ids: Callable[[], str]) -> None:
        self._states, self._lookup, self._door, self._ids = states, lookup, door, ids

    def decided(self, known: Access, said: Said, target: str, key: str, *, fresh: bool) -> tuple[list[Decision], Sizes]:
        """What a command leads to, stream by stream, and the logs that must not grow until it is stored.

        Raises:
            Refused: no right, or a rule.
            Stale: refused on a state that was cached and is old.
        """
        one, sizes = self._one(known, said, target, key, fresh=fresh)
        if said.command.seconds:
            return [self._request(one, said, target, key)], ()
        if not isinstance(said.command, ConfirmRequest | WithdrawRequest):
            return [one], sizes
        first = self._asked(known, cast("Request", one.state), said, fresh=fresh)
        if isinstance(said.command, WithdrawRequest):
            return [one], sizes
        try:
            # Decided now: who asked has the right to it today, too.
            asked, more = self._one(known, first, first.target or "", key, fresh=fresh, seconded_by=said.by.actor)
        except Refused:
            # Somebody else confirmed it between the two looks: that is the answer, not what came of it.
            if self._states.grown(one.stream, one.state):
                raise Stale from None
            raise
        return [one, asked], sizes + more

    def _one(
        self, known: Access, said: Said, target: str, key: str, *, fresh: bool, seconded_by: str = ""
    ) -> tuple[Decision, Sizes]:
        aggregate = BY_COMMAND[said.command.type]
        stream = stream_of(aggregate, target)
        founding = type(said.command) in FOUNDING
        look = fresh or self._states.is_shared(stream)
        state = aggregate.initial if founding else self._states.load(aggregate, stream, fresh=look)
        try:
            self._door.passes(known, said, state)
            if not self._states.as_seen(said, stream, state):
                raise VersionMoved(said.version or 0, state.version)
            beside, sizes = self._lookup.known(aggregate, state, said, target)
            beside = self._door.told(beside, known, said)
            if seconded_by:
                beside = replace(beside, seconded_by=seconded_by)
            facts = aggregate.decide(state, said.command, beside)
        except Refused:
            if not fresh and self._states.grown(stream, state):
                raise Stale from None
            raise
        events = about(said, key).drafts(stream, log_of(state, said), state.version, facts, self._ids)
        return Decision(aggregate, stream, state, events), sizes

    def _request(self, one: Decision, said: Said, target: str, key: str) -> Decision:
        """What a command that takes two leads to when the first one says it: it is asked for, and no more."""
        identity, log = RequestId(self._ids()), log_of(one.state, said)
        asked = ActRequested(
            identity,
            log,
            said.command.type,
            Raw(canonical(said.command)),
            target,
            said.by,
            self._door.today(self._door.home(log)[1]),
            said.late_record,
        )
        stream = stream_of(request, identity)
        return Decision(request, stream, request.initial, about(said, key).drafts(stream, log, 0, (asked,), self._ids))

    def _asked(self, known: Access, asked: Request, said: Said, *, fresh: bool) -> Said:
        """What was asked for, as it was said: whoever confirms or withdraws it has the right to it, too.

        Raises:
            Forbidden: he has not.
        """
        command = read_command(asked.act, asked.said)
        first = Said(
            command=command, by=asked.asked_by, on=asked.on, target=asked.target,
            correlation=said.correlation, late_record=asked.late_record,
        )  # fmt: skip
        aggregate = BY_COMMAND[command.type]
        state = self._states.load(aggregate, stream_of(aggregate, asked.target), fresh=fresh)
        self._door.passes(known, replace(first, by=said.by), state)
        return first

    def together(self, known: Access, saids: Sequence[Said], key: str) -> tuple[Recorded[Event], ...]:
        """What several commands lead to, one after the other, each on what those before it have led to.

        Raises:
            Refused: no right, or a rule.
            BadInput: one of them takes two people.
        """
        states: dict[StreamId, State] = {}
        events: list[Recorded[Event]] = []
        for said in saids:
            if said.command.seconds:
                raise BadInput(f"{said.command.type} takes two people: it is said on its own")
            aggregate = BY_COMMAND[said.command.type]
            target = target_of(said, self._ids) if said.target is None else said.target
            stream = stream_of(aggregate, target)
            state = states.get(stream) or self._states.load(aggregate, stream, fresh=True)
            self._door.passes(known, said, state)
            beside, _ = self._lookup.known(aggregate, state, said, target)
            facts = aggregate.decide(state, said.command, self._door.told(beside, known, said))
            drafted = about(said, key).drafts(stream, log_of(state, said), state.version, facts, self._ids)
            states[stream] = aggregate.fold(state, drafted)
            known = known.and_then(drafted)
            events += drafted
        return tuple(events)
