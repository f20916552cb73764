"""The vault: keys of people and openings of sealed fields. Unlike the log, these are changed and destroyed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "vault_keys",
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("log", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vault_openings",
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("field", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("log", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("vault_openings_log", "vault_openings", ["log"])
    # Whose key was destroyed, but may still stand in files of the database that are to be cleaned.
    op.create_table("vault_cleaning", sa.Column("stream", sa.Text, primary_key=True), sqlite_with_rowid=False)
