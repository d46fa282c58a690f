"""Looking at a statement before it is imported: what would be read, and nothing is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from marketplace.billing.reconciliation.errors import (
    StatementDiscontinued,
    StatementKnown,
    StatementTooLong,
    StatementUnreadable,
)
from marketplace.billing.reconciliation.rules.reading import ReadLine
from marketplace.billing.reconciliation.use_cases.booking import closed_days
from marketplace.billing.reconciliation.use_cases.reading import (
    account_of,
    prepare,
    read_file,
    require_unknown,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError, Reason

PREVIEW_LINES = 200


@dataclass(frozen=True, slots=True)
class PreviewStatement:
    """A file as the bank exported it, for one of the platform's accounts."""

    account_number: str
    content: bytes


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """A line as it would be read, and whether an earlier file brought it."""

    line: ReadLine
    known: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What importing the file would do.

    `problems` says why it would be refused; without any it would be imported. `expected_fen` is
    what the account's last statement closed with, and has to be what the new lines begin at.
    """

    format: str
    file_sha256: str
    headers: tuple[str, ...]
    columns: dict[str, str]
    other_accounts: tuple[str, ...]
    lines: int
    known_lines: int
    opening_fen: int | None
    in_fen: int
    out_fen: int
    closing_fen: int | None
    expected_fen: int | None
    first: tuple[PreviewLine, ...]
    problems: tuple[Reason, ...]


_REFUSALS = (StatementUnreadable, StatementTooLong, StatementKnown, StatementDiscontinued)


async def preview_statement(tx: Tx, command: PreviewStatement) -> Preview:
    """Read a file as an import would, and tell what came of it.

    Raises:
        StatementUnreadable: when the account number is none, or the file cannot be opened.
        StatementTooLong: for more lines or bytes than a statement may have.
    """
    number = account_of(command.account_number)
    file = await read_file(tx, number, command.content)
    prepared, problems = None, []
    try:
        await require_unknown(tx, command.content)
        prepared = await prepare(tx, number, file)
    except _REFUSALS as error:
        problems = _told(error)
    lines = prepared.added.lines if prepared else file.lines
    new = {id(line) for line, _ in prepared.new} if prepared else {id(line) for line in lines}
    fresh = [line.amount_fen for line in lines if id(line) in new]
    if prepared is not None:
        days = await closed_days(tx)
        shut = sorted({one.booked_on for one, _ in prepared.new if days.closes(one.booked_on)})
        problems += [
            Reason("ledger-period-closed", f"the books of {day} are closed", asked=day)
            for day in shut[:20]
        ]
    return Preview(
        format=str(file.format),
        file_sha256=hashlib.sha256(command.content).hexdigest(),
        headers=tuple(file.headers),
        columns=file.columns,
        other_accounts=tuple(file.other_accounts[:20]),
        lines=len(lines),
        known_lines=len(lines) - len(fresh),
        opening_fen=prepared.added.closing_fen - sum(fresh) if prepared else None,
        in_fen=sum(fen for fen in fresh if fen > 0),
        out_fen=-sum(fen for fen in fresh if fen < 0),
        closing_fen=prepared.added.closing_fen if prepared else None,
        expected_fen=prepared.previous.closing_fen if prepared and prepared.previous else None,
        first=tuple(PreviewLine(line, id(line) not in new) for line in lines[:PREVIEW_LINES]),
        problems=tuple(problems),
    )


def _told(error: DomainError) -> list[Reason]:
    return list(error.reasons) or [Reason(error.code, error.detail or error.title)]
