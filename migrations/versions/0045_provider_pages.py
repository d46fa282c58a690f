"""provider pages."""

from marketplace.kernel.migrate import sql

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    sql("select 1")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
