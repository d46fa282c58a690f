"""The tables of pricing."""

from marketplace.kernel.migrate import sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    sql("select 1")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
