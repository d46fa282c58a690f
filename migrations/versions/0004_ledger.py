"""The tables of ledger."""

from marketplace.kernel.migrate import sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    sql("select 1")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
