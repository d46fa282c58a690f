"""The tables of payouts."""

from marketplace.kernel.migrate import sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    sql("select 1")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
