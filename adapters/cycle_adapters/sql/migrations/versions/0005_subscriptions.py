"""Subscriptions: sealed secrets of webhooks, how far each stretch of the log came, and what waits."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    def held(name: str, kind: "type[sa.Text | sa.LargeBinary | sa.BigInteger | sa.Integer]") -> "sa.Column[object]":
        return sa.Column(name, kind, nullable=False)

    op.create_table(
        "webhook_secrets",
        sa.Column("webhook", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        held("key_id", sa.Text),
        held("wrapped", sa.LargeBinary),
        sa.Column("until", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "queues",
        sa.Column("subscription", sa.Text, primary_key=True),
        held("version", sa.Integer),
        held("held", sa.BigInteger),
        held("lease", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "queue_lanes",
        sa.Column("subscription", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        held("after", sa.BigInteger),
        sa.Column("up_to", sa.BigInteger),
        held("position", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "queue_deliveries",
        sa.Column("subscription", sa.Text, primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        held("event", sa.Text),
        held("stream", sa.Text),
        held("stage", sa.Text),
        held("attempts", sa.Integer),
        held("due", sa.BigInteger),
        held("answers", sa.Text),
        held("settled", sa.BigInteger),
        held("lane", sa.Integer),
        sa.Column("was", sa.Text),
        held("lease", sa.BigInteger),
        held("until", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_index("queue_deliveries_stage", "queue_deliveries", ["subscription", "stage", "position"])
    op.create_index("queue_deliveries_lease", "queue_deliveries", ["subscription", "lease"])
    op.create_table(
        "queue_leases",
        sa.Column("subscription", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        held("member", sa.Text),
        held("until", sa.BigInteger),
        sa.Column("lost", sa.BigInteger),
        sqlite_with_rowid=False,
    )
