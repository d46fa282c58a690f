"""What placing an order refuses."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Malformed, Refused


class PartySuspended(Refused):
    """A suspended organisation neither orders nor serves."""

    code = "party-suspended"
    title = "One of the two organisations is suspended"


class InstrumentNotOffered(Conflict):
    """The instrument was withdrawn, disposed of, or is not shared with others."""

    code = "instrument-not-offered"
    title = "This instrument takes no orders"


class VoucherCoversLess(Conflict):
    """Since the quote the voucher's money or rules have changed; the buyer must agree anew."""

    code = "voucher-covers-less"
    title = "The voucher covers less than the quote said"


class WalletShort(Conflict):
    """The buyer's wallet has less than its own part of the order."""

    code = "wallet-short"
    title = "The wallet has not enough for the buyer's own part"


class ClausesIncomplete(Refused):
    """The contract lacks clauses that the policy requires before any service."""

    code = "clauses-incomplete"
    title = "The contract is incomplete"


class SampleSetMissing(Malformed):
    """An order for samples says what they are, whether they are dangerous, and where they go."""

    code = "sample-set-missing"
    title = "Describe the samples"


class ItemsNotFree(Conflict):
    """Not every item of the quote has its time; nothing was reserved."""

    code = "order-items-not-free"
    title = "Not every instrument can be reserved"
