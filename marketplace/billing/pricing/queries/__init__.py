"""Cost sheets and price lists as filed, and what one service costs one customer."""

from marketplace.billing.pricing.queries.compare import Versions, compare_price_lists
from marketplace.billing.pricing.queries.filed import (
    CostComponent,
    CostItem,
    CostSheet,
    Price,
    PriceList,
    cost_sheet_by_id,
    cost_sheet_for,
    cost_sheets,
    price_list_by_id,
    price_lists,
    surplus_of,
)
from marketplace.billing.pricing.queries.notices import (
    NoticePage,
    NoticeSearch,
    PriceNotice,
    price_notices,
)
from marketplace.billing.pricing.queries.objections import (
    OBJECTION,
    Objection,
    ObjectionPage,
    ObjectionSearch,
    TrueUp,
    objections,
    true_ups,
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
from marketplace.billing.pricing.queries.sheets import (
    NumberedInstrument,
    ProviderSheets,
    newest_sheets,
    numbered_instruments,
    provider_sheets,
    require_own,
)
from marketplace.billing.pricing.rules.compare import Difference
from marketplace.billing.pricing.rules.quoting import PriceLine
from marketplace.billing.pricing.rules.states import CustomerClass, Mode, Unit

__all__ = [
    "OBJECTION",
    "CostComponent",
    "CostItem",
    "CostSheet",
    "CustomerClass",
    "Difference",
    "Mode",
    "NoticePage",
    "NoticeSearch",
    "NumberedInstrument",
    "Objection",
    "ObjectionPage",
    "ObjectionSearch",
    "Price",
    "PriceInForce",
    "PriceLine",
    "PriceList",
    "PriceNotice",
    "PriceQuestion",
    "PricedService",
    "ProviderSheets",
    "ServiceAsked",
    "TrueUp",
    "Unit",
    "Versions",
    "compare_price_lists",
    "cost_sheet_by_id",
    "cost_sheet_for",
    "cost_sheets",
    "newest_sheets",
    "numbered_instruments",
    "objections",
    "price_for_customer",
    "price_list_by_id",
    "price_lists",
    "price_notices",
    "price_service",
    "price_service_by_list",
    "prices_in_force",
    "provider_sheets",
    "require_own",
    "surplus_of",
    "true_ups",
]
