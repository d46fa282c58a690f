"""Reading SWIFT statements (MT940), strictly: a tag or a line that is not understood is an error.

Readers at large skip what they do not know; of a bank's money nothing may be skipped unseen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from marketplace.billing.reconciliation.rules.cells import (
    BALANCE_FEN_MAX,
    FIRST_DAY,
    LAST_DAY,
    clean,
)
from marketplace.billing.reconciliation.rules.files import Format, ReadFile, decoded
from marketplace.billing.reconciliation.rules.layout import same_account
from marketplace.billing.reconciliation.rules.reading import LINES_MAX, ReadLine
from marketplace.kernel.money import AMOUNT_FEN_MAX

_TAG = re.compile(r":(\d{2}[A-Z]?):(.*)", re.DOTALL)
_BLOCKS = re.compile(r"\{[1235]:(?:[^{}]|\{[^{}]*\})*\}|\{4:|-\}")
_BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})(\d{1,15},\d{0,2})")
_LINE = re.compile(
    r"(\d{6})(\d{4})?(R?[CD]|E[CD])([A-Z])?(\d{1,15},\d{0,2})([NFS][A-Z0-9]{3})"
    r"([^/\n]{0,16}(?:/[^/\n]{1,15})*?)(?://([^\n]{0,34}))?(?:\n(.{0,70}))?",
    re.DOTALL,
)
_KNOWN = frozenset({"20", "21", "25", "25P", "28", "28C", "60F", "60M", "61", "62F", "62M"})
_OF_NO_MATTER = frozenset({"20", "21", "28", "28C", "64", "65", "13D", "90C", "90D"})
_END_TO_END = re.compile(r"(?:EREF\+|/EREF/|/ROC/|\?20EREF\+)([^/?\n+]{1,35})")
_CODES = re.compile(r"\?\d{2}|/(?:EREF|ORDP|BENM|REMI|NAME|ACCT|PREF|ROC)/|(?:SVWZ|EREF|KREF)\+")
_NAME = re.compile(r"(?:/NAME/|\?32)([^/?\n]{1,70})")
_ACCOUNT = re.compile(r"(?:/ACCT/|\?31)([0-9A-Z]{4,34})")


@dataclass(frozen=True, slots=True)
class _Field:
    line: int
    tag: str
    text: str


def read_mt940(content: bytes, account_number: str) -> ReadFile:
    """Every line of the account's statements, in order."""
    file = ReadFile(Format.MT940)
    try:
        text = decoded(content)
    except UnicodeDecodeError:
        file.refuse(0, "", "neither UTF-8, UTF-16 nor GB18030")
        return file
    reader = _Reader(file, account_number)
    for found in _fields(text.replace("\r\n", "\n").replace("\r", "\n"), file):
        reader.take(found)
        if len(file.lines) > LINES_MAX:
            return file
    reader.finish()
    return file


def _fields(text: str, file: ReadFile) -> Iterator[_Field]:
    """The tagged fields with the line they begin on, each with the lines that continue it."""
    at, collected = 0, ""
    for number, raw in enumerate(_BLOCKS.sub("", text).split("\n"), 1):
        row = raw.rstrip()
        if _TAG.match(row):
            yield from _field(at, collected, file)
            at, collected = number, row
        elif row.strip() in ("", "-", "\x03"):
            continue
        elif not collected:
            file.refuse(number, "", "not a SWIFT message", row)
            return
        else:
            collected += f"\n{row}"
    yield from _field(at, collected, file)


def _field(at: int, collected: str, file: ReadFile) -> Iterator[_Field]:
    found = _TAG.match(collected)
    if found is None:
        return
    if found[1] not in _KNOWN | _OF_NO_MATTER | {"86"}:
        file.refuse(at, f":{found[1]}:", "not a field of a statement")
        return
    yield _Field(at, found[1], found[2])


class _Reader:
    """Goes through the fields of all statements in a file."""

    def __init__(self, file: ReadFile, account_number: str) -> None:
        self.file = file
        self.account_number = account_number
        self.mine = False
        self.any_mine = False
        self.opened = False
        self.closing: int | None = None
        self.pending: ReadLine | None = None
        self.last = 0

    def take(self, found: _Field) -> None:
        self.last = found.line
        if found.tag == "86":
            self._words(found)
            return
        self._store()
        if found.tag in ("25", "25P"):
            self._account(found)
        elif found.tag in ("60F", "60M") and self.mine:
            self._opening(found)
        elif found.tag == "61" and self.mine:
            self._line(found)
        elif found.tag in ("62F", "62M") and self.mine:
            self._closing(found)

    def finish(self) -> None:
        self._store()
        file = self.file
        if self.opened:
            file.refuse(self.last, ":62F:", "the file is cut short: no closing balance")
        if not self.any_mine:
            others = ", ".join(file.other_accounts[:5])
            reason = "the file is of another account" if others else "no account is named"
            file.refuse(0, ":25:", reason, others)
        elif not file.lines and not file.bad_total:
            file.refuse(0, ":61:", "no line")

    def _account(self, found: _Field) -> None:
        if self.opened:
            self.file.refuse(found.line, ":62F:", "the statement before has no closing balance")
        # A bank's code may stand before the number, and the currency behind it.
        number = clean(found.text).split("\n")[0].rpartition("/")[2].replace(" ", "")
        number = re.sub(r"[A-Z]{3}$", "", number)
        self.opened = False
        self.mine = same_account(number, self.account_number)
        self.any_mine |= self.mine
        if not self.mine:
            self.file.other_accounts.append(number[:40])

    def _balance(self, found: _Field) -> int | None:
        stated = _BALANCE.fullmatch(found.text.strip())
        if stated is None:
            self.file.refuse(found.line, f":{found.tag}:", "not a balance", found.text)
            return None
        mark, on, currency, amount = stated.groups()
        if currency != "CNY":
            self.file.refuse(found.line, f":{found.tag}:", "not in CNY", currency)
        booked = self._day(found, on)
        if booked is not None:
            self.file.stated.days.append(booked)
        fen = _fen(amount)
        if fen > BALANCE_FEN_MAX:
            self.file.refuse(found.line, f":{found.tag}:", "too large", amount)
        return fen if mark == "C" else -fen

    def _opening(self, found: _Field) -> None:
        fen = self._balance(found)
        self.opened = True
        if self.file.stated.opening_fen is None:
            self.file.stated.opening_fen = fen
        elif self.closing is not None and fen is not None and fen != self.closing:
            reason = "does not open with what the statement before closed"
            self.file.refuse(found.line, ":60F:", reason, found.text)

    def _closing(self, found: _Field) -> None:
        fen = self._balance(found)
        if not self.opened:
            self.file.refuse(found.line, ":60F:", "no opening balance")
        self.opened = False
        self.file.stated.closing_fen = self.closing = fen

    def _line(self, found: _Field) -> None:
        if not self.opened:
            self.file.refuse(found.line, ":60F:", "a line before the opening balance")
        stated = _LINE.fullmatch(found.text.strip())
        if stated is None:
            self.file.refuse(found.line, ":61:", "not a line of a statement", found.text)
            return
        value, booking, mark, _, amount, _, ours, theirs, more = stated.groups()
        booked = self._booked(found, value, booking)
        fen = _fen(amount)
        if fen > AMOUNT_FEN_MAX:
            self.file.refuse(found.line, ":61:", "too large", amount)
        # What is reversed goes the other way: RC takes a credit back.
        sign = 1 if mark in ("C", "RD", "EC") else -1
        ours = (ours or "").strip()
        if booked is None:
            return
        self.pending = ReadLine(
            number=found.line,
            booked_on=booked,
            amount_fen=sign * fen,
            balance_fen=None,
            name="",
            account="",
            remark=clean(more or "")[:500],
            reference=clean(theirs or "")[:100],
            end_to_end_id="" if ours in ("NONREF", "NOTPROVIDED") else clean(ours)[:100],
        )

    def _booked(self, found: _Field, value: str, booking: str | None) -> date | None:
        of_value = self._day(found, value)
        if of_value is None or not booking:
            return of_value
        # The day of booking has no year of its own: that which is nearest to the value day.
        days = [
            day
            for year in (of_value.year - 1, of_value.year, of_value.year + 1)
            if (day := _date(year, int(booking[:2]), int(booking[2:]))) is not None
        ]
        if not days:
            self.file.refuse(found.line, ":61:", "not a day", booking)
            return None
        return min(days, key=lambda day: abs(day - of_value))

    def _day(self, found: _Field, text: str) -> date | None:
        day = _date(2000 + int(text[:2]), int(text[2:4]), int(text[4:]))
        if day is None or not FIRST_DAY <= day <= LAST_DAY:
            self.file.refuse(found.line, f":{found.tag}:", "not a day", text)
            return None
        return day

    def _words(self, found: _Field) -> None:
        """What the bank says of the line before; below the closing balance, of the statement."""
        line = self.pending
        if line is None:
            return
        joined = found.text.replace("\n", "")
        named, account = _NAME.search(joined), _ACCOUNT.search(joined)
        ours = _END_TO_END.search(joined)
        self.pending = ReadLine(
            number=line.number,
            booked_on=line.booked_on,
            amount_fen=line.amount_fen,
            balance_fen=None,
            name=clean(named[1])[:200] if named else "",
            account=account[1] if account else "",
            remark=clean(f"{line.remark} {_CODES.sub(' ', joined)}")[:500],
            reference=line.reference,
            end_to_end_id=clean(ours[1])[:100] if ours else line.end_to_end_id,
        )

    def _store(self) -> None:
        if self.pending is not None:
            self.file.lines.append(self.pending)
            self.pending = None


def _fen(amount: str) -> int:
    whole, _, decimals = amount.partition(",")
    return int(whole) * 100 + int(decimals.ljust(2, "0"))


def _date(year: int, month: int, of_month: int) -> date | None:
    try:
        return date(year, month, of_month)
    except ValueError:
        return None
