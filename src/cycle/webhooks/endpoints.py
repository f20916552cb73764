"""Webhooks of one engine, with their secrets: the fact through the one door, the secret sealed beside the log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from secrets import token_bytes
from threading import Lock
from typing import NamedTuple, cast

import msgspec

from cycle.access import READING, Forbidden
from cycle.aggregates.account import covers
from cycle.aggregates.base import PLATFORM, By, LogName, Recorded, Role
from cycle.aggregates.terms import WebhookId
from cycle.aggregates.webhook import (
    OVERLAP_HOURS,
    RegisterWebhook,
    RemoveWebhook,
    ReplayWebhook,
    RotateWebhookSecret,
    Webhook,
    WebhookRegistered,
    WebhookSecretRotated,
    WebhookStage,
    demand_tls,
    webhook,
)
from cycle.commands import Said, read_command
from cycle.engine import Engine
from cycle.failures import UNAVAILABLE, Failure
from cycle.settings import WEBHOOK_NETWORKS
from cycle.vault.shapes import WrappedKey
from cycle.watching import Done
from cycle.webhooks.shapes import KeptSecret, place
from cycle.webhooks.signing import new_secret, written

READS = READING["events"]
"""What a webhook's owner has to be allowed where an event belongs."""
SEES = (Role.ADMINISTRATOR, Role.AUDITOR)
"""Who sees the webhooks of others, in his territory."""
TYPES = tuple(sorted(event.type for event in webhook.events))


class NoWebhook(Failure):
    """None that the account sees is called so."""

    kind = "webhook"
    code = "webhook-unknown"


class CannotSign(Failure):
    """Nothing is kept that could sign: nothing is sent."""

    kind = "webhook"
    code = "webhook-cannot-sign"
    exit_code = UNAVAILABLE


class Secret(NamedTuple):
    """A webhook's secret as it is handed to its owner, and the receipt of the command that made it."""

    webhook: WebhookId
    secret: str
    done: Done

    def __repr__(self) -> str:
        return f"Secret({self.webhook})"


class Webhooks:
    """All webhooks, as the platform log says.

    Args:
        now: seconds since 1970.
        random_bytes: makes secrets.
    """

    def __init__(
        self,
        engine: Engine,
        now: Callable[[], float] = time.time,
        random_bytes: Callable[[int], bytes] = token_bytes,
    ) -> None:
        self.engine, self.now, self._random_bytes = engine, now, random_bytes
        self.store = engine.store.webhooks
        self._lock = Lock()
        self._known: Mapping[WebhookId, Webhook] = {}
        self._position = 0

    def refresh(self) -> Mapping[WebhookId, Webhook]:
        """All of them as they are now, the removed ones too."""
        with self._lock:
            known = dict(self._known)
            for position, topic, schema, leaf in self.engine.store.read(self._position, log=PLATFORM, types=TYPES):
                fact = self.engine.leaves[topic, schema](leaf)
                identity = WebhookId(fact.stream.partition("-")[2])
                known[identity] = webhook.fold(known.get(identity, webhook.initial), [fact])
                self._known, self._position = known, position
            return self._known

    def seen_by(self, actor: str) -> list[Webhook]:
        """Those that an account sees: its own, and those of others in its territory where it administers or audits.

        Raises:
            Forbidden: it holds no role that sees any.
        """
        engine = self.engine
        engine.act(actor, "list-webhooks", None)
        grants = [grant for grant in engine.door.now.grants(actor, engine.today()) if grant.role in SEES]
        return [
            each
            for each in self.refresh().values()
            if each.stage is not WebhookStage.REMOVED
            and (each.owner == actor or any(grant.covers(each.territory) for grant in grants))
        ]

    def find(self, actor: str, name: str) -> Webhook:
        """The webhook with this id, or with an id that ends so.

        Raises:
            NoWebhook: the account sees none, or several.
            Forbidden: it sees none at all.
        """
        found = [each for each in self.seen_by(actor) if each.id.endswith(name)]
        if len(found) != 1:
            raise NoWebhook("unknown" if not found else "several", id=name)
        return found[0]

    def say(
        self,
        actor: str,
        name: str,
        fields: Mapping[str, object],
        target: WebhookId | None = None,
        key: str | None = None,
        on: date | None = None,
    ) -> Done:
        """Say a command in the first role in which the account may.

        Raises:
            BadInput: a field does not have the declared shape.
            Refused: no right, or a rule.
        """
        command = read_command(name, msgspec.json.encode(fields))
        try:
            role = self.engine.door.role_of(actor, command, target)
        except Forbidden as forbidden:
            self.engine.door.note(None, forbidden)
            raise
        said = Said(command=command, by=By(actor, role), on=on or self.engine.today(), target=target, key=key)
        return self.engine.carry_out(said)

    def add(
        self,
        actor: str,
        url: str,
        types: Iterable[str] = (),
        territory: str = "/",
        after: int | None = None,
        key: str | None = None,
    ) -> Secret:
        """Register a webhook; without ``after`` it is sent what comes from now on.

        Sent again with its key it answers the same, the secret too.

        Raises:
            BadInput: it is no address, or a type is none.
            Refused: the address is none of https, no right there, or no such type.
            VaultError: there is no key to seal the secret with; nothing is recorded.
        """
        if not WEBHOOK_NETWORKS.given():
            demand_tls(url)
        self.engine.vault.outside_key  # noqa: B018 - asked for before anything is recorded
        before, on = self._before(key), self.engine.today()
        if before is not None and after is None:
            after, on = before.data.after, before.occurred_on
        if after is None:
            after = self.engine.store.head().position
        fields = {"url": url, "types": list(types), "territory": territory, "after": after}
        done = self.say(actor, RegisterWebhook.type, fields, key=key, on=on)
        identity = WebhookId(done.receipt.stream.partition("-")[2])
        return Secret(identity, self._kept(identity, 1, self.now()), done)

    def _before(self, key: str | None) -> Recorded[WebhookRegistered] | None:
        """What a key has registered before."""
        found = self.engine.store.receipt(key) if key else None
        fact = self.engine.fact(found[1].events[-1]) if found else None
        return cast("Recorded[WebhookRegistered]", fact) if fact and type(fact.data) is WebhookRegistered else None

    def rotate(
        self, actor: str, identity: WebhookId, overlap_hours: int = OVERLAP_HOURS, key: str | None = None
    ) -> Secret:
        """Have another secret sign; the one before it signs as well for some hours.

        Raises:
            Refused: no right to it, or there is no such webhook.
            VaultError: there is no key to seal the secret with; nothing is recorded.
        """
        self.engine.vault.outside_key  # noqa: B018 - asked for before anything is recorded
        done = self.say(actor, RotateWebhookSecret.type, {"overlap_hours": overlap_hours}, identity, key)
        fact = cast("WebhookSecretRotated", self.engine.fact(done.receipt.events[-1]).data)
        until = self.now() + fact.overlap_hours * 3_600
        return Secret(identity, self._kept(identity, fact.secret, until), done)

    def replay_event(self, actor: str, identity: WebhookId, event: str, key: str | None = None) -> Done:
        """Send one event again.

        Raises:
            NoWebhook: nothing is remembered of it.
            Refused: no right to it.
        """
        position = self.store.position_of(identity, event)
        if position is None:
            raise NoWebhook("no-such-event", id=event)
        return self.say(actor, ReplayWebhook.type, {"after": position - 1, "up_to": position}, identity, key)

    def remove(self, actor: str, identity: WebhookId, reason: str, key: str | None = None) -> Done:
        """Remove a webhook, with its secrets and all that waited."""
        done = self.say(actor, RemoveWebhook.type, {"reason": reason}, identity, key)
        self.store.forget(identity)
        return done

    def _kept(self, identity: WebhookId, number: int, old_until: float) -> str:
        """The secret of this number; a new one where none is kept: whoever was killed between fact and secret."""
        key = self.engine.vault.outside_key
        bare = WrappedKey(place(identity, number), PLATFORM, "", b"")
        sealed = key.wrapped(bare, new_secret(self._random_bytes), self._random_bytes)
        self.store.keep_secret(identity, KeptSecret(number, sealed, None), old_until)
        kept = next(each for each in self.store.secrets(identity) if each.number == number)
        return written(key.unwrapped(kept.sealed))

    def signing(self, identity: WebhookId) -> list[bytes]:
        """The secrets that sign now, the newest first.

        Raises:
            CannotSign: none is kept, as after a restore.
            VaultError: there is no key to open them with.
        """
        now = self.now()
        kept = [each for each in self.store.secrets(identity) if each.until is None or each.until > now]
        if not kept:
            raise CannotSign("no-secret", id=identity)
        return [self.engine.vault.outside_key.unwrapped(each.sealed) for each in kept]

    def is_for(self, state: Webhook, log: LogName) -> bool:
        """Whether the events of a log are what a webhook is for, as far as places go."""
        return covers(state.territory, self.engine.door.home(log)[0])

    def owner_reads(self, state: Webhook, log: LogName) -> bool:
        """Whether the owner of a webhook may read the events of a log, now."""
        door = self.engine.door
        path, zone = door.home(log)
        try:
            door.let(door.now, state.owner, READS, path, zone=zone)
        except Forbidden:
            return False
        return True
