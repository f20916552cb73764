"""The tables of the log. Migrations make them; this declaration is what the code reads and writes."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("stream", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("schema", SmallInteger, nullable=False),
    Column("log", Text, nullable=False),
    Column("log_index", BigInteger, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    UniqueConstraint("stream", "version", name="events_stream_version"),
    UniqueConstraint("log", "log_index", name="events_log_index"),
)
receipts = Table(
    "receipts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("first_position", BigInteger, nullable=False),
    Column("last_position", BigInteger, nullable=False),
)

vault_keys = Table(
    "vault_keys",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("log", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)
vault_openings = Table(
    "vault_openings",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("log", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("vault_openings_log", "log"),
)
vault_cleaning = Table("vault_cleaning", metadata, Column("stream", Text, primary_key=True))

# What accounts sign in with. No backup takes any of it: it would be tried at leisure, for years.
passwords = Table(
    "identity_passwords", metadata, Column("account", Text, primary_key=True), Column("encoded", Text, nullable=False)
)
factors = Table(
    "identity_factors",
    metadata,
    Column("account", Text, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
)
codes = Table(
    "identity_codes",
    metadata,
    Column("account", Text, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
)
sessions = Table(
    "identity_sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("account", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("stage", Text, nullable=False),
    Column("strong", Boolean, nullable=False),
    Column("begun", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Index("identity_sessions_account", "account"),
)
tokens = Table(
    "identity_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("used_on", Date),
)
invitations = Table(
    "identity_invitations",
    metadata,
    Column("account", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("expires", BigInteger, nullable=False),
)
links = Table(
    "identity_links",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("account", Text, nullable=False),
)
tries = Table(
    "identity_tries",
    metadata,
    Column("name", LargeBinary, primary_key=True),
    Column("failures", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
)

# Subscriptions. No backup takes any of it, either: secrets are rotated, and the log is read again.
webhook_secrets = Table(
    "webhook_secrets",
    metadata,
    Column("webhook", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("key_id", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("until", BigInteger),
)
queues = Table(
    "queues",
    metadata,
    Column("subscription", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("lease", BigInteger, nullable=False),
)
lanes = Table(
    "queue_lanes",
    metadata,
    Column("subscription", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("after", BigInteger, nullable=False),
    Column("up_to", BigInteger),
    Column("position", BigInteger, nullable=False),
)
deliveries = Table(
    "queue_deliveries",
    metadata,
    Column("subscription", Text, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("event", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("answers", Text, nullable=False),
    Column("settled", BigInteger, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("was", Text),
    Column("lease", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Index("queue_deliveries_stage", "subscription", "stage", "position"),
    Index("queue_deliveries_lease", "subscription", "lease"),
)
leases = Table(
    "queue_leases",
    metadata,
    Column("subscription", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("member", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("lost", BigInteger),
)


class Kept(NamedTuple):
    """A table that a backup holds beside the events, and the columns that put its rows in order."""

    table: Table
    order: tuple[Column[object], ...]


KEPT = {
    kept.table.name: kept
    for kept in (
        Kept(receipts, (receipts.c.first_position,)),
        Kept(vault_keys, (vault_keys.c.stream,)),
        Kept(vault_openings, (vault_openings.c.stream, vault_openings.c.field)),
    )
}
"""Whatever cannot be folded again from the events: one line for each table, of whole numbers, texts and bytes."""
