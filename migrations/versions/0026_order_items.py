"""Several instruments and lines of one order."""

from marketplace.kernel.migrate import sql

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    sql("select 1")
