"""Who signs in: digests of passwords, sessions and tokens, sealed second factors, and counts of failures."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    def table(name: str, *columns: "sa.Column[object]") -> None:
        op.create_table(name, *columns, sqlite_with_rowid=False)

    def key(name: str, kind: "type[sa.Text | sa.LargeBinary]" = sa.Text) -> "sa.Column[object]":
        return sa.Column(name, kind, primary_key=True)

    def held(name: str, kind: "type[sa.Text | sa.LargeBinary | sa.BigInteger | sa.Boolean]") -> "sa.Column[object]":
        return sa.Column(name, kind, nullable=False)

    table("identity_passwords", key("account"), held("encoded", sa.Text))
    table(
        "identity_factors",
        key("account"),
        held("key_id", sa.Text),
        held("wrapped", sa.LargeBinary),
        held("since", sa.BigInteger),
        held("step", sa.BigInteger),
    )
    table("identity_codes", key("account"), key("digest", sa.LargeBinary))
    table(
        "identity_sessions",
        key("digest", sa.LargeBinary),
        held("account", sa.Text),
        held("since", sa.BigInteger),
        held("stage", sa.Text),
        held("strong", sa.Boolean),
        held("begun", sa.BigInteger),
        held("seen", sa.BigInteger),
    )
    op.create_index("identity_sessions_account", "identity_sessions", ["account"])
    table(
        "identity_tokens",
        key("id"),
        held("account", sa.Text),
        held("digest", sa.LargeBinary),
        sa.Column("used_on", sa.Date),
    )
    table("identity_invitations", key("account"), held("digest", sa.LargeBinary), held("expires", sa.BigInteger))
    table("identity_links", key("issuer"), key("subject"), held("account", sa.Text))
    table("identity_tries", key("name", sa.LargeBinary), held("failures", sa.BigInteger), held("last", sa.BigInteger))
