"""Versions, layers and limits of voucher programmes."""

from marketplace.kernel.migrate import sql

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    sql("select 1")
