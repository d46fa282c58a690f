"""Instrument log readings, repairs of sessions, keys for campus systems."""

from marketplace.kernel.migrate import sql

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    sql("select 1;")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
