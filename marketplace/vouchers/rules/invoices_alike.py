"""The detector of one service that was invoiced twice under two numbers.

Equal numbers are refused where they are entered. What is left are numbers that differ by a slip of
the hand, and second invoices for which nothing was done. Two invoices of one pair, day and sum are
neither: who comes twice a day for one price has two of them, with numbers that follow each other.

Policy: J.31
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from marketplace.kernel.money import yuan
from marketplace.vouchers.rules.anomalies import AnomalyKind, Finding, Service, subjects_of


@dataclass(frozen=True, slots=True)
class Invoiced:
    """An invoice, and whether anything was recorded of the service behind it: its own use of the
    instrument, or samples that came."""

    number: str
    issued_on: date
    amount_fen: int
    recorded: bool
    service: Service


def similar_invoices(
    pairs: Iterable[tuple[Invoiced, Invoiced]], *, neighbours: int
) -> list[Finding]:
    """Two invoices from one provider to one buyer over one sum that look like one.

    Certain is one slip of the hand between numbers that are not neighbours: those a tax bureau
    gives out one after the other. On one day, a second invoice without a service is suspected.
    """
    found = []
    for first, second in pairs:
        slip = one_slip(first.number, second.number) and (
            abs(int(first.number) - int(second.number)) > neighbours
        )
        nothing_done = first.issued_on == second.issued_on and not (
            first.recorded and second.recorded
        )
        if slip or nothing_done:
            found.append(_finding(first, second, slip=slip))
    return found


def _finding(first: Invoiced, second: Invoiced, *, slip: bool) -> Finding:
    both = sorted((first, second), key=lambda each: each.service.order_id)
    because = (
        "their numbers differ by one slip of the hand"
        if slip
        else "they are of one day, and of one service nothing was recorded"
    )
    return Finding(
        kind=AnomalyKind.DUPLICATE_INVOICE,
        key=tuple(each.service.order_id for each in both),
        summary=(
            f"Invoices {both[0].number} and {both[1].number} of one pair over"
            f" {yuan(first.amount_fen)} look like one: {because}."
        ),
        proof=tuple(each.number for each in both),
        subjects=subjects_of(each.service for each in both),
        facts=tuple(
            {
                "order_id": each.service.order_id,
                "document": "invoice",
                "shown": each.number,
                "issued_on": each.issued_on.isoformat(),
                "amount_fen": each.amount_fen,
                "service_recorded": each.recorded,
            }
            for each in both
        ),
        certain=slip,
    )


def one_slip(one: str, other: str) -> bool:
    """Whether one digit is wrong, or two that stand side by side changed places."""
    if len(one) != len(other):
        return False
    wrong = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
        first, second = wrong
        return one[first] == other[second] and one[second] == other[first]
    return len(wrong) == 1
