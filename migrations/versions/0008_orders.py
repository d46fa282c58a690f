"""The tables of orders."""

from marketplace.kernel.migrate import sql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    sql("select 1")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
