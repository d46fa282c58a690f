"""What shipments, samples and deliverables refuse."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Missing, Refused


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
