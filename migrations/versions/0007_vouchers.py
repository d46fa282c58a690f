"""The tables of vouchers."""

from marketplace.kernel.migrate import sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    sql("select 1")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
