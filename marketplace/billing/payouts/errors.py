"""Refusals about bank accounts, payouts and batches."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Malformed, Missing, Refused


class BankAccountMissing(Missing):
    """No such bank account, or not one of yours."""

    code = "bank-account-not-found"
    title = "No such bank account"


class PayoutMissing(Missing):
    """No such payout, or not one of yours."""

    code = "payout-not-found"
    title = "No such payout"


class BatchMissing(Missing):
    """No such payout batch."""

    code = "payout-batch-not-found"
    title = "No such payout batch"


class OwnBankAccount(Refused):
    """The person who registered an account may not verify it."""

    code = "bank-account-self-verified"
    title = "Somebody else has to verify this account"
    constraint = "bank_account_two_persons"


class BankAccountVerifiedAlready(Conflict):
    """The organisation has a verified account; close it first."""

    code = "bank-account-one-verified"
    title = "Close the verified account before another one is verified"
    constraint = "bank_account_one_verified"


class BankAccountClosed(Conflict):
    """The account is closed."""

    code = "bank-account-closed"
    title = "This bank account is closed"


class PayoutInstructedAlready(Conflict):
    """What this payout is for is being paid, or was."""

    code = "payout-source-used"
    title = "This was instructed before"
    constraint = "payout_source"


class NothingToPay(Refused):
    """There is no payout that could go into a batch, or no balance to pay out."""

    code = "nothing-to-pay"
    title = "There is nothing to pay"


class OwnBatch(Refused):
    """The person who drafted a batch may not approve it."""

    code = "payout-batch-self-approved"
    title = "Somebody else has to approve this batch"
    constraint = "payout_batch_two_persons"


class BatchNotReady(Conflict):
    """The batch is not in the state that this step needs."""

    code = "payout-batch-state"
    title = "The batch cannot take this step now"


class BatchChanged(Conflict):
    """The payments behind a batch are not those that were approved."""

    code = "payout-batch-changed"
    title = "The batch is not what was approved"


class PayoutNotReady(Conflict):
    """The payout is not in the state that this step needs."""

    code = "payout-state"
    title = "The payout cannot take this step now"


class PayoutFixed(Conflict):
    """Payee, amount and source of a payout never change."""

    code = "payout-keeps-its-terms"
    title = "A payout keeps its terms"
    constraint = "payout_keeps_its_terms"


class PayoutWithdrawn(Conflict):
    """A withdrawn payout is never paid, and stays as it is."""

    code = "payout-withdrawn"
    title = "This payout was withdrawn"
    constraint = "payout_stays_withdrawn"


class LayoutIncomplete(Refused):
    """A payment file without these columns could not be paid, or not be told on the statement."""

    code = "payment-file-incomplete"
    title = "The payment file lacks columns"
    constraint = "house_account_columns"


class HouseAccountMissing(Missing):
    """No such account of the platform's own."""

    code = "house-account-not-found"
    title = "No such account of the platform"


class AboveApprovalLimit(Refused):
    """The file is over more than this person may draft or approve."""

    code = "payout-batch-above-limit"
    title = "More than you may approve in one file"


class RefundMissing(Missing):
    """No such refund, or not one of yours."""

    code = "wallet-refund-not-found"
    title = "No such refund"


class RefundUnpayable(Refused):
    """There is no verified bank account to pay the refund to."""

    code = "wallet-refund-unpayable"
    title = "There is no account to pay to"


class RefundNotReady(Conflict):
    """The refund was decided or withdrawn, or another one was asked for in the same moment."""

    code = "wallet-refund-state"
    title = "The refund cannot take this step now"
    constraint = "wallet_refund_hold_once"


class OwnRefund(Refused):
    """The person who asked for a refund may not decide it."""

    code = "wallet-refund-self-approved"
    title = "Somebody else has to decide this refund"
    constraint = "wallet_refund_two_persons"


class StatusReportMissing(Missing):
    """No such report of a bank."""

    code = "status-report-not-found"
    title = "No such status report"


class StatusReportUnreadable(Malformed):
    """The file is no status report, or says what nobody knows; nothing was taken from it."""

    code = "status-report-unreadable"
    title = "The status report cannot be read; nothing was taken from it"


class StatusReportUnfit(Refused):
    """The report speaks of payments that it cannot be about; nothing was taken from it."""

    code = "status-report-does-not-fit"
    title = "The report does not fit our payments; nothing was taken from it"


class StatusReportKnown(Conflict):
    """This very file was imported before."""

    code = "status-report-known"
    title = "This status report was imported before"
    constraint = "status_report_once"
