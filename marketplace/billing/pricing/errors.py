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


class CostBelowNotice(Conflict):
    """Prices in public notice would come into force above this cost."""

    code = "cost-below-notice"
    title = "Withdraw the prices in notice that are above this cost first"
    constraint = "cost_sheet_below_notice"


class PriceListAboveCost(Refused):
    """What was written would ask more than the service costs; PostgreSQL refuses it as well."""

    code = "price-list-above-cost"
    title = "A price is above the cost of the service"
    constraint = "price_list_within_cost"


class HoursOverlap(Conflict):
    """Two factors hold at the same hour of the week."""

    code = "price-hours-overlap"
    title = "Two factors hold at the same hour"
    constraint = "price_hours_no_overlap"


class ExtraWithoutCost(Refused):
    """Help or material was priced whose cost the cost sheet does not show."""

    code = "extra-without-cost"
    title = "Show what it costs first"


class ObjectionMissing(Missing):
    """There is no such objection."""

    code = "price-objection-missing"
    title = "No such objection"


class NoticeOver(Conflict):
    """Objections are raised while the prices stand in notice."""

    code = "price-notice-over"
    title = "The notice of these prices is over"


class OwnPrices(Refused):
    """Nobody objects to their own prices."""

    code = "own-prices"
    title = "These prices are your own"


class ObjectedAlready(Conflict):
    """One organisation objects once to one price list."""

    code = "price-objected-already"
    title = "Your organisation has objected already"
    constraint = "price_objection_once"


class ObjectionAnswered(Conflict):
    """The objection was answered before."""

    code = "price-objection-answered"
    title = "The objection is answered"


class AnswerNeedsSecondPerson(Refused):
    """Nobody answers the objection that they raised."""

    code = "price-objection-second-person"
    title = "Another person answers this objection"
    constraint = "price_objection_second_person"


class ActualCostMissing(Conflict):
    """A year is held against its real cost, which nobody has filed."""

    code = "actual-cost-missing"
    title = "File the real cost of the year first"


class TruedUpAlready(Conflict):
    """The year of this instrument was held against its real cost before."""

    code = "trued-up-already"
    title = "The year is settled already"
    constraint = "true_up_once"


class TiersUnclear(Malformed):
    """Volume tiers are out of order, or a later one is dearer."""

    code = "price-tiers-unclear"
    title = "The volume tiers contradict each other"


class UrgencyNotOffered(Conflict):
    """The price list has no surcharge for urgent work: it is not offered."""

    code = "urgency-not-offered"
    title = "Urgent work is not offered"


class ExtraNotPriced(Refused):
    """Help or material was asked for that the price list does not have."""

    code = "extra-not-priced"
    title = "The price list does not have that"


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


class FileHeaderMissing(Malformed):
    """No line of a file of cost sheets or prices is its header, or required columns are missing."""

    code = "file-header-missing"
    title = "The file has no header that is known here"


class FileTooLong(Malformed):
    """A file of cost sheets or prices has more lines, or a cell more text, than one file takes."""

    code = "file-too-long"
    title = "The file is too long"
    status = 413


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
