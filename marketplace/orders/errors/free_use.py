"""What requests for a service free of charge refuse."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Missing, Refused


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
