"""From the rows of a bank export to the lines of a statement, with everything that is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from marketplace.billing.reconciliation.rules.cells import (
    BALANCE_FEN_MAX,
    amount_fen,
    content,
    day,
)
from marketplace.billing.reconciliation.rules.layout import (
    CHINESE_MONEY,
    Column,
    Layout,
    Stated,
    layout_of,
    same_account,
)
from marketplace.kernel.spreadsheets import Row

LINES_MAX = 50_000
# So many bad lines are listed; all are counted.
BAD_LINES_LISTED = 500
# Before the header a bank says a few lines of its own; a whole table of something else does not.
HEADER_WITHIN_ROWS = 60

_OUT = frozenset({"借", "借方", "D", "DR", "DEBIT", "支", "支出", "付", "出", "转出", "往"})
_IN = frozenset({"贷", "贷方", "C", "CR", "CREDIT", "收", "收入", "入", "转入", "来"})
_NOT_A_LINE = re.compile(
    r"(?:人民币)?(总?合计|总计|小计|累计|本页|共|总笔数|说明|注|备注|打印|制表|以上|以下)"
)


@dataclass(frozen=True, slots=True)
class BadLine:
    """What is wrong in which line and column of the file."""

    line: int
    column: str
    reason: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line of a statement; positive is money in. `balance_fen` is None where none is stated."""

    number: int
    booked_on: date
    amount_fen: int
    balance_fen: int | None
    name: str
    account: str
    remark: str
    reference: str
    end_to_end_id: str = ""


@dataclass(slots=True)
class StatementReader:
    """Takes the rows of a file one after the other.

    `mapping` is what the columns of this account's bank are called, where that was saved.
    """

    account_number: str
    mapping: Mapping[Column, Sequence[str]] = field(default_factory=dict)
    headers: list[str] = field(default_factory=list)
    lines: list[ReadLine] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)
    bad_total: int = 0
    stated: Stated = field(default_factory=Stated)
    layout: Layout | None = None
    _sheet: str = ""
    _rows: int = 0

    @property
    def too_long(self) -> bool:
        """Whether there are more lines than one statement may have."""
        return len(self.lines) > LINES_MAX

    def take(self, row: Row) -> None:
        """Read one row: a line of the statement, its header, or what the bank says around them."""
        self._rows += 1
        if row.sheet != self._sheet:
            self._sheet, self.layout, self._rows = row.sheet, None, 1
        if row.broken:
            self.refuse(row.line, "", "the row cannot be taken apart: a quote is never closed")
            return
        cells = [content(cell) for cell in row.cells]
        found = self._header(cells)
        if found is not None:
            self.layout = found
        elif self.layout is None:
            self.stated.read(cells)
        else:
            self._below(self.layout, Row(row.line, cells, row.sheet))

    def refuse(self, line: int, column: str, reason: str, value: str = "") -> None:
        """Note something that is wrong."""
        self.bad_total += 1
        if len(self.bad) < BAD_LINES_LISTED:
            self.bad.append(BadLine(line, column, reason, value[:100]))

    def finish(self) -> None:
        """Note what is wrong with the file as a whole."""
        if not self.lines and not self.bad_total:
            reason = (
                "no line below the header"
                if self.layout
                else "no header row with a date (日期) and an amount (金额, or 借方 and 贷方)"
            )
            self.refuse(0, "", reason)
        if self.stated.account and not same_account(self.stated.account, self.account_number):
            self.refuse(0, "账号", "the file is of another account", self.stated.account)
        if self.stated.currency not in CHINESE_MONEY:
            self.refuse(0, "币种", "not in CNY", self.stated.currency)

    def _header(self, cells: Sequence[str]) -> Layout | None:
        """The layout, where this row is the header, or the header again on another page."""
        if self.layout is None:
            if self._rows > HEADER_WITHIN_ROWS:
                return None
            found = layout_of(cells, self.mapping)
            if found is not None or len(list(filter(None, cells))) > len(self.headers):
                # What stands in the header, or what may: the clerk names the columns from it.
                self.headers = [cell for cell in cells if cell][:100]
            return found
        again = self.layout.cell(cells, Column.BOOKED_ON) == self.layout.names[Column.BOOKED_ON]
        return layout_of(cells, self.mapping) if again else None

    def _below(self, layout: Layout, row: Row) -> None:
        """A row below the header: a line, or sums and notes of the bank around the lines."""
        try:
            booked_on = day(layout.cell(row.cells, Column.BOOKED_ON))
        except ValueError:
            said = [word for word in row.cells if word]
            if said and not _NOT_A_LINE.match(said[0]):
                reason = "not a day, or a day without its year"
                self._wrong(layout, row, Column.BOOKED_ON, reason)
                self._amount(layout, row)
            self.stated.read(row.cells)
            return
        self._line(layout, row, booked_on)

    def _line(self, layout: Layout, row: Row, booked_on: date) -> None:
        before = self.bad_total
        amount = self._amount(layout, row)
        balance = self._number(layout, row, Column.BALANCE, BALANCE_FEN_MAX)
        own = layout.cell(row.cells, Column.OWN_ACCOUNT).replace(" ", "").replace("-", "")
        if own and not same_account(own, self.account_number):
            self._wrong(layout, row, Column.OWN_ACCOUNT, "another account")
        if layout.cell(row.cells, Column.CURRENCY).upper() not in CHINESE_MONEY:
            self._wrong(layout, row, Column.CURRENCY, "not in CNY")
        if before != self.bad_total or amount is None:
            return
        self.lines.append(
            ReadLine(
                number=row.line,
                booked_on=booked_on,
                amount_fen=amount,
                balance_fen=balance,
                name=layout.cell(row.cells, Column.NAME)[:200],
                account=_account(layout.cell(row.cells, Column.ACCOUNT)),
                remark=layout.remark(row.cells)[:500],
                reference=layout.cell(row.cells, Column.REFERENCE)[:100],
                end_to_end_id=layout.cell(row.cells, Column.END_TO_END)[:100],
            )
        )

    def _amount(self, layout: Layout, row: Row) -> int | None:
        """Credit less debit: what a bank writes in red, below zero, turns round by itself."""
        if Column.DEBIT in layout.at and Column.CREDIT in layout.at:
            out, into = (
                self._number(layout, row, column) for column in (Column.DEBIT, Column.CREDIT)
            )
            if out and into:
                self._wrong(layout, row, Column.DEBIT, "debit and credit in one line")
                return None
            if out is None and into is None:
                self._missing(layout, row, Column.DEBIT)
                return None
            return (into or 0) - (out or 0)
        amount = self._number(layout, row, Column.AMOUNT)
        if amount is None:
            self._missing(layout, row, Column.AMOUNT)
            return None
        if Column.MARK not in layout.at:
            return amount
        # Some say it twice: 借 Dr, 贷 Cr.
        mark = layout.cell(row.cells, Column.MARK).upper().strip("()[]").partition(" ")[0]
        if mark in _OUT:
            return -amount
        if mark not in _IN:
            self._wrong(layout, row, Column.MARK, "neither 借 nor 贷")
            return None
        return amount

    def _number(
        self, layout: Layout, row: Row, column: Column, limit_fen: int | None = None
    ) -> int | None:
        text = layout.cell(row.cells, column)
        try:
            return amount_fen(text) if limit_fen is None else amount_fen(text, limit_fen)
        except ValueError as error:
            self._wrong(layout, row, column, str(error))
            return None

    def _missing(self, layout: Layout, row: Row, column: Column) -> None:
        # An amount that could not be read is told already; one that is not there is told here.
        if not any(bad.line == row.line for bad in self.bad[-4:]):
            self._wrong(layout, row, column, "no amount")

    def _wrong(self, layout: Layout, row: Row, column: Column, reason: str) -> None:
        name = layout.names.get(column, str(column))
        self.refuse(row.line, name, reason, layout.cell(row.cells, column))


def _account(text: str) -> str:
    """An account number without blanks; one that a spreadsheet has rounded (6.2E+18) is lost."""
    number = text.replace(" ", "").replace("-", "")[:64]
    return "" if re.search(r"\d[eE]\+?\d", number) else number.removesuffix(".0")
