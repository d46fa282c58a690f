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
from marketplace.billing.ledger.queries.dated import (
    BalanceAsked,
    DatedBalance,
    DatedBy,
    Reopening,
    YearLine,
    balance_as_of,
    reopenings,
    year_of,
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
    "BalanceAsked",
    "DatedBalance",
    "DatedBy",
    "EntryLine",
    "EntrySearch",
    "LedgerName",
    "OpenHold",
    "Period",
    "PostedEntry",
    "Problem",
    "Reopening",
    "StatementLine",
    "TrialBalanceLine",
    "VerifyReport",
    "YearLine",
    "account_by_id",
    "account_id",
    "accounts",
    "balance",
    "balance_as_of",
    "balances",
    "balances_of",
    "entries",
    "entry_by_id",
    "entry_lines",
    "open_holds",
    "periods",
    "reopenings",
    "statement",
    "statement_of",
    "trial_balance",
    "verify",
    "year_of",
]
