"""The tables of invoicing."""

from marketplace.kernel.migrate import sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    sql("select 1")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
