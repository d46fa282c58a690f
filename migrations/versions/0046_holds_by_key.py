"""Holds are found by their key, whatever the planner knew when a session first looked.

A session keeps the plan of a function's statement. Made while `hold` was all but empty, that plan
reads the table from end to end, and goes on doing so while the table grows, until the next
analysis. Everything these functions read, they read by a primary or a unique key.
"""

from marketplace.kernel.migrate import sql

revision = "0046"
down_revision = "0045"

BY_KEY = """
alter function ledger_hold(bigint, bigint, timestamptz, text, text, bigint, bigint, timestamptz)
  set enable_seqscan = off;
alter function ledger_settle_hold(bigint, bigint, bigint, text, date, text, text, bigint, bigint,
                                  text, timestamptz)
  set enable_seqscan = off;
alter function ledger_release_hold(bigint, bigint, timestamptz) set enable_seqscan = off;
"""


def upgrade() -> None:
    sql(BY_KEY)


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
