"""What the API takes and answers about lines, objections, clawbacks and sanctions."""

from datetime import date, datetime
from typing import Annotated

import msgspec

from marketplace.kernel.wire import AmountFen, Id, In, Line, Out, PositiveFen, Word
from marketplace.vouchers.queries.clawbacks import Clawback, ClawbackPage
from marketplace.vouchers.queries.lines import ClaimAudit, ClaimLine, LineEvidence
from marketplace.vouchers.queries.objections import NoticePage, Objection
from marketplace.vouchers.rules.states import RecoverySource
from marketplace.vouchers.schemas.requests import Told
from marketplace.vouchers.use_cases import (
    AnswerObjection,
    AuditLocally,
    DecideClawback,
    DecideLine,
    FileObjection,
    ProposeClawback,
    Recovered,
    SetOff,
)
from marketplace.vouchers.use_cases.sanctions import (
    DecideAppeal,
    DecideSanction,
)


class CorrectionIn(In):
    """What was put right of a redemption that was refused before."""

    redemption_id: Id
    correction: Told


class SubmitIn(In):
    """What a submission says of redemptions that were refused before."""

    corrections: Annotated[list[CorrectionIn], msgspec.Meta(max_length=1_000)] = msgspec.field(
        default_factory=list
    )


class LocalAuditIn(In):
    """What the office of a layer's city or zone found."""

    passed: bool
    finding: Told

    def to_command(self, claim_id: int, layer_id: int) -> AuditLocally:
        """The audit that is made."""
        return AuditLocally(claim_id, layer_id, self.passed, self.finding)


class LineIn(In):
    """What is approved of a line; less than is claimed has its reason."""

    approved_fen: AmountFen
    reason: Line = ""

    def to_command(self, claim_id: int, redemption_id: int) -> DecideLine:
        """The decision that is taken."""
        return DecideLine(claim_id, redemption_id, self.approved_fen, self.reason)


class ObjectionIn(In):
    """Who objects, where they are reached, to what, and why."""

    name: Word
    contact: Word
    statement: Told
    redemption_id: Id | None = None

    def to_command(self, claim_id: int) -> FileObjection:
        """The objection that is filed."""
        return FileObjection(claim_id, self.redemption_id, self.name, self.contact, self.statement)


class AnswerIn(In):
    """Whether an objection or an appeal is right, and the answer to it."""

    upheld: bool
    answer: Told

    def to_objection(self, objection_id: int) -> AnswerObjection:
        """The answer to an objection."""
        return AnswerObjection(objection_id, self.upheld, self.answer)

    def to_appeal(self, sanction_id: int) -> DecideAppeal:
        """The decision of an appeal."""
        return DecideAppeal(sanction_id, self.upheld, self.answer)


class ClawbackLineIn(In):
    """A redemption and how much of it; without an amount all that is left."""

    redemption_id: Id
    amount_fen: PositiveFen | None = None


class ClawbackIn(In):
    """What is asked back of a claim; without lines all that is left of it."""

    reason: Told
    lines: Annotated[list[ClawbackLineIn], msgspec.Meta(max_length=1_000)] = msgspec.field(
        default_factory=list
    )

    def to_command(self, claim_id: int) -> ProposeClawback:
        """The clawback that is proposed."""
        return ProposeClawback(
            claim_id, self.reason, {line.redemption_id: line.amount_fen for line in self.lines}
        )


class AgreementIn(In):
    """Whether a second person agrees, and why."""

    agreed: bool
    reason: Told

    def to_clawback(self, clawback_id: int) -> DecideClawback:
        """The decision of a clawback."""
        return DecideClawback(clawback_id, self.agreed, self.reason)

    def to_sanction(self, sanction_id: int) -> DecideSanction:
        """The decision of a sanction."""
        return DecideSanction(sanction_id, self.agreed, self.reason)


class SetOffIn(In):
    """Of which organisation, and from where."""

    organisation_id: Id
    source: RecoverySource

    def to_command(self) -> SetOff:
        """What is set off."""
        return SetOff(self.organisation_id, self.source)


class ClaimLineOut(Out):
    """A redemption in a claim."""

    claim_id: int
    redemption_id: int
    order_id: int
    redeemed_on: date
    claimed_fen: int
    approved_fen: int
    clawed_back_fen: int
    reason: str
    decided_by: int | None
    decided_at: datetime | None
    resubmits_claim_id: int | None
    correction: str
    excluded_reason: str | None

    @classmethod
    def of(cls, row: ClaimLine) -> "ClaimLineOut":
        """The answer for a line."""
        return cls.like(row)


class PaperWindowOut(Out):
    """The days of which a kind of paper has to be."""

    kind: str
    opens_on: date
    closes_on: date


class LineEvidenceOut(Out):
    """Which evidence a redemption needs, has and lacks."""

    redemption_id: int
    required: list[str]
    attached: list[str]
    missing: list[str]
    refused_before: list[int]
    windows: list[PaperWindowOut]
    outside: list[str]

    @classmethod
    def of(cls, row: LineEvidence) -> "LineEvidenceOut":
        """The answer for a line."""
        return cls(
            redemption_id=row.redemption_id,
            required=list(row.required),
            attached=list(row.attached),
            missing=list(row.missing),
            refused_before=list(row.refused_before),
            windows=[
                PaperWindowOut(
                    kind=each.kind,
                    opens_on=each.within.opens_on,
                    closes_on=each.within.closes_on,
                )
                for each in row.windows
            ],
            outside=[reason.message for reason in row.outside],
        )


class CompletenessOut(Out):
    """Whether every line of a claim has what it needs."""

    complete: bool
    lines: list[LineEvidenceOut]

    @classmethod
    def of(cls, rows: list[LineEvidence]) -> "CompletenessOut":
        """The answer for a claim."""
        return cls(
            complete=all(row.complete for row in rows),
            lines=[LineEvidenceOut.of(row) for row in rows],
        )


class ClaimAuditOut(Out):
    """An audit of a claim."""

    claim_id: int
    stage: str
    layer_id: int | None
    passed: bool
    finding: str
    made_by: int
    made_at: datetime

    @classmethod
    def of(cls, row: ClaimAudit) -> "ClaimAuditOut":
        """The answer for an audit."""
        return cls.like(row)


class ObjectionOut(Out):
    """An objection and its answer."""

    id: int
    claim_id: int
    redemption_id: int | None
    name: str
    contact: str
    statement: str
    filed_at: datetime
    status: str
    answer: str | None
    answered_by: int | None
    answered_at: datetime | None

    @classmethod
    def of(cls, row: Objection) -> "ObjectionOut":
        """The answer for an objection."""
        return cls.like(row)


class FiledOut(Out):
    """The number under which an objection was filed."""

    objection_id: int

    @classmethod
    def of(cls, objection_id: int) -> "FiledOut":
        """The answer to whoever objects."""
        return cls(objection_id=objection_id)


class NoticeLineOut(Out):
    """What the public sees of a line."""

    redemption_id: int
    redeemed_on: date
    claimed_fen: int
    approved_fen: int
    drawn: bool


class NoticePageOut(Out):
    """A claim in notice; the draw is the redemptions with the lowest SHA-256 of `seed:id`."""

    claim_id: int
    notice_ends_on: date
    seed: str
    amount_fen: int
    lines: list[NoticeLineOut]

    @classmethod
    def of(cls, row: NoticePage) -> "NoticePageOut":
        """The answer for a claim in notice."""
        return cls.like(
            row,
            seed=str(row.seed),
            lines=[NoticeLineOut.like(line) for line in row.lines],
        )


class ClawbackOut(Out):
    """Approved money that is asked back."""

    id: int
    claim_id: int
    organisation_id: int
    cause: str
    amount_fen: int
    recovered_fen: int
    reason: str
    status: str
    proposed_by: int
    proposed_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    decision: str
    entry_id: int | None

    @classmethod
    def of(cls, row: Clawback) -> "ClawbackOut":
        """The answer for a clawback."""
        return cls.like(row)


class ClawbackLineOut(Out):
    """What is asked back of a redemption."""

    redemption_id: int
    amount_fen: int


class RecoveryOut(Out):
    """What came in of a clawback."""

    amount_fen: int
    source: str
    claim_id: int | None
    entry_id: int
    made_by: int
    made_at: datetime


class ClawbackPageOut(Out):
    """A clawback with its lines and what came in."""

    clawback: ClawbackOut
    lines: list[ClawbackLineOut]
    recoveries: list[RecoveryOut]

    @classmethod
    def of(cls, row: ClawbackPage) -> "ClawbackPageOut":
        """The answer for a clawback."""
        return cls(
            clawback=ClawbackOut.of(row.clawback),
            lines=[ClawbackLineOut.like(line) for line in row.lines],
            recoveries=[RecoveryOut.like(each) for each in row.recoveries],
        )


class RecoveredOut(Out):
    """What was set off, and what is still owed."""

    organisation_id: int
    recovered_fen: int
    owed_fen: int

    @classmethod
    def of(cls, row: Recovered) -> "RecoveredOut":
        """The answer for a set-off."""
        return cls.like(row)
