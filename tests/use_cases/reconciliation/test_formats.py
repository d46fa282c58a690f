"""Statements of any format: looked at first, imported whole, each booking once."""

import io
import zipfile
from pathlib import Path

import pytest

from marketplace.billing.reconciliation.errors import (
    StatementDiscontinued,
    StatementKnown,
    StatementUnreadable,
)
from marketplace.billing.reconciliation.use_cases import PreviewStatement, preview_statement
from marketplace.kernel.db import Database, atomically
from tests.builders.ledger import TEST
from tests.builders.reconciliation import (
    BANK_ACCOUNT,
    a_file,
    a_line,
    csv_file,
    imported,
    the_balancing,
    the_lines,
)

FILES = Path(__file__).parents[2] / "rules" / "reconciliation" / "files"
V02, V08, NOTICE, SWIFT = [
    (FILES / name).read_bytes()
    for name in ("camt.053.001.02.xml", "camt.053.001.08.xml", "camt.054.001.08.xml", "swift.mt940")
]
# The statement of the day that a notice spoke of, where the bank books its two payments as one.
DAY_AFTER = (
    V08.replace(b"4795.00", b"4875.00", 1)
    .replace(b">4875.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2025-03-04</Dt></Dt></Bal>\n"
             b"      <Ntry>", b">4575.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal><Ntry>")
    .replace(b"2025-03-04", b"2025-03-05")
    .replace(b"2025030400001", b"2025030500001")
    .replace(b"80.00", b"300.00")
    .replace(b"<CdtDbtInd>CRDT</CdtDbtInd><RvslInd>true</RvslInd>", b"<CdtDbtInd>DBIT</CdtDbtInd>")
    .replace(b"<CdtDbtInd>CRDT</CdtDbtInd>\n          <Rltd", b"\n          <Rltd")
)  # fmt: skip


async def preview(database: Database, content: bytes, account: str = BANK_ACCOUNT):
    command = PreviewStatement(account, content)
    return await atomically(database, preview_statement, command, actor=TEST)


async def test_statements_of_three_days_and_a_notice_continue_each_other(
    database: Database,
) -> None:
    first = await imported(database, V02)
    assert (first.format, first.closing_fen, first.lines) == ("camt.053", 479_500, 4)
    assert (await imported(database, V08)).closing_fen == 487_500
    notice = await imported(database, NOTICE)
    assert (notice.format, notice.opening_fen, notice.closing_fen) == ("camt.054", 487_500, 457_500)
    named = {line.remark: line for line in await the_lines(database)}
    assert named["充值 SC-W-7"].counterparty_account == "6222020000000001"
    seen = await preview(database, DAY_AFTER)
    assert [problem.rule for problem in seen.problems] == ["bank-statement-known"]
    with pytest.raises(StatementKnown, match="Every line"):
        await imported(database, DAY_AFTER)
    assert (await the_balancing(database)).difference_fen == 0


async def test_a_notice_needs_a_statement_before_it_and_numbers_of_the_bank(
    database: Database,
) -> None:
    with pytest.raises(StatementDiscontinued, match="states no balances"):
        await imported(database, NOTICE)
    await imported(database, V02)
    nameless = NOTICE.replace(b"2025030500001", b"")
    with pytest.raises(StatementUnreadable):
        await imported(database, nameless)


async def test_the_same_day_in_two_formats_is_booked_once(database: Database) -> None:
    whole = await imported(database, SWIFT)
    assert (whole.format, whole.closing_fen) == ("MT940", 490_000)
    again = SWIFT.replace(b":20:STMT250303", b":20:STMT250304")
    with pytest.raises(StatementKnown):
        await imported(database, again)
    assert len(await the_lines(database)) == 4


async def test_a_preview_tells_what_an_import_would_do_and_keeps_nothing(
    database: Database,
) -> None:
    lines = [a_line(100_00), a_line(-30_00)]
    content = a_file(lines)
    seen = await preview(database, content)
    assert (seen.format, seen.lines, seen.known_lines, seen.problems) == ("table", 2, 0, ())
    assert (seen.opening_fen, seen.in_fen, seen.out_fen, seen.closing_fen) == (0, 10000, 3000, 7000)
    assert (seen.columns["booked_on"], seen.headers[0]) == ("交易日期", "交易日期")
    assert await the_lines(database) == []
    await imported(database, content)
    longer = a_file([*lines, a_line(5_00)])
    seen = await preview(database, longer)
    assert (seen.lines, seen.known_lines, seen.expected_fen) == (3, 2, 7000)
    assert [each.known for each in seen.first] == [True, True, False]
    gap = a_file([a_line(1_00)], opening_fen=99_00)
    assert [p.rule for p in (await preview(database, gap)).problems] == [
        "bank-statement-discontinued"
    ]
    assert (await preview(database, content)).problems[0].rule == "bank-statement-known"


def a_bomb() -> bytes:
    """A workbook of a few kilobytes that unpacks to a gigabyte."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        book.writestr("xl/workbook.xml", "<workbook/>")
        with book.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(300):
                sheet.write(b" " * (1 << 20))
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        a_bomb(),
        a_file([a_line(1_00)], encoding="utf-16")[:-7],
        V02[:-300],
        V02.decode().encode("gb18030"),
        b'<!DOCTYPE x [<!ENTITY a "b">]><Document>&a;</Document>',
        V02.replace(
            b"<Document", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Document', 1
        ).replace("南京某科技有限公司".encode(), b"&a;"),
        SWIFT[:-90],
        b"PK\x03\x04" + b"\x00" * 100,
        b"\x00\xff" * 400,
        csv_file([["day", "what"], ["1", "2"]]),
    ],
    ids=[
        "bomb",
        "cut-utf16",
        "cut-xml",
        "other-encoding",
        "entities",
        "external-entity",
        "cut-swift",
        "no-zip",
        "noise",
        "other-table",
    ],
)
async def test_damaged_bomb_sized_and_hostile_files_are_refused_and_nothing_is_kept(
    database: Database, content: bytes
) -> None:
    with pytest.raises(StatementUnreadable) as refused:
        await imported(database, content)
    assert refused.value.detail
    assert await the_lines(database) == []
