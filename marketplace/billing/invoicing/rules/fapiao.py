"""The number of a fully digital tax invoice (数电票): year, region, channel, sequence."""

from __future__ import annotations

import re
from datetime import date

from marketplace.billing.invoicing.errors import InvoiceNumberRefused, InvoiceRefused
from marketplace.kernel.errors import Reasons
from marketplace.kernel.money import yuan

_NUMBER = re.compile(r"[0-9]{20}")
# First two digits of GB/T 2260: the provinces, autonomous regions and municipalities.
REGIONS = frozenset(
    f"{code}"
    for codes in (range(11, 16), range(21, 24), range(31, 38), range(41, 47), range(50, 55))
    for code in codes
) | frozenset(f"{code}" for code in range(61, 66))


def require_invoice_number(number: str, *, issued_on: date) -> None:
    """Refuse a number that no tax authority gave: 20 digits, of them 1–2 the year of issue,
    3–4 the region, 5 the channel, 6–20 a sequence.

    Raises:
        InvoiceNumberRefused: with everything that is wrong with it.

    Policy: F.invoice
    """
    reasons = Reasons()
    if not _NUMBER.fullmatch(number):
        reasons.add("twenty-digits", "The number has 20 digits.", limit=20, asked=number[:40])
        reasons.raise_as(InvoiceNumberRefused)
    year = f"{issued_on.year % 100:02d}"
    if number[:2] != year:
        reasons.add(
            "year-of-issue",
            f"Issued in {issued_on.year}, it starts with {year}.",
            limit=year,
            asked=number[:2],
            source="F.invoice",
        )
    if number[2:4] not in REGIONS:
        reasons.add(
            "region",
            "Digits 3 and 4 are the code of a province.",
            asked=number[2:4],
            source="F.invoice",
        )
    if set(number[5:]) == {"0"}:
        reasons.add("sequence", "The sequence in digits 6 to 20 starts at 1.", asked=number[5:])
    reasons.raise_as(InvoiceNumberRefused)


def require_invoice_fits(
    *, amount_fen: int, charged_fen: int, issued_on: date, today: date
) -> None:
    """Refuse an invoice over another amount than was charged, or of a day to come.

    Raises:
        InvoiceRefused: with each reason.
    """
    reasons = Reasons()
    if amount_fen != charged_fen:
        reasons.add(
            "invoice-amount",
            f"The order was charged {yuan(charged_fen)} CNY, voucher part included.",
            limit=charged_fen,
            asked=amount_fen,
        )
    if issued_on > today:
        reasons.add(
            "invoice-day",
            "An invoice is recorded once it is issued.",
            limit=today.isoformat(),
            asked=issued_on.isoformat(),
        )
    reasons.raise_as(InvoiceRefused)


def require_red_fits(
    *, amount_fen: int, left_fen: int, issued_on: date, blue_issued_on: date, today: date
) -> None:
    """Refuse a red invoice over more than is left of the blue one, or of an impossible day.

    Raises:
        InvoiceRefused: with each reason.

    Policy: F.invoice
    """
    reasons = Reasons()
    if amount_fen > left_fen:
        reasons.add(
            "red-amount",
            f"{yuan(left_fen)} CNY are left of the invoice.",
            limit=left_fen,
            asked=amount_fen,
        )
    if not blue_issued_on <= issued_on <= today:
        reasons.add(
            "red-day",
            "A red invoice is issued after the one that it takes back, and not in days to come.",
            limit=[blue_issued_on.isoformat(), today.isoformat()],
            asked=issued_on.isoformat(),
        )
    reasons.raise_as(InvoiceRefused)
