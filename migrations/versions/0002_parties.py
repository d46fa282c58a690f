"""The tables of parties."""

from marketplace.kernel.migrate import sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    sql("select 1")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
