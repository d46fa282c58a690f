"""The shapes of pricing on the wire."""

from marketplace.billing.pricing.schemas.cost import (
    Code,
    CostSheetIn,
    CostSheetOut,
)
from marketplace.billing.pricing.schemas.prices import (
    AnswerIn,
    DifferenceOut,
    ObjectionIn,
    ObjectionOut,
    PricedServiceOut,
    PriceListIn,
    PriceListOut,
    objection_page,
)

__all__ = [
    "AnswerIn",
    "Code",
    "CostSheetIn",
    "CostSheetOut",
    "DifferenceOut",
    "ObjectionIn",
    "ObjectionOut",
    "PriceListIn",
    "PriceListOut",
    "PricedServiceOut",
    "objection_page",
]
