"""The tables of reconciliation."""

from marketplace.kernel.migrate import sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    sql("select 1")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
