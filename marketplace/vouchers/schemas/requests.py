"""Request bodies: bounded, and turned into commands."""

from datetime import date
from typing import Annotated, Literal

import msgspec

from marketplace.kernel.wire import Id, In, Line, PositiveFen, Sha256, Word, Year
from marketplace.vouchers.rules.states import EvidenceKind
from marketplace.vouchers.use_cases import (
    ApplyForVoucher,
    AttachEvidence,
    DatePapers,
    DecideApplication,
    DraftClaim,
    DraftProgramme,
    LayerPlan,
    LeaveOut,
    PaperDay,
    Piece,
    RecordSpotCheck,
)

RegionCode = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}$", max_length=6)]
InvoiceNumber = Annotated[str, msgspec.Meta(max_length=40)]
# A reason is what somebody will be told, and goes into the books: it is there, and it is short.
Told = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=500, pattern=r"^[^\x00-\x1f]*[^\x00-\x1f\s][^\x00-\x1f]*$"
    ),
]


class LayerIn(In):
    """A funder's budget for the SMEs of a region."""

    funder: Literal["province", "city", "zone"]
    region_code: RegionCode
    budget_fen: PositiveFen


class ProgrammeIn(In):
    """A programme as an officer drafts it; ratios, caps and limits are the rulebook's."""

    name: Word
    name_en: Word
    year: Year
    opens_on: date
    closes_on: date
    layers: Annotated[list[LayerIn], msgspec.Meta(min_length=1, max_length=200)]

    def to_command(self) -> DraftProgramme:
        """The draft that is asked for."""
        return DraftProgramme(
            name=self.name,
            name_en=self.name_en,
            year=self.year,
            opens_on=self.opens_on,
            closes_on=self.closes_on,
            layers=tuple(
                LayerPlan(layer.funder, layer.region_code, layer.budget_fen)
                for layer in self.layers
            ),
        )


class ApplicationIn(In):
    """How much an SME asks for, and for which research."""

    programme_id: Id
    asked_fen: PositiveFen
    purpose: Line = ""

    def to_command(self) -> ApplyForVoucher:
        """The application that is made."""
        return ApplyForVoucher(self.programme_id, self.asked_fen, self.purpose)


class DecisionIn(In):
    """`amount_fen` grants that much; without it the application is refused for the reason."""

    amount_fen: PositiveFen | None = None
    reason: Line = ""

    def to_command(self, application_id: int) -> DecideApplication:
        """The decision that is taken."""
        return DecideApplication(application_id, self.amount_fen, self.reason)


class ClaimIn(In):
    """Which redemptions to gather: of a programme, up to a day, or all."""

    programme_id: Id | None = None
    through: date | None = None

    def to_command(self) -> DraftClaim:
        """The draft that is asked for."""
        return DraftClaim(self.programme_id, self.through)


class LeaveOutIn(In):
    """Redemptions to take out of a draft."""

    redemption_ids: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=1_000)]

    def to_command(self, claim_id: int) -> LeaveOut:
        """What is to be left out."""
        return LeaveOut(claim_id, tuple(self.redemption_ids))


class PieceIn(In):
    """One file by its digest; an invoice has its number of 20 digits.

    `dated_on` is the day of an invoice or a payment, where a programme minds it.
    """

    redemption_id: Id
    kind: EvidenceKind
    sha256: Sha256
    reference: Word
    invoice_number: InvoiceNumber | None = None
    dated_on: date | None = None


class EvidenceIn(In):
    """Evidence for redemptions of a draft."""

    pieces: Annotated[list[PieceIn], msgspec.Meta(min_length=1, max_length=1_000)]

    def to_command(self, claim_id: int) -> AttachEvidence:
        """What is to be attached."""
        return AttachEvidence(
            claim_id,
            tuple(
                Piece(
                    piece.redemption_id,
                    piece.kind,
                    piece.sha256,
                    piece.reference,
                    piece.invoice_number,
                    piece.dated_on,
                )
                for piece in self.pieces
            ),
        )


class PaperDayIn(In):
    """The day of a redemption's invoice or payment proof."""

    redemption_id: Id
    kind: EvidenceKind
    dated_on: date


class PaperDaysIn(In):
    """Of which days papers of a draft are."""

    days: Annotated[list[PaperDayIn], msgspec.Meta(min_length=1, max_length=1_000)]

    def to_command(self, claim_id: int) -> DatePapers:
        """The days that are written down."""
        return DatePapers(
            claim_id,
            tuple(PaperDay(each.redemption_id, each.kind, each.dated_on) for each in self.days),
        )


class SpotCheckIn(In):
    """What a spot check found."""

    passed: bool
    finding: Told

    def to_command(self, claim_id: int, redemption_id: int) -> RecordSpotCheck:
        """The result that is noted."""
        return RecordSpotCheck(claim_id, redemption_id, self.passed, self.finding)


class ReasonIn(In):
    """Why something is refused, excluded or taken back."""

    reason: Told
