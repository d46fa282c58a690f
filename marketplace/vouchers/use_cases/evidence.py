"""Papers are attached to the redemptions of a draft, and say of which day they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import insert, select, update

from marketplace.billing.invoicing.queries import issued_on
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.vouchers import tables
from marketplace.vouchers.errors import EvidenceRefused, RedemptionMissing
from marketplace.vouchers.queries import Claim
from marketplace.vouchers.rules.paper_days import DATED
from marketplace.vouchers.rules.states import EvidenceKind
from marketplace.vouchers.use_cases.claims import own_draft

INVOICE_DIGITS = 20
FIRST_DAY = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Piece:
    """One file that proves something of a redemption; an invoice has its number of 20 digits.

    `dated_on` is the day of an invoice or a payment, where a programme minds it.
    """

    redemption_id: int
    kind: EvidenceKind
    sha256: str
    reference: str
    invoice_number: str | None = None
    dated_on: date | None = None


@dataclass(frozen=True, slots=True)
class AttachEvidence:
    """Evidence for redemptions of a draft."""

    claim_id: int
    pieces: tuple[Piece, ...]


async def attach_evidence(tx: Tx, command: AttachEvidence) -> Claim:
    """Attach evidence; a file or an invoice that proves another redemption is refused.

    Of an invoice that the platform knows the day is the one it was issued on.

    Raises:
        EvidenceRefused: with every piece whose invoice number or day does not fit it.
        RedemptionMissing: when a redemption is not in the claim.
        FileClaimedBefore, InvoiceClaimedBefore, EvidenceAttached: what was attached before.
    """
    found = await own_draft(tx, command.claim_id)
    _require_readable(command.pieces, tx.today)
    orders = await _orders(tx, found.id, {piece.redemption_id for piece in command.pieces})
    pieces = await _with_days(tx, command.pieces, orders)
    await tx.execute(
        insert(tables.claim_evidence),
        [
            {
                "redemption_id": piece.redemption_id,
                "kind": piece.kind,
                "sha256": piece.sha256,
                "reference": piece.reference,
                "invoice_number": piece.invoice_number,
                "dated_on": piece.dated_on,
                "attached_by": tx.actor.person_id,
                "attached_at": tx.now,
            }
            for piece in pieces
        ],
    )
    tx.audit("attach", subject="claim", subject_id=found.id, pieces=len(pieces))
    return found


async def _orders(tx: Tx, claim_id: int, redemption_ids: set[int]) -> dict[int, int]:
    """The order of each of these redemptions of a claim."""
    table = tables.redemption.c
    rows = await tx.execute(
        select(table.id, table.order_id).where(
            table.claim_id == claim_id, table.id.in_(redemption_ids)
        )
    )
    found = {row.id: row.order_id for row in rows}
    if len(found) != len(redemption_ids):
        raise RedemptionMissing("Evidence belongs to a redemption of this claim.")
    return found


async def _with_days(
    tx: Tx, pieces: Sequence[Piece], orders: Mapping[int, int]
) -> tuple[Piece, ...]:
    """The pieces, invoices of the platform with the day on which they were issued."""
    invoiced = {orders[each.redemption_id] for each in pieces if each.invoice_number}
    known = await issued_on(tx, invoiced) if invoiced else {}
    reasons = Reasons()
    dated = []
    for piece in pieces:
        day = known.get((orders[piece.redemption_id], piece.invoice_number or ""))
        if day is not None and piece.dated_on not in (None, day):
            reasons.add(
                "invoice-day",
                f"Invoice {piece.invoice_number} was issued on {day}.",
                limit=day.isoformat(),
                asked=piece.dated_on,
            )
        dated.append(piece if day is None else replace(piece, dated_on=day))
    reasons.raise_as(EvidenceRefused)
    return tuple(dated)


def _require_readable(pieces: Sequence[Piece], today: date) -> None:
    reasons = Reasons()
    for piece in pieces:
        number = piece.invoice_number
        if piece.kind is EvidenceKind.INVOICE:
            digits = number is not None and number.isascii() and number.isdigit()
            if number is None or not digits or len(number) != INVOICE_DIGITS:
                reasons.add(
                    "invoice-number",
                    f"The invoice of redemption {piece.redemption_id} needs its number"
                    f" of {INVOICE_DIGITS} digits.",
                    limit=INVOICE_DIGITS,
                    asked=number,
                )
        elif number is not None:
            reasons.add(
                "invoice-number",
                f"Only an invoice has an invoice number, not a {piece.kind}.",
                asked=number,
            )
        _note_day(reasons, piece.kind, piece.dated_on, today)
    reasons.raise_as(EvidenceRefused)


def _note_day(reasons: Reasons, kind: EvidenceKind, day: date | None, today: date) -> None:
    if day is None:
        return
    if kind not in DATED:
        reasons.add("paper-day", f"Only invoices and payments have a day, not a {kind}.", asked=day)
    elif not FIRST_DAY <= day <= today:
        reasons.add(
            "paper-day",
            f"The day of an invoice or payment lies between {FIRST_DAY} and today.",
            limit=[FIRST_DAY.isoformat(), today.isoformat()],
            asked=day,
        )


@dataclass(frozen=True, slots=True)
class PaperDay:
    """The day that the invoice or the payment proof of a redemption bears."""

    redemption_id: int
    kind: EvidenceKind
    dated_on: date


@dataclass(frozen=True, slots=True)
class DatePapers:
    """Say, or correct, of which day papers of a draft are."""

    claim_id: int
    days: tuple[PaperDay, ...]


async def date_papers(tx: Tx, command: DatePapers) -> Claim:
    """Write down the days of papers that are attached; an invoice of the platform keeps its own.

    Raises:
        EvidenceRefused: with every day that is none of such a paper, and what has no paper yet.
        RedemptionMissing: when a redemption is not in the claim.
    """
    found = await own_draft(tx, command.claim_id)
    reasons = Reasons()
    for day in command.days:
        _note_day(reasons, day.kind, day.dated_on, tx.today)
    reasons.raise_as(EvidenceRefused)
    orders = await _orders(tx, found.id, {day.redemption_id for day in command.days})
    known = await issued_on(tx, set(orders.values()))
    papers = await _dated_papers(tx, orders)
    ids: dict[int, date] = {}
    for day in command.days:
        of_kind = papers.get((day.redemption_id, day.kind), {})
        if not of_kind:
            reasons.add(
                "paper-day",
                f"Redemption {day.redemption_id} has no {day.kind} yet: attach it with its day.",
                asked={"redemption_id": day.redemption_id, "kind": day.kind},
            )
        for paper_id, number in of_kind.items():
            ids[paper_id] = known.get((orders[day.redemption_id], number), day.dated_on)
    reasons.raise_as(EvidenceRefused)
    await _write_days(tx, ids)
    tx.audit(
        "date",
        subject="claim",
        subject_id=found.id,
        days=[[day.redemption_id, day.kind, day.dated_on.isoformat()] for day in command.days],
    )
    return found


async def _dated_papers(
    tx: Tx, redemption_ids: Iterable[int]
) -> dict[tuple[int, str], dict[int, str]]:
    """The papers that bear a day, by redemption and kind, with the number of an invoice."""
    table = tables.claim_evidence.c
    rows = await tx.execute(
        select(table.id, table.redemption_id, table.kind, table.invoice_number).where(
            table.redemption_id.in_(redemption_ids), table.kind.in_(DATED)
        )
    )
    found: dict[tuple[int, str], dict[int, str]] = {}
    for row in rows:
        found.setdefault((row.redemption_id, row.kind), {})[row.id] = row.invoice_number or ""
    return found


async def _write_days(tx: Tx, days: Mapping[int, date]) -> None:
    """One statement for each day, of which a claim has few."""
    by_day: dict[date, list[int]] = {}
    for paper_id, day in days.items():
        by_day.setdefault(day, []).append(paper_id)
    table = tables.claim_evidence
    for day, ids in sorted(by_day.items()):
        await tx.execute(update(table).where(table.c.id.in_(ids)).values(dated_on=day))
