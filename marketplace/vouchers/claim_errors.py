"""What claims, clawbacks and sanctions refuse."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Forbidden, Missing, Refused


class ClaimWindowClosed(Refused):
    """The programme takes claims in its windows only; they are listed."""

    code = "claim-window-closed"
    title = "No claims are taken today"


class PapersOutOfTime(Refused):
    """The programme pays for invoices or payments of some days only; each line outside is told."""

    code = "claim-papers-out-of-time"
    title = "Papers are of other days than the programme pays for"


class CorrectionMissing(Refused):
    """A line that was refused is claimed again only with what was corrected."""

    code = "claim-correction-missing"
    title = "Say what was corrected"


class LineRefused(Refused):
    """What is approved of a line is not above what is claimed, and a cut has its reason."""

    code = "claim-line-refused"
    title = "The line cannot be decided like this"


class LocalAuditsOpen(Refused):
    """Cities or zones have not audited their layers of this claim yet; they are listed."""

    code = "local-audits-open"
    title = "Local audits are not finished"


class ObjectionsOpen(Refused):
    """Objections to this claim wait for their answer."""

    code = "objections-open"
    title = "Objections are not answered"


class AuditedTwice(Forbidden):
    """Local audit and re-check are made by two persons, neither of whom submitted the claim."""

    code = "claim-audited-by-same"
    title = "Another person has to audit this"
    constraint = "claim_audit_by_another"


class NotYourLayer(Forbidden):
    """A layer is audited by the office of its own city or zone."""

    code = "claim-audit-elsewhere"
    title = "Another region audits this layer"


class PartyBarred(Refused):
    """A sanction in force bars an SME or a provider from a programme's vouchers."""

    code = "voucher-party-barred"
    title = "A sanction is in force"
    constraint = "voucher_party_barred"


class LayerAudited(Conflict):
    """The layer's audit of this claim is made already."""

    code = "claim-layer-audited"
    title = "This layer is audited already"
    constraint = "claim_audit_once"


class ObjectionAnswered(Conflict):
    """The objection was answered before."""

    code = "objection-answered"
    title = "The objection is answered"


class ObjectionMissing(Missing):
    """There is no such objection."""

    code = "claim-objection-not-found"
    title = "No such objection"


class NoticeOver(Refused):
    """Objections are taken until the last day of the notice."""

    code = "notice-over"
    title = "The public notice is over"


class ClawbackMissing(Missing):
    """There is no such clawback, or none that the caller may see."""

    code = "clawback-not-found"
    title = "No such clawback"


class ClawbackDecided(Conflict):
    """The clawback was agreed to or dropped before."""

    code = "clawback-decided"
    title = "The clawback is decided"


class ClawbackRefused(Refused):
    """Only what was approved of a claim, and not clawed back yet, can be clawed back."""

    code = "clawback-refused"
    title = "This cannot be clawed back"


class NothingOwed(Refused):
    """The organisation owes nothing, or nothing lies where it would be taken from."""

    code = "nothing-owed"
    title = "Nothing to set off"


class SanctionMissing(Missing):
    """There is no such sanction, or none that the caller may see."""

    code = "sanction-not-found"
    title = "No such sanction"


class SanctionStateMoved(Conflict):
    """The sanction is in another state than this step needs."""

    code = "sanction-state"
    title = "The sanction is in another state"


class SanctionRefused(Refused):
    """The sanction as proposed does not hold together; all reasons are listed."""

    code = "sanction-refused"
    title = "The sanction cannot be proposed like this"


class TooLate(Refused):
    """A statement or an appeal comes after its last day."""

    code = "sanction-too-late"
    title = "The last day for this is over"


class HearingOpen(Refused):
    """The party may still be heard: a sanction is decided after its statement, or its last day."""

    code = "sanction-hearing-open"
    title = "The party may still make its statement"


class ReportRefused(Refused):
    """A report cannot be grouped or bounded like this."""

    code = "voucher-report-refused"
    title = "The report cannot be made like this"


class AuditPathMissing(Missing):
    """No voucher money was used under this number."""

    code = "audit-path-not-found"
    title = "No voucher money leads here"


class AccountsDiffer(Conflict):
    """The sums of the programmes' tables and the ledger differ; every difference is listed."""

    code = "voucher-accounts-differ"
    title = "Programme accounts and ledger differ"
