"""What invoicing refuses."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Missing, Refused


class ChargeMissing(Missing):
    """The order has not been settled: nothing was charged yet."""

    code = "charge-missing"
    title = "Nothing was charged for this order"


class OrderCharged(Conflict):
    """The order was charged before; a correction is a credit."""

    code = "order-charged"
    title = "The order is charged already"
    constraint = "charge_line_order"


class MoveFeeCharged(Conflict):
    """The fees for moving an order were charged before; a correction is a credit."""

    code = "move-fee-charged"
    title = "The fee for moving is charged already"
    constraint = "charge_line_move_fee"


class CreditTooLarge(Refused):
    """A correction would give back more than was charged."""

    code = "credit-too-large"
    title = "More would be credited than was charged"
    constraint = "charge_line_reversed_within"


class InvoiceNumberRefused(Refused):
    """The number cannot be one of an electronic tax invoice."""

    code = "invoice-number"
    title = "Not the number of an electronic tax invoice"


class InvoiceRefused(Refused):
    """The invoice does not fit what was charged, or its day is to come."""

    code = "invoice-refused"
    title = "The invoice does not fit the order"


class OrderInvoiced(Conflict):
    """More would be invoiced than stands charged: take the earlier invoice back first."""

    code = "order-invoiced"
    title = "The order is invoiced already"
    constraint = "invoice_within_charge"


class RedAboveBlue(Conflict):
    """A red invoice takes back no more than is left of the one that it reverses."""

    code = "invoice-red-above-blue"
    title = "More would be taken back than is invoiced"
    constraint = "invoice_red_within"


class InvoiceMissing(Missing):
    """There is no such invoice."""

    code = "invoice-missing"
    title = "No such invoice"


class InvoiceFileUnreadable(Refused):
    """The file is no electronic tax invoice in XML, or parts of one are missing."""

    code = "invoice-file-unreadable"
    title = "Not an electronic tax invoice"


class InvoiceFileUsed(Conflict):
    """The same file was recorded before."""

    code = "invoice-file-used"
    title = "This file is recorded already"
    constraint = "invoice_file_content_once"


class RevenueNotedAtOnce(Conflict):
    """How the provider books its income was noted for the same day before."""

    code = "revenue-noted-twice"
    title = "Noted for this day already"
    constraint = "provider_revenue_pkey"


class InvoiceNumberUsed(Conflict):
    """The number stands on another order: nothing is invoiced twice."""

    code = "invoice-number-used"
    title = "The invoice number is used already"
    constraint = "invoice_number"


class YearNotOver(Conflict):
    """A year is settled once it has ended."""

    code = "year-not-over"
    title = "The year has not ended"
