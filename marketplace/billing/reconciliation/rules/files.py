"""What any statement file comes to, and which format a file is in."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from enum import StrEnum

from marketplace.billing.reconciliation.rules.layout import Stated
from marketplace.billing.reconciliation.rules.reading import BAD_LINES_LISTED, BadLine, ReadLine


class Format(StrEnum):
    """How a bank writes its statements."""

    TABLE = "table"
    """CSV, XLSX or XLS: rows below a header, every bank in its own way."""
    CAMT_053 = "camt.053"
    """ISO 20022: the statement of a day, with its balances."""
    CAMT_054 = "camt.054"
    """ISO 20022: notice of single bookings, without balances."""
    MT940 = "MT940"
    """SWIFT: the statement of a day, in tagged lines of text."""


@dataclass(slots=True)
class ReadFile:
    """A file as it was read, with everything that is wrong with it."""

    format: Format
    lines: list[ReadLine] = field(default_factory=list)
    stated: Stated = field(default_factory=Stated)
    bad: list[BadLine] = field(default_factory=list)
    bad_total: int = 0
    headers: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    other_accounts: list[str] = field(default_factory=list)

    def refuse(self, line: int, column: str, reason: str, value: str = "") -> None:
        """Note something that is wrong."""
        self.bad_total += 1
        if len(self.bad) < BAD_LINES_LISTED:
            self.bad.append(BadLine(line, column, reason, value[:100]))


_MT940 = re.compile(r"\s*(?:\{1:|:20:)")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decoded(content: bytes) -> str:
    """A text file in the encoding it is in.

    Raises:
        UnicodeDecodeError: when it is in none of those that banks use.
    """
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return content.decode(encoding)
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("gb18030")


def is_xml(content: bytes) -> bool:
    """Whether a file is XML, in whatever encoding."""
    head = content[:400]
    encoding = next((name for bom, name in _BOMS if head.startswith(bom)), "latin-1")
    return head.decode(encoding, "ignore").lstrip("\ufeff \t\r\n").startswith("<")


def is_mt940(content: bytes) -> bool:
    """Whether a file begins as SWIFT messages do."""
    return _MT940.match(content[:200].decode("latin-1").removeprefix("ï»¿")) is not None
