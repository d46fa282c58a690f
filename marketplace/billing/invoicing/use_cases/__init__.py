"""What can be done with charges and invoices: one topic a file."""

from marketplace.billing.invoicing.rules.einvoice import Party
from marketplace.billing.invoicing.rules.states import ChargeKind
from marketplace.billing.invoicing.use_cases.charges import (
    CreditCharge,
    RecordCharge,
    credit_charge,
    record_charge,
    record_charges,
)
from marketplace.billing.invoicing.use_cases.credits import (
    CreditOrder,
    credit_order,
    standing_charge,
)
from marketplace.billing.invoicing.use_cases.invoices import (
    NoteRevenue,
    RecordInvoice,
    RecordInvoiceFile,
    TakeInvoiceBack,
    note_revenue,
    record_invoice,
    record_invoice_file,
    take_invoice_back,
)
from marketplace.billing.invoicing.use_cases.true_up import TrueUpYear, true_up_year

__all__ = [
    "ChargeKind",
    "CreditCharge",
    "CreditOrder",
    "NoteRevenue",
    "Party",
    "RecordCharge",
    "RecordInvoice",
    "RecordInvoiceFile",
    "TakeInvoiceBack",
    "TrueUpYear",
    "credit_charge",
    "credit_order",
    "note_revenue",
    "record_charge",
    "record_charges",
    "record_invoice",
    "record_invoice_file",
    "standing_charge",
    "take_invoice_back",
    "true_up_year",
]
