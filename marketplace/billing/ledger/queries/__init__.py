"""Reads of the ledger: balances, statements, entries, the trial balance, and whether it is true.

Amounts of lines are signed, debit positive; balances are in the account's own sign, so that what
an SME has in its wallet is a positive number.
"""

from marketplace.billing.ledger.queries.accounts import (
    Account,
    AccountName,
    AccountSearch,
    Balance,
    OpenHold,
    TrialBalanceLine,
    account_by_id,
    account_id,
    accounts,
    balance,
    balances,
    balances_of,
    open_holds,
    trial_balance,
)
from marketplace.billing.ledger.queries.entries import (
    AccountStatement,
    EntryLine,
    EntrySearch,
    Period,
    PostedEntry,
    StatementLine,
    entries,
    entry_by_id,
    entry_lines,
    periods,
    statement,
    statement_of,
)
from marketplace.billing.ledger.queries.verification import verify
from marketplace.billing.ledger.rules.chart import AccountType, LedgerName
from marketplace.billing.ledger.rules.verification import Problem, VerifyReport

__all__ = [
    "Account",
    "AccountName",
    "AccountSearch",
    "AccountStatement",
    "AccountType",
    "Balance",
    "EntryLine",
    "EntrySearch",
    "LedgerName",
    "OpenHold",
    "Period",
    "PostedEntry",
    "Problem",
    "StatementLine",
    "TrialBalanceLine",
    "VerifyReport",
    "account_by_id",
    "account_id",
    "accounts",
    "balance",
    "balances",
    "balances_of",
    "entries",
    "entry_by_id",
    "entry_lines",
    "open_holds",
    "periods",
    "statement",
    "statement_of",
    "trial_balance",
    "verify",
]
