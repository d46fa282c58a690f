"""The tables of booking."""

from marketplace.kernel.migrate import sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    sql("select 1")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
