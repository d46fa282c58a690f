"""What orders refuse."""

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


class PartySuspended(Refused):
    """A suspended organisation neither orders nor serves."""

    code = "party-suspended"
    title = "One of the two organisations is suspended"


class InstrumentNotOffered(Conflict):
    """The instrument was withdrawn, disposed of, or is not shared with others."""

    code = "instrument-not-offered"
    title = "This instrument takes no orders"


class VoucherCoversLess(Conflict):
    """Since the quote the voucher's money or rules have changed; the buyer must agree anew."""

    code = "voucher-covers-less"
    title = "The voucher covers less than the quote said"


class WalletShort(Conflict):
    """The buyer's wallet has less than its own part of the order."""

    code = "wallet-short"
    title = "The wallet has not enough for the buyer's own part"


class ClausesIncomplete(Refused):
    """The contract lacks clauses that the policy requires before any service."""

    code = "clauses-incomplete"
    title = "The contract is incomplete"


class SampleSetMissing(Malformed):
    """An order for samples says what they are, whether they are dangerous, and where they go."""

    code = "sample-set-missing"
    title = "Describe the samples"


class OrderMissing(Missing):
    """There is no such order, or it is somebody else's."""

    code = "order-not-found"
    title = "No such order"


class StepNotOpen(Conflict):
    """The order has moved on, or is not there yet."""

    code = "order-step-not-open"
    title = "The order's state does not allow this"


class TimeUnclear(Malformed):
    """A time begins before it ends, in this century."""

    code = "order-time-unclear"
    title = "Say from when until when the order is to be"


class ChangeRefused(Conflict):
    """The order's time cannot change so; every reason is told, and what would be possible."""

    code = "order-change-refused"
    title = "The order's time cannot change like this"


class FiguresChanged(Conflict):
    """Price, voucher, fee or order are not those that were agreed to; nobody pays unseen figures.

    The answer carries the new figures with the token that agrees to them.
    """

    code = "figures-changed"
    title = "The figures are others than those agreed to"


class ChangeMissing(Missing):
    """There is no such change of this order, or none that the caller may see."""

    code = "order-change-not-found"
    title = "No such change of the order"


class ChangeOpen(Conflict):
    """One proposal waits for its answer at a time."""

    code = "order-change-open"
    title = "A proposal for this order waits for its answer"
    constraint = "order_change_open"


class ChangeNotOpen(Conflict):
    """The proposal was answered, taken back, or has lapsed."""

    code = "order-change-not-open"
    title = "The proposal is not open any more"


class WrongMode(Conflict):
    """Sessions belong to machine time, receiving and testing to samples."""

    code = "order-mode-differs"
    title = "This order is of the other mode"


class ServiceUnfinished(Conflict):
    """What was not closed, tested or uploaded cannot be delivered."""

    code = "service-unfinished"
    title = "The service is not finished"


class ItemMissing(Missing):
    """The order has no such item."""

    code = "order-item-not-found"
    title = "This order has no such item"


class ItemUnclear(Malformed):
    """Several items could be meant."""

    code = "order-item-unclear"
    title = "It is not clear which item of the order is meant"


class ItemsNotFree(Conflict):
    """Not every item of the quote has its time; nothing was reserved."""

    code = "order-items-not-free"
    title = "Not every instrument can be reserved"


class DeliveryRefused(Refused):
    """More is delivered, or was used, than was agreed or is due."""

    code = "delivery-refused"
    title = "This cannot be delivered so"


class SamplesUncounted(Refused):
    """More samples were counted than there can be."""

    code = "samples-uncounted"
    title = "The numbers of samples do not fit"


class CustodyRefused(Refused):
    """Samples are sent, received, returned and disposed of only as they are there and agreed."""

    code = "custody-refused"
    title = "The samples are not where this says"


class ShipmentMissing(Missing):
    """There is no such shipment of this order."""

    code = "shipment-not-found"
    title = "No such shipment"


class ShipmentReceived(Conflict):
    """A shipment is received once; what was noted of it stays."""

    code = "shipment-received"
    title = "This shipment was received already"
    constraint = "shipment_noted"


class DeclarationClosed(Conflict):
    """What samples are like is declared before the first of them arrives."""

    code = "declaration-closed"
    title = "Samples of this order have arrived already"


class SampleCodeMissing(Missing):
    """There is no sample of this code, or it is not at the caller's."""

    code = "sample-code-not-found"
    title = "No such sample"


class DeliverableMissing(Missing):
    """There is no such deliverable of this order."""

    code = "deliverable-not-found"
    title = "No such deliverable"


class DeliverableKnown(Conflict):
    """The same bytes were uploaded for this order before."""

    code = "deliverable-known"
    title = "This file is among the order's deliverables already"
    constraint = "deliverable_content_once"


class DeliverableUnfit(Refused):
    """A deliverable has between one byte and 10 MB, and the digest its sender says."""

    code = "deliverable-unfit"
    title = "This file cannot be a deliverable"


class DisputedBefore(Conflict):
    """An order has one dispute at a time."""

    code = "order-disputed-before"
    title = "This order is in dispute already"
    constraint = "dispute_open_once"


class ReviewWindowOver(Conflict):
    """The time to object has passed; the service counts as accepted."""

    code = "review-window-over"
    title = "The review window is over"


class RulingByParty(Conflict):
    """Nobody rules on a dispute in which they spoke for a side."""

    code = "ruling-by-party"
    title = "Another person must rule"
    constraint = "dispute_four_eyes"


class RulingTooSoon(Conflict):
    """The provider is heard first, or lets its time to answer pass."""

    code = "ruling-too-soon"
    title = "The provider may still answer"
    constraint = "dispute_heard"


class DisputeMissing(Missing):
    """There is no such dispute, or it is somebody else's."""

    code = "dispute-not-found"
    title = "No such dispute"


class DisputeAnswered(Conflict):
    """A provider answers once."""

    code = "dispute-answered"
    title = "This dispute was answered already"


class AnswerByParty(Conflict):
    """Nobody answers the objection that they made."""

    code = "answer-by-party"
    title = "Another person must answer"
    constraint = "dispute_answered_by_other"


class NothingOffered(Conflict):
    """The provider has offered nothing that the buyer could agree to."""

    code = "nothing-offered"
    title = "There is no offer to agree to"


class EvidenceMissing(Missing):
    """The dispute has no such file."""

    code = "dispute-evidence-not-found"
    title = "No such evidence"


class EvidenceKnown(Conflict):
    """A side shows a file once."""

    code = "dispute-evidence-known"
    title = "This file is in the dispute already"
    constraint = "dispute_evidence_once"


class EvidenceFull(Conflict):
    """A side of a dispute shows so many files and no more."""

    code = "dispute-evidence-full"
    title = "No more files can be shown"


class CorrectionMissing(Missing):
    """There is no such correction, or it is somebody else's."""

    code = "correction-not-found"
    title = "No such correction"


class CorrectionOpen(Conflict):
    """One correction of an order waits at a time."""

    code = "correction-open"
    title = "Another correction of this order waits"
    constraint = "correction_open_once"


class CorrectionTooLarge(Refused):
    """All corrections of an order together give back at most what it was charged."""

    code = "correction-too-large"
    title = "More would be given back than stands charged"
    constraint = "correction_within_charge"


class CorrectionDecided(Conflict):
    """A correction is decided once."""

    code = "correction-decided"
    title = "This correction was decided already"


class CorrectionBySame(Conflict):
    """Nobody approves what they proposed."""

    code = "correction-by-same-person"
    title = "Another person must decide"
    constraint = "correction_second_person"


class RedLetterFirst(Conflict):
    """An invoice stands over more than would then be charged."""

    code = "correction-red-letter"
    title = "Take the invoice back first"
    constraint = "correction_red_letter"


class ReviewedBefore(Conflict):
    """An order is rated once."""

    code = "order-reviewed-before"
    title = "This order was rated before"
    constraint = "review_pkey"


class ReviewMissing(Missing):
    """There is no review of this order."""

    code = "review-not-found"
    title = "No such review"


class ReviewAnswered(Conflict):
    """A provider answers a review once."""

    code = "review-answered"
    title = "This review was answered already"
    constraint = "review_reply_once"


class ReviewWritten(Conflict):
    """What a buyer wrote of a service is not rewritten."""

    code = "review-written"
    title = "A review is not changed"
    constraint = "review_written"


class ContractMissing(Missing):
    """The order has no contract or addendum of this number, for whoever asks."""

    code = "contract-not-found"
    title = "No such contract"


class RegistrationRefused(Refused):
    """The registration of a contract goes by its steps, and says what each needs."""

    code = "registration-refused"
    title = "The contract cannot stand like this with the registry"


class ContractSigned(Conflict):
    """What was agreed and signed is not changed."""

    code = "contract-agreed"
    title = "A signed contract is not changed"
    constraint = "contract_agreed"


class FreeUseMissing(Missing):
    """No such request for a free service, or not one of yours."""

    code = "free-use-not-found"
    title = "No such request for a free service"


class FreeUseUnfit(Refused):
    """The quote is not one to be free of charge, or the request has no evidence, or too much."""

    code = "free-use-unfit"
    title = "This cannot be asked free of charge so"


class FreeUseAsked(Conflict):
    """The quote has its request already."""

    code = "free-use-asked"
    title = "This was asked before"
    constraint = "free_use_quote_once"


class FreeUseDecided(Conflict):
    """The request was examined or decided; what was said stays."""

    code = "free-use-decided"
    title = "The request cannot take this step now"
    constraint = "free_use_kept"


class OwnFreeUse(Refused):
    """Who asked for a free service, or examined the request, may not decide on it."""

    code = "free-use-self-decided"
    title = "Somebody else has to decide on this request"
    constraint = "free_use_two_persons"


class FreeUseNotApproved(Refused):
    """The quote is free of charge for its purpose, and the provider has not approved that."""

    code = "free-use-not-approved"
    title = "The provider has not approved the service to be free of charge"
    constraint = "service_order_free_use"


class EvidenceKept(Conflict):
    """The request has the same file already."""

    code = "free-use-evidence-kept"
    title = "This file was sent before"
    constraint = "free_use_evidence_once"
