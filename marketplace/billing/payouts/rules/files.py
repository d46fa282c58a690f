"""The payment file: what the bank is asked to pay, the same bytes whenever it is made."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

COLUMNS = ("收款人户名", "收款账号", "开户行名称", "联行号", "金额", "币种", "用途", "客户端流水号")


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """One payment of a batch."""

    payout_id: int
    holder: str
    number: str
    bank_name: str
    cnaps: str
    amount_fen: int
    end_to_end_id: str
    purpose: str


@dataclass(frozen=True, slots=True)
class House:
    """The account of the platform's own that the payments leave."""

    number: str
    holder: str
    bank_name: str
    cnaps: str


def payment_file(lines: Sequence[PaymentLine]) -> bytes:
    """A batch as CSV for a Chinese e-bank: UTF-8 with a mark, amounts in yuan with two decimals.

    A text that a spreadsheet would take for a formula is quoted with an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in sorted(lines, key=lambda one: one.payout_id):
        writer.writerow(
            [
                _harmless(line.holder),
                line.number,
                _harmless(line.bank_name),
                line.cnaps,
                f"{line.amount_fen // 100}.{line.amount_fen % 100:02d}",
                "CNY",
                _harmless(line.purpose),
                line.end_to_end_id,
            ]
        )
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def digest(content: bytes) -> bytes:
    """SHA-256 of a file: an approval holds for these bytes and no others."""
    return hashlib.sha256(content).digest()


def _harmless(text: str) -> str:
    return f"'{text}" if text[:1] in "=+-@\t\r" else text
