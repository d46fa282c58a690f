"""budget versions."""

from marketplace.kernel.migrate import sql

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    sql("select 1")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
