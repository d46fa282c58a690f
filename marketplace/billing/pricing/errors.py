"""What pricing refuses."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Malformed, Missing, Refused


class PriceListMissing(Missing):
    """There is no such price list."""

    code = "price-list-missing"
    title = "No such price list"


class NoPriceInForce(Conflict):
    """Nothing says what this customer would pay on that day."""

    code = "no-price-in-force"
    title = "No price is in force for this service"


class PricesAboveCost(Refused):
    """A price is higher than what the service costs the unit."""

    code = "prices-above-cost"
    title = "A price is above the cost of the service"


class CostSheetMissing(Refused):
    """Prices were filed for an instrument whose cost nobody has shown."""

    code = "cost-sheet-missing"
    title = "File a cost sheet first"


class CostNotAllowed(Refused):
    """A cost sheet contains a component that prices may not recover."""

    code = "cost-not-allowed"
    title = "A cost component is not allowed"


class NoticeTooShort(Refused):
    """Prices were to be in force before their public notice has ended."""

    code = "price-notice-too-short"
    title = "The prices would be in force before their notice ends"


class ListedTwice(Malformed):
    """The same component, or the same class and unit, stands twice in what was filed."""

    code = "listed-twice"
    title = "The same line is there twice"


class PriceListWithdrawn(Conflict):
    """The price list was withdrawn before."""

    code = "price-list-withdrawn"
    title = "The price list is withdrawn"


class CostSheetFiledAtOnce(Conflict):
    """Somebody filed a cost sheet for the same instrument and year at the same moment."""

    code = "cost-sheet-filed-at-once"
    title = "Another cost sheet was filed at the same moment"
    constraint = "cost_sheet_version"


class PriceListFiledAtOnce(Conflict):
    """Somebody filed prices for the same instrument at the same moment."""

    code = "price-list-filed-at-once"
    title = "Another price list was filed at the same moment"
    constraint = "price_list_version"
