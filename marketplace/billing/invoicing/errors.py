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


class InvoiceNumberRefused(Refused):
    """The number cannot be one of an electronic tax invoice."""

    code = "invoice-number"
    title = "Not the number of an electronic tax invoice"


class InvoiceRefused(Refused):
    """The invoice does not fit what was charged, or its day is to come."""

    code = "invoice-refused"
    title = "The invoice does not fit the order"


class OrderInvoiced(Conflict):
    """The order has its invoice."""

    code = "order-invoiced"
    title = "The order is invoiced already"
    constraint = "invoice_order"


class InvoiceNumberUsed(Conflict):
    """The number stands on another order: nothing is invoiced twice."""

    code = "invoice-number-used"
    title = "The invoice number is used already"
    constraint = "invoice_number"
