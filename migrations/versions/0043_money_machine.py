"""money machine."""

from marketplace.kernel.migrate import sql

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    sql("select 1")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
