"""Importing a statement: whole or not at all, in continuation of the one before."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from operator import attrgetter

from sqlalchemy import insert, select

from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import AccountType, EntryKind
from marketplace.billing.reconciliation import queries
from marketplace.billing.reconciliation.rules.continuity import Added, opening_identity
from marketplace.billing.reconciliation.rules.reading import ReadLine
from marketplace.billing.reconciliation.rules.references import references
from marketplace.billing.reconciliation.rules.states import LineStatus
from marketplace.billing.reconciliation.tables import bank_statement, statement_line
from marketplace.billing.reconciliation.use_cases.reading import (
    account_of,
    prepare,
    read_file,
    require_unknown,
)
from marketplace.billing.reconciliation.use_cases.turns import continue_account
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class ImportStatement:
    """A file as the bank exported it, for one of the platform's accounts."""

    account_number: str
    file_name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of `statement_line`, in the order of its columns."""

    statement_id: int
    line_number: int
    identity: bytes
    booked_on: date
    amount_fen: int
    balance_fen: int
    counterparty_name: str
    counterparty_account: str
    remark: str
    bank_reference: str
    status: str
    end_to_end_id: str
    named: list[str]


_COLUMNS = tuple(field.name for field in fields(_Line))


async def import_statement(tx: Tx, command: ImportStatement) -> queries.BankStatement:
    """Import a statement and book each of its lines between bank and bank suspense.

    Lines that came in an earlier file are skipped; what is left has to continue the account to the
    fen. What an account had before its first statement becomes a line of its own.

    Raises:
        StatementUnreadable: with every line that is wrong; nothing is imported then.
        StatementTooLong: for more lines or bytes than a statement may have.
        StatementKnown: when the file, or every line of it, was imported before.
        StatementDiscontinued: when lines since the last statement are missing.
        PeriodClosed: when a line lies in a period that was signed off.
    """
    number = account_of(command.account_number)
    sha256 = await require_unknown(tx, command.content)
    file = await read_file(tx, number, command.content)
    await continue_account(tx, number)
    await require_unknown(tx, command.content)
    prepared = await prepare(tx, number, file)
    read, new, previous = prepared.added, prepared.new, prepared.previous
    covered = [*(line.booked_on for line in read.lines), *file.stated.days]
    made = await _store(
        tx,
        read,
        [line for line, _ in new],
        account_number=number,
        previous_id=previous.id if previous else None,
        file_name=command.file_name[:200] or "statement",
        file_sha256=sha256,
        from_on=min(covered),
        until_on=max(covered),
        format=str(file.format),
    )
    lines = [_line(made.id, place, *one) for place, one in enumerate(new, 1)]
    if previous is None and made.opening_fen:
        lines.insert(0, _opening_line(made, lines[0].booked_on))
    await _book(tx, made.id, lines)
    tx.audit(
        "import",
        subject="bank_statement",
        subject_id=made.id,
        account_ends=number[-4:],
        file_sha256=sha256.hex(),
        lines=made.lines,
        known_lines=made.known_lines,
        closing_fen=made.closing_fen,
    )
    return await queries.statement_by_id(tx, made.id)


async def _store(
    tx: Tx, read: Added, new: Sequence[ReadLine], **facts: object
) -> queries.BankStatement:
    """The statement of what is new, in the chain of its account."""
    amounts = [line.amount_fen for line in new]
    made: int = await tx.scalar(
        insert(bank_statement)
        .values(
            **facts,
            opening_fen=read.closing_fen - sum(amounts),
            in_fen=sum(amount for amount in amounts if amount > 0),
            out_fen=-sum(amount for amount in amounts if amount < 0),
            closing_fen=read.closing_fen,
            lines=len(new),
            known_lines=len(read.lines) - len(new),
            imported_by=tx.actor.person_id,
            imported_at=tx.now,
        )
        .returning(bank_statement.c.id)
    )
    return await queries.statement_by_id(tx, made)


def _line(statement_id: int, place: int, line: ReadLine, identity: bytes) -> _Line:
    return _Line(
        statement_id=statement_id,
        line_number=place,
        identity=identity,
        booked_on=line.booked_on,
        amount_fen=line.amount_fen,
        balance_fen=line.balance_fen or 0,
        counterparty_name=line.name,
        counterparty_account=line.account,
        remark=line.remark,
        bank_reference=line.reference,
        status=LineStatus.UNMATCHED if line.amount_fen else LineStatus.IGNORED,
        end_to_end_id=line.end_to_end_id,
        named=references(f"{line.remark} {line.reference} {line.end_to_end_id}").names,
    )


def _opening_line(statement: queries.BankStatement, day: date) -> _Line:
    return _Line(
        statement_id=statement.id,
        line_number=0,
        identity=opening_identity(statement.account_number),
        booked_on=day,
        amount_fen=statement.opening_fen,
        balance_fen=statement.opening_fen,
        counterparty_name="",
        counterparty_account="",
        remark="期初余额",
        bank_reference="",
        status=LineStatus.UNMATCHED,
        end_to_end_id="",
        named=[],
    )


async def _book(tx: Tx, statement_id: int, lines: Sequence[_Line]) -> None:
    """Store the lines and post each of them, in a handful of statements."""
    connection = await tx.raw()
    await connection.copy_records_to_table(
        "statement_line", records=map(attrgetter(*_COLUMNS), lines), columns=_COLUMNS
    )
    stored = await tx.execute(
        select(statement_line.c.id, statement_line.c.booked_on, statement_line.c.amount_fen)
        .where(statement_line.c.statement_id == statement_id, statement_line.c.amount_fen != 0)
        .order_by(statement_line.c.id)
    )
    bank, suspense = [
        await ledger.open_account(tx, ledger.OpenAccount(of_type))
        for of_type in (AccountType.BANK, AccountType.BANK_SUSPENSE)
    ]
    moved = [(row.id, row.booked_on, row.amount_fen) for row in stored]
    await ledger.post_many(tx, await asyncio.to_thread(_entries, moved, bank, suspense))


def _entries(
    moved: Sequence[tuple[int, date, int]], bank: int, suspense: int
) -> list[ledger.Entry]:
    return [
        ledger.Entry(
            kind=EntryKind.SUSPENSE_RECEIVED if amount_fen > 0 else EntryKind.SUSPENSE_PAID,
            effective_on=booked_on,
            lines=ledger.transfer(
                debit=bank if amount_fen > 0 else suspense,
                credit=suspense if amount_fen > 0 else bank,
                amount_fen=abs(amount_fen),
            ),
            key=f"line:{line_id}",
            source_kind="statement_line",
            source_id=line_id,
        )
        for line_id, booked_on, amount_fen in moved
    ]
