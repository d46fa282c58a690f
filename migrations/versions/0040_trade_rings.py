"""trade rings."""

from marketplace.kernel.migrate import sql

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    sql("select 1")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
