"""What quotes and offers refuse."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Malformed, Missing, Refused


class QuoteMissing(Missing):
    """There is no such quote, or it is another buyer's."""

    code = "quote-not-found"
    title = "No such quote"


class QuoteUnclear(Malformed):
    """Machine time needs a start and an end; samples need their number; never both."""

    code = "quote-unclear"
    title = "Say what is to be quoted"


class SamplesTooSoon(Refused):
    """Providers are told of samples some days before they arrive."""

    code = "samples-too-soon"
    title = "The samples would arrive too soon"


class PurposeUnknown(Refused):
    """Only public purposes are free of charge; any other use is simply paid for."""

    code = "purpose-unknown"
    title = "Not a purpose that is free of charge"


class OffersUnclear(Malformed):
    """A window of time has two ends."""

    code = "offers-unclear"
    title = "Say from when until when"


class QuoteExpired(Conflict):
    """A quote holds prices and terms for a time; this one's is over."""

    code = "quote-expired"
    title = "The quote is not valid any more"


class QuoteUsed(Conflict):
    """A quote becomes one order."""

    code = "quote-used"
    title = "This quote has become an order already"
    constraint = "service_order_quote_once"
