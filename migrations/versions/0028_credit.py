"""Free of charge by approval, credit terms, reminders."""

from marketplace.kernel.migrate import sql

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    sql("select 1")
