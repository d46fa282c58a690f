"""What the documents and approvals of applications, and changes of grants, refuse."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Missing, Refused


class ApprovedBefore(Conflict):
    """The person has approved this application already; another one has to."""

    code = "voucher-approved-before"
    title = "The same person approves once"
    constraint = "application_approval_once"


class RoundUsedUp(Conflict):
    """What the round of applications may grant was granted to others at the same moment."""

    code = "voucher-round-used-up"
    title = "The round has nothing left to grant"
    constraint = "voucher_batch_amount"


class ApplicationIncomplete(Refused):
    """Documents that the programme asks for are missing; all are listed."""

    code = "voucher-application-incomplete"
    title = "Documents are missing"


class DocumentMissing(Missing):
    """The application has no such document."""

    code = "voucher-document-not-found"
    title = "No such document"


class DocumentUnfit(Refused):
    """The programme asks for no such document, or the application has too many."""

    code = "voucher-document-unfit"
    title = "This document cannot be kept"


class DocumentKnown(Conflict):
    """The application has the same document under this kind."""

    code = "voucher-document-known"
    title = "This document is there already"
    constraint = "application_document_once"


class GrantMissing(Missing):
    """There is no such voucher, or none that the caller may see."""

    code = "voucher-not-found"
    title = "No such voucher"


class GrantChangeMissing(Missing):
    """There is no such change of a grant, or none that the caller may see."""

    code = "grant-change-not-found"
    title = "No such change of a voucher"


class GrantChangeOpen(Conflict):
    """Another change of this grant waits for its decision."""

    code = "grant-change-open"
    title = "Another change of this voucher waits"
    constraint = "grant_change_open_once"


class GrantChangeDecided(Conflict):
    """The change was decided before."""

    code = "grant-change-decided"
    title = "The change is decided"


class GrantChangeRefused(Refused):
    """The grant cannot be changed like this; all reasons are listed."""

    code = "grant-change-refused"
    title = "The voucher cannot be changed like this"


class BeneficiaryFactMissing(Missing):
    """There is no such fact, or none that the caller may see."""

    code = "beneficiary-fact-not-found"
    title = "No such fact of a beneficiary"


class BeneficiaryFactDecided(Conflict):
    """The fact was verified or rejected before."""

    code = "beneficiary-fact-decided"
    title = "The fact is decided"


class BeneficiaryFactUnclear(Refused):
    """A fact lacks what its kind needs; all is listed."""

    code = "beneficiary-fact-unclear"
    title = "The fact is not complete"
