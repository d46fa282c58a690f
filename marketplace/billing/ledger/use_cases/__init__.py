"""Everything that writes to the ledger. Each verb is one call of a database function.

Other domains take `Entry`, `Line`, `transfer`, `EntryKind` and `AccountType` from here.
"""

from marketplace.billing.ledger.rules.chart import AccountType, LedgerName
from marketplace.billing.ledger.rules.entries import Entry, Line, transfer
from marketplace.billing.ledger.rules.kinds import EntryKind
from marketplace.billing.ledger.use_cases.accounts import (
    CloseAccount,
    OpenAccount,
    close_account,
    open_account,
    open_accounts,
)
from marketplace.billing.ledger.use_cases.calls import Posted
from marketplace.billing.ledger.use_cases.holds import (
    PlaceHold,
    ReleaseHold,
    SettleHold,
    lapse_holds,
    place_hold,
    release_hold,
    settle_hold,
)
from marketplace.billing.ledger.use_cases.holds_many import settle_holds
from marketplace.billing.ledger.use_cases.periods import (
    ClosePeriod,
    ProposePeriod,
    close_period,
    propose_period,
    seal_entries,
)
from marketplace.billing.ledger.use_cases.posting import (
    ReverseEntry,
    post_entry,
    post_many,
    reverse_entry,
    reverse_what_another_made,
)
from marketplace.billing.ledger.use_cases.reopening import (
    ApproveReopening,
    ProposeReopening,
    approve_reopening,
    propose_reopening,
)

__all__ = [
    "AccountType",
    "ApproveReopening",
    "CloseAccount",
    "ClosePeriod",
    "Entry",
    "EntryKind",
    "LedgerName",
    "Line",
    "OpenAccount",
    "PlaceHold",
    "Posted",
    "ProposePeriod",
    "ProposeReopening",
    "ReleaseHold",
    "ReverseEntry",
    "SettleHold",
    "approve_reopening",
    "close_account",
    "close_period",
    "lapse_holds",
    "open_account",
    "open_accounts",
    "place_hold",
    "post_entry",
    "post_many",
    "propose_period",
    "propose_reopening",
    "release_hold",
    "reverse_entry",
    "reverse_what_another_made",
    "seal_entries",
    "settle_hold",
    "settle_holds",
    "transfer",
]
