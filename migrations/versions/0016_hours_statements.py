"""Frozen monthly statements of machine-hours."""

from marketplace.kernel.migrate import sql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    sql("select 1;")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
