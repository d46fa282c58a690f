"""Charge lines, invoices, accounts, and the totals that rewards are computed from."""

from marketplace.billing.invoicing.queries.account import (
    Account,
    AccountAsked,
    AccountLine,
    account_of,
)
from marketplace.billing.invoicing.queries.charges import (
    ChargeLine,
    ChargeLinePage,
    LinesBehindTotal,
    ServiceLimits,
    charge_line,
    charged,
    charged_by,
    income_of,
    lines_behind_total,
    service_totals,
)
from marketplace.billing.invoicing.queries.invoices import (
    SEES_EVERY_INVOICE,
    Invoice,
    InvoiceFile,
    InvoicePage,
    InvoiceSearch,
    invoice_by_id,
    invoice_file_of,
    invoice_of,
    invoiced,
    invoices,
    is_non_tax_revenue,
)
from marketplace.billing.invoicing.rules.charges import Charged

__all__ = [
    "SEES_EVERY_INVOICE",
    "Account",
    "AccountAsked",
    "AccountLine",
    "ChargeLine",
    "ChargeLinePage",
    "Charged",
    "Invoice",
    "InvoiceFile",
    "InvoicePage",
    "InvoiceSearch",
    "LinesBehindTotal",
    "ServiceLimits",
    "account_of",
    "charge_line",
    "charged",
    "charged_by",
    "income_of",
    "invoice_by_id",
    "invoice_file_of",
    "invoice_of",
    "invoiced",
    "invoices",
    "is_non_tax_revenue",
    "lines_behind_total",
    "service_totals",
]
