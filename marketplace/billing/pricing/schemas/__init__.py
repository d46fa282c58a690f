"""The shapes of pricing on the wire."""

from marketplace.billing.pricing.schemas.cost import (
    Code,
    CostSheetIn,
    CostSheetOut,
)
from marketplace.billing.pricing.schemas.files import FileReportOut, cost_sheet_table, price_table
from marketplace.billing.pricing.schemas.prices import (
    AnswerIn,
    DifferenceOut,
    ObjectionIn,
    ObjectionOut,
    PricedServiceOut,
    PriceListIn,
    PriceListOut,
    PriceNoticeOut,
    objection_page,
)

__all__ = [
    "AnswerIn",
    "Code",
    "CostSheetIn",
    "CostSheetOut",
    "DifferenceOut",
    "FileReportOut",
    "ObjectionIn",
    "ObjectionOut",
    "PriceListIn",
    "PriceListOut",
    "PriceNoticeOut",
    "PricedServiceOut",
    "cost_sheet_table",
    "objection_page",
    "price_table",
]
