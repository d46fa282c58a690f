"""Tables that are sent can be read again, and no text becomes a formula."""

from datetime import date
from typing import Any

import pytest

from marketplace.kernel.spreadsheets import FileFormat, row_batches, table_file
from marketplace.kernel.spreadsheets.writing import workbook_bytes

ROWS: list[list[Any]] = [
    ["名称", "分钟", "日"],
    ["显微镜", 60, date(2025, 3, 1)],
    ["=1+1", -5, None],
]


@pytest.mark.parametrize("form", list(FileFormat))
async def test_what_is_written_is_what_is_read(form: FileFormat):
    content = await table_file(ROWS, form, sheet="机时")

    read = [row.cells async for batch in row_batches(content) for row in batch]

    formula = "'=1+1" if form is FileFormat.CSV else "=1+1"
    assert [["名称", "分钟", "日"], ["显微镜", "60", "2025-03-01"]] == read[:2]
    assert [formula, "-5"] == read[2][:2]


async def test_the_same_rows_give_the_same_bytes():
    first, second = [await table_file(ROWS, FileFormat.XLSX) for _ in range(2)]

    assert first == second


def test_more_rows_than_a_sheet_keeps_are_refused():
    with pytest.raises(ValueError, match="one sheet"):
        workbook_bytes({"1": [[]] * 1_048_577})
