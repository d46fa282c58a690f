"""The tables of catalogue."""

from marketplace.kernel.migrate import sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    sql("select 1")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
