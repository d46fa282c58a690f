"""${message}."""

from marketplace.kernel.migrate import sql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    sql(
        """
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
