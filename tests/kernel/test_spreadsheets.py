"""Rows out of files that people send, and files that would do harm."""

import datetime
import io
from typing import Any

import pytest
import xlsxwriter

from marketplace.kernel.spreadsheets import FileUnreadable, Row, row_batches
from marketplace.kernel.spreadsheets.reading import encoding_of


async def rows_in(content: bytes) -> list[Row]:
    """Every row of a file."""
    return [row for batch in [batch async for batch in row_batches(content)] for row in batch]


def a_workbook(cells: dict[tuple[int, int], Any]) -> bytes:
    """A workbook with these cells, typed as Python types them."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("表")
    for (row, column), value in cells.items():
        sheet.write(row, column, value)
    book.close()
    return file.getvalue()


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("gbk", "gb18030"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
def test_an_encoding_is_told_by_its_bytes(encoding: str, found: str) -> None:
    assert encoding_of("编号,名称,model,price\n1,电镜,M-1,2\n".encode(encoding)) == found


async def test_rows_carry_the_line_on_which_they_begin() -> None:
    found = await rows_in(b'a,b\n\n1,"x\ny"\n , \n2,3')

    assert found == [Row(1, ["a", "b"]), Row(3, ["1", "x\ny"]), Row(6, ["2", "3"])]


async def test_a_quote_that_never_closes_breaks_its_line_only() -> None:
    found = await rows_in(b'a,b\n1,"' + b"x\n" * 100_000 + b'"\n2,3\n')

    assert found[0] == Row(1, ["a", "b"])
    assert found[1].broken


async def test_cells_of_a_workbook_read_as_people_read_them() -> None:
    found = await rows_in(
        a_workbook(
            {
                (2, 1): 13912345678,
                (2, 2): 0.1 + 0.2,
                (2, 3): True,
                (2, 4): datetime.date(2020, 1, 2),
                (4, 0): "00123",
            }
        )
    )

    assert found == [
        Row(3, ["", "13912345678", "0.3", "是", "2020-01-02"], "表"),
        Row(5, ["00123", "", "", "", ""], "表"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        a_workbook({(0, 0): "first", (1_048_575, 16_383): "the last corner"}),
        a_workbook({(0, 0): "cut"})[:-200],
        b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        bytes(range(256)),
    ],
)
async def test_what_cannot_be_read_is_refused(content: bytes) -> None:
    with pytest.raises(FileUnreadable):
        await rows_in(content)
