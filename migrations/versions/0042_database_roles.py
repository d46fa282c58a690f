"""database roles."""

from marketplace.kernel.migrate import sql

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    sql("select 1")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
