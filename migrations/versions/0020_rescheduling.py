"""Orders that move to another time."""

from marketplace.kernel.migrate import sql

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    sql("select 1;")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
