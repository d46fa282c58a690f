"""What can be done with cost and prices: one topic a file."""

from marketplace.billing.pricing.rules.cost import CostItemAsked
from marketplace.billing.pricing.rules.states import CostKind, CustomerClass, ExtraKind, Unit
from marketplace.billing.pricing.rules.tariff import HoursFactor, PriceAsked, Tier
from marketplace.billing.pricing.use_cases.cost import (
    FileCostSheet,
    RecordTrueUp,
    file_cost_sheet,
    record_true_up,
)
from marketplace.billing.pricing.use_cases.cost_file import ImportCostSheets, import_cost_sheets
from marketplace.billing.pricing.use_cases.files import FileReport
from marketplace.billing.pricing.use_cases.objections import (
    AnswerObjection,
    ObjectToPrices,
    answer_objection,
    object_to_prices,
)
from marketplace.billing.pricing.use_cases.price_file import ImportPriceLists, import_price_lists
from marketplace.billing.pricing.use_cases.prices import (
    FilePriceList,
    WithdrawPriceList,
    file_price_list,
    withdraw_price_list,
)

__all__ = [
    "AnswerObjection",
    "CostItemAsked",
    "CostKind",
    "CustomerClass",
    "ExtraKind",
    "FileCostSheet",
    "FilePriceList",
    "FileReport",
    "HoursFactor",
    "ImportCostSheets",
    "ImportPriceLists",
    "ObjectToPrices",
    "PriceAsked",
    "RecordTrueUp",
    "Tier",
    "Unit",
    "WithdrawPriceList",
    "answer_objection",
    "file_cost_sheet",
    "file_price_list",
    "import_cost_sheets",
    "import_price_lists",
    "object_to_prices",
    "record_true_up",
    "withdraw_price_list",
]
