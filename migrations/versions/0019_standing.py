"""Quotas, qualifications, training, operators."""

from marketplace.kernel.migrate import sql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    sql("select 1;")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
