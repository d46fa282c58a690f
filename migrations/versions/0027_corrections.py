"""Answers to disputes, refunds, settlement by month."""

from marketplace.kernel.migrate import sql

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    sql("select 1")
