"""Waiting, top-ups, withdrawal and combination of vouchers."""

from marketplace.kernel.migrate import sql

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    sql("select 1")
