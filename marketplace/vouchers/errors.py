"""What vouchers refuse."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Forbidden, Missing, Refused


class ProgrammeMissing(Missing):
    """There is no such programme."""

    code = "programme-not-found"
    title = "No such voucher programme"


class ApplicationMissing(Missing):
    """There is no such application, or none that the caller may see."""

    code = "voucher-application-not-found"
    title = "No such voucher application"


class ClaimMissing(Missing):
    """There is no such claim, or none that the caller may see."""

    code = "claim-not-found"
    title = "No such claim"


class RedemptionMissing(Missing):
    """There is no such redemption in this claim."""

    code = "redemption-not-found"
    title = "No such redemption in this claim"


class VoucherHoldMissing(Missing):
    """No voucher is held for this order."""

    code = "voucher-hold-not-found"
    title = "No voucher is held for this order"


class NothingRedeemed(Missing):
    """No voucher paid for this order."""

    code = "nothing-redeemed"
    title = "No voucher paid for this order"


class AnomalyMissing(Missing):
    """There is no such anomaly, or none that the caller may see."""

    code = "anomaly-not-found"
    title = "No such finding"


class AnomalyDecided(Conflict):
    """A confirmed or dismissed anomaly is not decided again; new evidence opens it."""

    code = "anomaly-decided"
    title = "This anomaly is decided"


class AnomalyElsewhere(Conflict):
    """An assigned anomaly is decided by the one it is assigned to."""

    code = "anomaly-assigned-elsewhere"
    title = "Another person looks at this anomaly"


class AnomalyInvolved(Forbidden):
    """Nobody judges what they placed, submitted, audited, approved or belong to."""

    code = "anomaly-involved"
    title = "Somebody who is not involved has to do this"
    constraint = "anomaly_decided_uninvolved"


class AssigneeUnfit(Refused):
    """Anomalies are given to voucher officers."""

    code = "anomaly-assignee"
    title = "This person cannot take on an anomaly"


class AnomaliesBlock(Refused):
    """Anomalies stand in the way until a person dismisses them; all are listed."""

    code = "anomalies-block"
    title = "Anomalies have to be decided first"
    constraint = "redemption_unblocked"


class AnomaliesTooMany(Refused):
    """One file holds so many anomalies; filters ask for fewer."""

    code = "anomalies-too-many"
    title = "Ask for fewer anomalies at once"


class ProgrammeExists(Conflict):
    """A programme of that year already has this name."""

    code = "programme-exists"
    title = "A programme of that year has this name"
    constraint = "programme_name"


class LayerTwice(Conflict):
    """A funder has two layers for one region in the same programme."""

    code = "programme-layer-twice"
    title = "One layer per funder and region"
    constraint = "programme_layer_once"


class ProgrammeVersionMissing(Missing):
    """The programme has no such version, or none that the caller may see."""

    code = "programme-version-not-found"
    title = "No such version of the voucher programme"


class ProgrammeCodeTaken(Conflict):
    """A programme of that year was made from a file of this code."""

    code = "programme-code-taken"
    title = "A programme of that year has this code"
    constraint = "programme_code_year"


class ProgrammeVersionWaiting(Conflict):
    """Another version of the programme waits for its approval."""

    code = "programme-version-waiting"
    title = "Another version waits for its approval"
    constraint = "programme_version_open"


class ProgrammeVersionStartTaken(Conflict):
    """Another version of the programme starts on that day."""

    code = "programme-version-start-taken"
    title = "Another version starts on that day"
    constraint = "programme_version_start"


class DryRunMissing(Missing):
    """There is no such dry run, or none that the caller may see."""

    code = "dry-run-not-found"
    title = "No such dry run"


class ProgrammeStateMoved(Conflict):
    """The programme is in another state than this step needs."""

    code = "programme-state"
    title = "The programme is in another state"


class ApplicationOpen(Conflict):
    """The SME already has an application waiting in this programme."""

    code = "voucher-application-open"
    title = "An application is already waiting"
    constraint = "voucher_application_open_once"


class ApplicationDecided(Conflict):
    """The application was decided or withdrawn before."""

    code = "voucher-application-decided"
    title = "The application is decided"


class AlreadyGranted(Conflict):
    """The SME already has a grant of this programme."""

    code = "voucher-already-granted"
    title = "One grant per SME and programme"
    constraint = "voucher_grant_once"


class VoucherYearCapReached(Conflict):
    """Another grant of the same year came first and left no room under the yearly cap."""

    code = "voucher-year-cap"
    title = "The yearly cap of this SME is reached"
    constraint = "voucher_year_cap"


class VoucherHeldBefore(Conflict):
    """A voucher is already held for this order."""

    code = "voucher-held-before"
    title = "A voucher is already held for this order"
    constraint = "voucher_hold_order"


class VoucherCapReached(Conflict):
    """Another order of the same year came first and left no room under a cap."""

    code = "voucher-cap"
    title = "A cap of the voucher programme is reached"
    constraint = "voucher_cap_room"


class FirstUseTaken(Conflict):
    """Another order was the first use of the voucher at the same moment: ask again."""

    code = "voucher-first-use-taken"
    title = "The voucher was first used by another order"
    constraint = "voucher_hold_first_use"


class VoucherHoldEnded(Conflict):
    """The hold of this order was settled or released before."""

    code = "voucher-hold-ended"
    title = "The voucher's hold has ended"


class ClaimStateMoved(Conflict):
    """The claim is in another state than this step needs."""

    code = "claim-state"
    title = "The claim is in another state"


class ReturnExceedsRedemption(Conflict):
    """More would come back of a redemption than is left of it."""

    code = "return-exceeds-redemption"
    title = "Less than that is left of what the voucher paid"
    constraint = "redemption_returned"


class LayerReturnExceeds(Conflict):
    """More would come back to a layer than it gave."""

    code = "return-exceeds-layer"
    title = "Less than that is left of what the layer paid"
    constraint = "redemption_return_within"


class ClawbackExceedsLine(Conflict):
    """More would be clawed back of a line than was approved of it."""

    code = "clawback-exceeds-line"
    title = "Less than that is left of what was approved"
    constraint = "claim_line_clawed_back"


class EvidenceAttached(Conflict):
    """The same file is already attached to this redemption under this kind."""

    code = "evidence-attached"
    title = "This evidence is already attached"
    constraint = "claim_evidence_attached_once"


class FileClaimedBefore(Conflict):
    """The same file proves another redemption: one service is not claimed twice."""

    code = "evidence-file-claimed"
    title = "This file was claimed before"
    constraint = "claim_evidence_file"


class InvoiceClaimedBefore(Conflict):
    """The invoice number proves another redemption: one service is not claimed twice."""

    code = "invoice-claimed"
    title = "This invoice was claimed before"
    constraint = "claim_evidence_invoice_number"


class ProgrammeRefused(Refused):
    """The programme as drafted breaks the rulebook."""

    code = "programme-refused"
    title = "The programme cannot be drafted like this"


class NotEligible(Refused):
    """The SME fails one or more eligibility rules; all are listed."""

    code = "not-eligible"
    title = "Not eligible for this programme"


class GrantRefused(Refused):
    """The officer cannot grant this much; all reasons are listed."""

    code = "grant-refused"
    title = "Cannot be granted like this"


class ReasonMissing(Refused):
    """Who is refused is told why."""

    code = "reason-missing"
    title = "A refusal needs a reason"


class VoucherNotUsable(Refused):
    """The voucher may not pay for this service; all reasons are listed."""

    code = "voucher-not-usable"
    title = "The voucher cannot pay for this"


class NothingToClaim(Refused):
    """The provider has no redemption that is not yet claimed."""

    code = "nothing-to-claim"
    title = "Nothing to claim"


class EvidenceIncomplete(Refused):
    """Some redemptions lack evidence; all are listed with what they lack."""

    code = "evidence-incomplete"
    title = "Evidence is missing"


class EvidenceRefused(Refused):
    """An invoice needs its number of 20 digits, and only an invoice has one."""

    code = "evidence-refused"
    title = "This evidence cannot be attached"


class SpotChecksOpen(Refused):
    """Spot checks of this claim still wait for their result."""

    code = "spot-checks-open"
    title = "Spot checks are not finished"


class NoticeRunning(Refused):
    """The public notice of this claim is not over."""

    code = "notice-running"
    title = "The public notice is not over"


class SamePerson(Forbidden):
    """Nobody approves what they made."""

    code = "voucher-second-person"
    title = "A second person has to do this"
