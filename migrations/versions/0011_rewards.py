"""The tables of rewards."""

from marketplace.kernel.migrate import sql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    sql("select 1")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
