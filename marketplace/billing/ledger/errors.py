"""What the ledger refuses. The database decides; the constraint says which refusal it was."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Missing, Refused


class AccountMissing(Missing):
    """There is no such account."""

    code = "account-missing"
    title = "No such account"
    constraint = "ledger_account_missing"


class EntryMissing(Missing):
    """There is no such journal entry."""

    code = "entry-missing"
    title = "No such journal entry"
    constraint = "ledger_entry_missing"


class HoldMissing(Missing):
    """There is no such hold."""

    code = "hold-missing"
    title = "No such hold"
    constraint = "ledger_hold_missing"


class PeriodMissing(Missing):
    """There is no such period."""

    code = "period-missing"
    title = "No such period"


class InsufficientFunds(Conflict):
    """The account has less available than was asked: its balance, less what is held."""

    code = "insufficient-funds"
    title = "Not enough money available"
    constraint = "account_min_available"


class BalanceTooHigh(Conflict):
    """The account may not hold that much."""

    code = "balance-too-high"
    title = "The account may not hold that much"
    constraint = "account_max_balance"


class AccountClosed(Conflict):
    """The account is closed, or is to be closed while money lies on it."""

    code = "account-closed"
    title = "The account is closed, or not empty yet"
    constraint = "account_closed"


class PeriodClosed(Conflict):
    """The entry's day lies in a period that two persons have closed."""

    code = "period-closed"
    title = "The books of that day are closed"
    constraint = "ledger_period_open"


class PeriodOverlaps(Conflict):
    """Part of the period is in another one already."""

    code = "period-overlaps"
    title = "Another period has some of these days"
    constraint = "period_no_overlap"


class PeriodNotOver(Refused):
    """Only days that have passed can be closed."""

    code = "period-not-over"
    title = "The period is not over"


class PeriodNotClosed(Conflict):
    """Only a closed period is opened again."""

    code = "period-not-closed"
    title = "The period is open"


class ReopenLatestFirst(Conflict):
    """A later period rests on this one: periods are opened again from the latest back."""

    code = "reopen-latest-first"
    title = "A later period is closed"
    constraint = "period_reopened_latest_first"


class ReopeningProposed(Conflict):
    """Somebody has asked for it, and another person has not agreed yet."""

    code = "reopening-proposed"
    title = "The reopening is proposed already"
    constraint = "period_reopening_once"


class ReopeningMissing(Missing):
    """Nobody asked for such a reopening."""

    code = "reopening-missing"
    title = "No such reopening"


class ReopeningDecided(Conflict):
    """The reopening was approved before."""

    code = "reopening-decided"
    title = "The period was opened before"


class EntryUnbalanced(Refused):
    """Debits and credits differ, or there are fewer than two lines."""

    code = "entry-unbalanced"
    title = "Debits and credits differ"
    constraint = "ledger_entry_balanced"


class LedgersMixed(Refused):
    """An entry has lines in the cash ledger and in the voucher ledger."""

    code = "ledgers-mixed"
    title = "An entry stays within one ledger"
    constraint = "ledger_one_ledger"


class EntryReversed(Conflict):
    """The entry was reversed before; an entry is reversed once."""

    code = "entry-reversed"
    title = "The entry is already reversed"
    constraint = "entry_reversed_once"


class ReversalFinal(Conflict):
    """A reversal is not reversed: what was right after all is posted anew."""

    code = "reversal-final"
    title = "A reversal is not reversed"
    constraint = "ledger_reversal_final"


class SelfApproval(Refused):
    """Nobody approves, or reverses as a checker, what they made."""

    code = "self-approval"
    title = "Another person must do this"
    constraint = "entry_approved_by_another"


class HoldOver(Conflict):
    """The hold ran out of time before it was settled."""

    code = "hold-over"
    title = "The hold has run out"
    constraint = "ledger_hold_over"


class HoldResolved(Conflict):
    """The hold was settled or released before."""

    code = "hold-resolved"
    title = "The hold is already settled or released"
    constraint = "ledger_hold_resolved"


class HoldExceeded(Refused):
    """More was to be settled than was held."""

    code = "hold-exceeded"
    title = "More than was held"
    constraint = "hold_end_within_hold"


class KeyReusedForOtherEntry(Refused):
    """The key belongs to an entry or a hold that asked for something else."""

    code = "entry-key-reused"
    title = "The key belongs to another entry"
    constraint = "ledger_key_reused"


class VerificationRunning(Conflict):
    """Somebody is verifying the ledger; one at a time is enough."""

    code = "verification-running"
    title = "A verification is running"
