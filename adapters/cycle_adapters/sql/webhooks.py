"""What is kept for webhooks alone: the sealed secrets that sign what is sent."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, or_, select, update

from cycle.aggregates.base import PLATFORM
from cycle.aggregates.terms import WebhookId
from cycle.vault.shapes import WrappedKey
from cycle.webhooks.shapes import KeptSecret, WebhookStore, place
from cycle_adapters.sql.beside import SqlBeside
from cycle_adapters.sql.queues import inserted, milliseconds
from cycle_adapters.sql.schema import webhook_secrets


class SqlWebhooks(SqlBeside, WebhookStore):
    """What is kept of webhooks, on either database."""

    def keep_secret(self, webhook: WebhookId, secret: KeptSecret, old_until: float) -> None:
        values = {
            "webhook": webhook,
            "number": secret.number,
            "key_id": secret.sealed.key_id,
            "wrapped": secret.sealed.wrapped,
            "until": None,
        }
        before = (webhook_secrets.c.webhook == webhook) & (webhook_secrets.c.number < secret.number)
        earlier = or_(webhook_secrets.c.until.is_(None), webhook_secrets.c.until > milliseconds(old_until))
        with self._writing() as connection:
            made = inserted(connection, webhook_secrets).values(values)
            kept = connection.execute(made.on_conflict_do_nothing()).rowcount
            if kept:
                ends = update(webhook_secrets).where(before, earlier).values(until=milliseconds(old_until))
                connection.execute(ends)

    def secrets(self, webhook: WebhookId) -> Sequence[KeptSecret]:
        query = select(*webhook_secrets.c).where(webhook_secrets.c.webhook == webhook)
        with self._reading() as connection:
            found = connection.execute(query.order_by(webhook_secrets.c.number.desc())).all()
        return [
            KeptSecret(
                row.number,
                WrappedKey(place(webhook, row.number), PLATFORM, row.key_id, bytes(row.wrapped)),
                None if row.until is None else row.until / 1000,
            )
            for row in found
        ]

    def forget(self, webhook: WebhookId) -> None:
        with self._writing() as connection:
            connection.execute(delete(webhook_secrets).where(webhook_secrets.c.webhook == webhook))

    def sweep(self, before: float) -> None:
        with self._writing() as connection:
            connection.execute(delete(webhook_secrets).where(webhook_secrets.c.until < milliseconds(before)))
