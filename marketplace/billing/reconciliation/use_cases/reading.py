"""Reading a statement file of any format, by what is known of the account's bank."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marketplace.billing.payouts import queries as payout_queries
from marketplace.billing.reconciliation import queries
from marketplace.billing.reconciliation.errors import (
    StatementDiscontinued,
    StatementKnown,
    StatementTooLong,
    StatementUnreadable,
)
from marketplace.billing.reconciliation.rules.camt import read_camt
from marketplace.billing.reconciliation.rules.continuity import Added, added_up, identities
from marketplace.billing.reconciliation.rules.files import Format, ReadFile, is_mt940, is_xml
from marketplace.billing.reconciliation.rules.layout import Column
from marketplace.billing.reconciliation.rules.mt940 import read_mt940
from marketplace.billing.reconciliation.rules.reading import (
    BAD_LINES_LISTED,
    LINES_MAX,
    BadLine,
    ReadLine,
    StatementReader,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.money import yuan
from marketplace.kernel.spreadsheets import FileUnreadable, row_batches

STATEMENT_BYTES_MAX = 20 * 1024 * 1024
_ACCOUNT_NUMBER = re.compile(r"[0-9]{8,32}")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that may be imported: its lines in order, and those that no file brought before."""

    file: ReadFile
    added: Added
    new: list[tuple[ReadLine, bytes]]
    previous: queries.BankStatement | None


def account_of(number: str) -> str:
    """The digits of an account number as somebody wrote it.

    Raises:
        StatementUnreadable: when it is no account number.
    """
    bare = re.sub(r"[\s-]", "", number)
    if not _ACCOUNT_NUMBER.fullmatch(bare):
        raise StatementUnreadable("The account number has 8 to 32 digits.", asked=bare[:40])
    return bare


async def require_unknown(tx: Tx, content: bytes) -> bytes:
    """The digest of a file that was not imported before.

    Raises:
        StatementKnown: when these very bytes were.
    """
    sha256 = hashlib.sha256(content).digest()
    known = await queries.known_file(tx, sha256)
    if known is not None:
        raise StatementKnown(f"It is statement {known}.", statement_id=known)
    return sha256


async def read_file(tx: Tx, account_number: str, content: bytes) -> ReadFile:
    """A file as it was read, with everything that is wrong with it.

    Raises:
        StatementUnreadable: when it cannot be opened at all.
        StatementTooLong: for more lines or bytes than a statement may have.
    """
    if len(content) > STATEMENT_BYTES_MAX:
        raise StatementTooLong("At most 20 MB.", limit=STATEMENT_BYTES_MAX, asked=len(content))
    if is_xml(content):
        file = await asyncio.to_thread(read_camt, content, account_number)
    elif is_mt940(content):
        file = await asyncio.to_thread(read_mt940, content, account_number)
    else:
        house = await payout_queries.house_account(tx, account_number)
        file = await _table(account_number, content, house.statement_columns if house else {})
    if len(file.lines) > LINES_MAX:
        raise StatementTooLong(f"At most {LINES_MAX:,} lines.", limit=LINES_MAX)
    return file


async def _table(
    account_number: str, content: bytes, columns: Mapping[str, Sequence[str]]
) -> ReadFile:
    mapping = {Column[name.upper()]: names for name, names in columns.items()}
    reader = StatementReader(account_number, mapping)
    try:
        async for batch in row_batches(content, old_excel=True):
            for row in batch:
                reader.take(row)
            if reader.too_long:
                raise StatementTooLong(f"At most {LINES_MAX:,} lines.", limit=LINES_MAX)
    except FileUnreadable as error:
        raise StatementUnreadable(error.detail) from error
    reader.finish()
    names = reader.layout.names if reader.layout else {}
    return ReadFile(
        Format.TABLE,
        reader.lines,
        reader.stated,
        reader.bad,
        reader.bad_total,
        headers=reader.headers,
        columns={column.name.lower(): name for column, name in names.items()},
    )


async def prepare(tx: Tx, account_number: str, file: ReadFile) -> Prepared:
    """Which lines are new, and that they continue the account to the fen.

    Raises:
        StatementUnreadable: with every line that is wrong.
        StatementKnown: when every line came in earlier files.
        StatementDiscontinued: when lines since the last statement are missing.
    """
    if file.bad_total:
        raise _unreadable(file.bad, file.bad_total)
    previous = await queries.last_statement(tx, account_number)
    if file.format is Format.CAMT_054:
        await _open_notice(tx, account_number, file, previous)
    added = await asyncio.to_thread(added_up, file.lines, file.stated)
    if isinstance(added, list):
        raise _unreadable(added, len(added))
    in_parts = file.format in (Format.CAMT_053, Format.CAMT_054)
    new = await _unknown(tx, account_number, added.lines, in_parts=in_parts)
    _require_continued(previous, added, [line.amount_fen for line, _ in new])
    return Prepared(file, added, new, previous)


async def _open_notice(
    tx: Tx, account_number: str, file: ReadFile, previous: queries.BankStatement | None
) -> None:
    """A notice states no balance: it continues the last statement, line by known number."""
    if previous is None:
        raise StatementDiscontinued(
            "A camt.054 notice states no balances; import a statement of this account first."
        )
    nameless = [
        BadLine(line.number, "AcctSvcrRef", "no number of the bank's, so that the statement of the"
                " day could not tell that it is known")
        for line in file.lines
        if not line.reference
    ]  # fmt: skip
    if nameless:
        raise _unreadable(nameless, len(nameless))
    new = await _unknown(tx, account_number, file.lines, in_parts=True)
    moved = sum(line.amount_fen for line in file.lines) - sum(line.amount_fen for line, _ in new)
    file.stated.opening_fen = previous.closing_fen - moved


async def _unknown(
    tx: Tx, account_number: str, lines: Sequence[ReadLine], *, in_parts: bool
) -> list[tuple[ReadLine, bytes]]:
    """The lines that no earlier file brought.

    With `in_parts`, also not as a whole, or in parts, under the same number of the bank's.
    """
    named = await asyncio.to_thread(identities, account_number, lines)
    known = await queries.known_identities(tx, named)
    new = [
        (line, identity)
        for line, identity in zip(lines, named, strict=True)
        if identity not in known
    ]
    if not in_parts:
        return new
    sums: dict[tuple[str, object], int] = {}
    for line, _ in new:
        if line.reference:
            booking = (line.reference.partition("/")[0], line.booked_on)
            sums[booking] = sums.get(booking, 0) + line.amount_fen
    booked = await queries.known_bookings(tx, account_number, [name for name, _ in sums])
    return [
        (line, identity)
        for line, identity in new
        if not line.reference
        or (booking := (line.reference.partition("/")[0], line.booked_on)) not in booked
        or booked[booking] != sums[booking]
    ]


def _unreadable(bad: Sequence[BadLine], total: int) -> StatementUnreadable:
    return StatementUnreadable(
        f"{total} things are wrong with the file; nothing was imported.",
        reasons=[
            Reason(
                "statement-line",
                f"{_place(one)}{one.reason}",
                asked={"line": one.line, "column": one.column, "value": one.value},
            )
            for one in bad[:BAD_LINES_LISTED]
        ],
        total=total,
    )


def _place(bad: BadLine) -> str:
    place = ", ".join(part for part in (f"line {bad.line}" * (bad.line > 0), bad.column) if part)
    return f"{place}: " if place else ""


def _require_continued(
    previous: queries.BankStatement | None, read: Added, amounts: Sequence[int]
) -> None:
    if not amounts:
        raise StatementKnown("Every line of it came in earlier files.")
    before = read.closing_fen - sum(amounts)
    if previous is not None and previous.closing_fen != before:
        raise StatementDiscontinued(
            f"The last statement (until {previous.until_on}) closed with "
            f"{yuan(previous.closing_fen)} yuan; the new lines of this one begin at "
            f"{yuan(before)}. Import what lies between first.",
            limit=previous.closing_fen,
            asked=before,
        )
