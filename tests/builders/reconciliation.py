"""Bank exports as banks write them, and statements imported from them."""

import csv
import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from marketplace.billing.reconciliation import queries
from marketplace.billing.reconciliation.rules.states import MatchKind
from marketplace.billing.reconciliation.use_cases import (
    ImportStatement,
    MatchLine,
    MatchReport,
    MatchStatement,
    import_statement,
    match_line,
    match_statement,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically
from tests.builders.ledger import A_DAY, TEST

BANK_ACCOUNT = "3200000000000000001"
HEADER = (
    "交易日期",
    "借方发生额",
    "贷方发生额",
    "余额",
    "对方户名",
    "对方账号",
    "摘要",
    "交易流水号",
)

_numbers = itertools.count(1)


@dataclass(frozen=True)
class BankLine:
    """A line as the bank has it; positive is money in."""

    amount_fen: int
    booked_on: date = A_DAY
    name: str = "某公司"
    account: str = "6222020000000001"
    remark: str = "转账"
    reference: str = ""


def a_line(amount_fen: int, remark: str = "转账", **changes: Any) -> BankLine:
    """A line with a bank reference of its own."""
    given = {"reference": f"B{next(_numbers):010d}"}
    return BankLine(amount_fen, remark=remark, **(given | changes))


def yuan_cell(fen: int) -> str:
    """`-123456` → `-1,234.56`."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def rows_of(lines: Sequence[BankLine], *, opening_fen: int = 0) -> list[list[str]]:
    """Header and lines with a running balance."""
    balance = opening_fen
    rows = [list(HEADER)]
    for line in lines:
        balance += line.amount_fen
        rows.append(
            [
                f"{line.booked_on:%Y%m%d}",
                yuan_cell(-line.amount_fen) if line.amount_fen < 0 else "",
                yuan_cell(line.amount_fen) if line.amount_fen >= 0 else "",
                yuan_cell(balance),
                line.name,
                line.account,
                line.remark,
                line.reference,
            ]
        )
    return rows


def csv_file(
    rows: Sequence[Sequence[str]], *, encoding: str = "gb18030", delimiter: str = ","
) -> bytes:
    """Rows as a text file."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode(encoding)


def a_file(lines: Sequence[BankLine], *, opening_fen: int = 0, **changes: Any) -> bytes:
    """The lines as a bank exports them."""
    return csv_file(rows_of(lines, opening_fen=opening_fen), **changes)


async def imported(
    database: Database,
    content: bytes,
    *,
    account_number: str = BANK_ACCOUNT,
    actor: Actor = TEST,
    file_name: str = "明细.csv",
) -> queries.BankStatement:
    """The statement that a file became."""
    command = ImportStatement(account_number, file_name, content)
    return await atomically(database, import_statement, command, actor=actor)


async def a_statement(
    database: Database, *lines: BankLine, opening_fen: int = 0, **changes: Any
) -> queries.BankStatement:
    """An imported statement of these lines."""
    return await imported(database, a_file(lines, opening_fen=opening_fen), **changes)


async def matched(
    database: Database, statement: queries.BankStatement, actor: Actor = TEST
) -> MatchReport:
    """What the rules made of it."""
    command = MatchStatement(statement.id)
    return await atomically(database, match_statement, command, actor=actor)


async def the_lines(database: Database, **asked: Any) -> list[queries.StatementLine]:
    """Lines in the order of the bank."""
    search = queries.LineSearch(**({"page_size": 500} | asked))
    found, _ = await atomically(database, queries.statement_lines, search, actor=TEST)
    return sorted(found, key=lambda line: line.id)


async def explained(
    database: Database,
    line_id: int,
    kind: MatchKind,
    target_id: int | None = None,
    *,
    reason: str = "电话确认",
    actor: Actor = TEST,
) -> queries.StatementLine:
    """A line that a person has explained."""
    command = MatchLine(line_id, kind, reason, target_id)
    return await atomically(database, match_line, command, actor=actor)


async def the_balancing(database: Database, **asked: Any) -> queries.Balancing:
    """How bank and books stand."""
    question = queries.BalancingAsked(**asked)
    return await atomically(database, queries.balancing, question, actor=TEST)
