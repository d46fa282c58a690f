"""Cost sheets and price lists as filed, and what one service costs one customer."""

from marketplace.billing.pricing.queries.filed import (
    CostComponent,
    CostSheet,
    Price,
    PriceList,
    cost_sheet_by_id,
    cost_sheet_for,
    cost_sheets,
    price_list_by_id,
    price_lists,
)
from marketplace.billing.pricing.queries.service import (
    PricedService,
    PriceInForce,
    PriceQuestion,
    ServiceAsked,
    price_for_customer,
    price_service,
    price_service_by_list,
    prices_in_force,
)
from marketplace.billing.pricing.rules.quoting import PriceLine
from marketplace.billing.pricing.rules.states import CustomerClass, Mode, Unit

__all__ = [
    "CostComponent",
    "CostSheet",
    "CustomerClass",
    "Mode",
    "Price",
    "PriceInForce",
    "PriceLine",
    "PriceList",
    "PriceQuestion",
    "PricedService",
    "ServiceAsked",
    "Unit",
    "cost_sheet_by_id",
    "cost_sheet_for",
    "cost_sheets",
    "price_for_customer",
    "price_list_by_id",
    "price_lists",
    "price_service",
    "price_service_by_list",
    "prices_in_force",
]
