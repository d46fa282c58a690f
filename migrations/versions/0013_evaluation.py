"""The tables of evaluation."""

from marketplace.kernel.migrate import sql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    sql("select 1")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
