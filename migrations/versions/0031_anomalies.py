"""Findings with evidence and their decisions."""

from marketplace.kernel.migrate import sql

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    sql("select 1")
