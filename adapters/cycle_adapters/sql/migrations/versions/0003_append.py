"""PostgreSQL: the function that appends takes a group of saves as one document."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"

APPLICATION_ID = 0x4379_636C


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    op.execute("DROP FUNCTION cycle_append")
    append = (Path(__file__).parent / "0003_append.sql").read_text("utf-8").replace("{lock}", str(APPLICATION_ID))
    op.get_bind().exec_driver_sql(append.replace("%", "%%"))
