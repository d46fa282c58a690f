"""Waitlist, strikes, suspensions."""

from marketplace.kernel.migrate import sql

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    sql("select 1;")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
