"""What enquiries, the offers in answer to them and prices set by hand refuse."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Missing, Refused


class EnquiryMissing(Missing):
    """There is no such enquiry, or it is between others."""

    code = "enquiry-not-found"
    title = "No such enquiry"


class EnquiryRefused(Refused):
    """An enquiry goes to one provider, about its own instruments, for days that are to come."""

    code = "enquiry-refused"
    title = "This cannot be asked so"


class EnquiryStepNotOpen(Conflict):
    """The enquiry has ended, or is not there yet."""

    code = "enquiry-step-not-open"
    title = "The enquiry's state does not allow this"
    constraint = "enquiry_kept"


class ThreadFull(Refused):
    """A thread has so many messages and files and no more."""

    code = "enquiry-thread-full"
    title = "The enquiry's thread is full"


class EnquiryFileMissing(Missing):
    """There is no such file in this enquiry."""

    code = "enquiry-file-not-found"
    title = "No such file"


class EnquiryFileKnown(Conflict):
    """The same bytes were attached to this enquiry before."""

    code = "enquiry-file-known"
    title = "This file is attached already"
    constraint = "enquiry_file_once"


class OfferMissing(Missing):
    """There is no such offer, or none that the caller may see."""

    code = "offer-not-found"
    title = "No such offer"


class OfferRefused(Refused):
    """An offer is of the provider's own instrument and holds for a time that is to come."""

    code = "offer-refused"
    title = "This cannot be offered so"


class OfferNotOpen(Conflict):
    """The offer was decided on, taken back, replaced, or is over."""

    code = "offer-not-open"
    title = "The offer is not open any more"
    constraint = "enquiry_offer_kept"


class OfferAwaiting(Conflict):
    """One price set by hand waits for its approval at a time."""

    code = "offer-awaiting"
    title = "Another offer waits for approval"
    constraint = "enquiry_offer_one_awaiting"


class OfferChanged(Conflict):
    """What was to be approved would come to something else by now; it has to be made anew."""

    code = "offer-changed"
    title = "The offer's figures are others by now"
    constraint = "enquiry_offer_quote_same"


class OfferNotAccepted(Conflict):
    """What a provider offered is ordered after it was accepted."""

    code = "offer-not-accepted"
    title = "Accept the offer first"
    constraint = "service_order_offer_accepted"


class ManualPriceRefused(Refused):
    """A price set by hand has a reason, is no gift, and is never above cost."""

    code = "manual-price-refused"
    title = "The price cannot be set like this"
    constraint = "quote_manual_within_cost"


class ApprovalByMaker(Conflict):
    """Nobody approves a price that they set themselves."""

    code = "offer-approval-by-maker"
    title = "Another person must approve"
    constraint = "enquiry_offer_four_eyes"
