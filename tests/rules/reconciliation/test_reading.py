"""Every layout a bank exports gives the same lines; what is wrong is told with its place."""

from datetime import date, datetime
from io import BytesIO
from pathlib import Path

import pytest
import xlsxwriter

from marketplace.billing.reconciliation.rules.continuity import Added, added_up
from marketplace.billing.reconciliation.rules.layout import ALIASES, Column, layout_of, same_account
from marketplace.billing.reconciliation.rules.reading import StatementReader
from marketplace.kernel.spreadsheets import row_batches
from tests.builders.reconciliation import BANK_ACCOUNT, csv_file

FILES = Path(__file__).with_name("files")
# What all the files below say: money in, then money out.
IN, OUT = (date(2025, 3, 3), 123_400, 123_400), (date(2025, 3, 4), -3_450, 119_950)


async def read(content, account_number=BANK_ACCOUNT) -> StatementReader:
    reader = StatementReader(account_number)
    async for batch in row_batches(content, old_excel=True):
        for row in batch:
            reader.take(row)
    reader.finish()
    return reader


async def understood(content) -> list[tuple[date, int, int | None]]:
    reader = await read(content)
    assert reader.bad == []
    added = added_up(reader.lines, reader.stated)
    assert isinstance(added, Added)
    return [(line.booked_on, line.amount_fen, line.balance_fen) for line in added.lines]


def workbook(rows) -> bytes:
    out = BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    for place, row in enumerate(rows):
        for index, cell in enumerate(row):
            if isinstance(cell, datetime):
                sheet.write_datetime(
                    place, index, cell, book.add_format({"num_format": "yyyy/m/d"})
                )
            else:
                sheet.write(place, index, cell)
    book.close()
    return out.getvalue()


SIGNED = [
    ["交易日期", "交易发生金额", "账户余额", "对方账号", "对方户名", "摘要", "备注"],
    ["20250303", "+1,234.00", "1,234.00", "6222", "某大学", "转账", "SC-V-2025"],
    ["20250304", "-34.50", "1,199.50", "6222", "某公司", "手续费", "-"],
]
TWO_COLUMNS = [
    ["记账日期", "借方金额(元)", "贷方金额(元)", "余额", "对方名称", "附言", "银行流水号"],
    ["2025-03-03", "-", "1234.00", "1234.00", "某大学", "SC-V-2025", "1"],
    ["2025-03-04", "34.50", "", "1199.50", "某公司", "手续费", "2"],
]
MARKED = [
    ["入账日期", "交易时间", "借/贷", "金额", "余额", "对方名称", "用途", "币种", "本方账号"],
    ["2025年3月3日", "10:00", "贷", "１,２３４", "1,234.00", "某大学", "", "CNY", BANK_ACCOUNT],
    ["2025年3月4日", "11:00", "借", "34.5", "1,199.50", "某公司", "手续费", "人民币", BANK_ACCOUNT],
]
D_AND_C = [
    ["日期", "借贷标志(D/C)", "发生额", "余额"],
    ["2025/03/03 08:00:00", "C", "1234", "1234"],
    ["2025/03/04 08:00:00", "D", "34.5", "1199.5"],
]
INCOME = [
    ["交易时间", "收入", "支出", "余额", "交易对方"],
    ["2025-03-03 10:22:33", "1234.00", "0.00", "1234.00", "某大学"],
    ["2025-03-04 10:22:33", "0.00", "34.50", "1199.50", "某公司"],
]
LAYOUTS = {
    "signed": SIGNED,
    "two columns": TWO_COLUMNS,
    "marked": MARKED,
    "D and C": D_AND_C,
    "income": INCOME,
}


@pytest.mark.parametrize("rows", LAYOUTS.values(), ids=LAYOUTS)
async def test_every_layout_says_the_same(rows):
    assert await understood(csv_file(rows)) == [IN, OUT]


@pytest.mark.parametrize("delimiter", [",", "\t"])
@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
async def test_every_encoding_and_delimiter_says_the_same(encoding, delimiter):
    content = csv_file(TWO_COLUMNS, encoding=encoding, delimiter=delimiter)

    assert await understood(content) == [IN, OUT]
    assert (await read(content)).lines[0].name == "某大学"


async def test_a_workbook_with_days_and_numbers_in_its_cells_says_the_same():
    content = workbook(
        [
            ["账户明细"],
            ["记账日期", "发生额", "余额", "对方账号"],
            [datetime(2025, 3, 3), 1234.0, 1234.0, 6222020000000001],
            [datetime(2025, 3, 4), -34.5, 1199.5, "6222020000000001"],
        ]
    )

    assert await understood(content) == [IN, OUT]
    # A spreadsheet keeps fifteen digits: an account number that lost some is no account number.
    assert [line.account for line in (await read(content)).lines] == ["", "6222020000000001"]


async def test_a_true_xls_says_the_same():
    content = (FILES / "statement.xls").read_bytes()

    assert await understood(content) == [IN, OUT]
    assert (await read(content)).lines[0].name == "某某大学"


async def test_tab_separated_text_that_calls_itself_xls_says_the_same():
    padded = [[f"{cell}\u3000" for cell in row] for row in TWO_COLUMNS]

    assert await understood(csv_file(padded, delimiter="\t")) == [IN, OUT]


async def test_newest_first_is_turned_round():
    header, first, second = TWO_COLUMNS

    assert await understood(csv_file([header, second, first])) == [IN, OUT]


async def test_newest_first_without_balances_is_turned_round_by_its_days():
    rows = [
        ["期初余额：0.00 期末余额：1,199.50"],
        ["日期", "金额"],
        ["20250304", "-34.50"],
        ["20250303", "1234"],
    ]

    assert await understood(csv_file(rows)) == [IN, OUT]


async def test_what_stands_around_the_table_is_understood():
    rows = [
        ["账户明细查询"],
        ["账号:3200 0000 0000 0000 001 户名:演示中心 币种:人民币"],
        ["起止日期", "20250301-20250331"],
        ["期初余额", "0.00", "期末余额", "1,199.50"],
        [],
        *TWO_COLUMNS,
        TWO_COLUMNS[0],
        ["合计", "34.50", "1234.00", "", "", "", ""],
        ["打印时间：2025-04-01"],
    ]
    reader = await read(csv_file(rows))

    assert await understood(csv_file(rows)) == [IN, OUT]
    assert (reader.stated.account, reader.stated.currency) == (BANK_ACCOUNT, "人民币")
    assert (reader.stated.opening_fen, reader.stated.closing_fen) == (0, 119_950)
    assert reader.stated.days == [date(2025, 3, 1), date(2025, 3, 31)]


async def test_words_of_several_columns_are_one_remark_and_each_said_once():
    rows = [["日期", "金额", "备注", "摘要", "用途"], ["20250303", "1", "SC-W-7", "转账", "转账"]]

    assert (await read(csv_file(rows))).lines[0].remark == "转账 SC-W-7"


async def test_red_letters_turn_a_debit_round():
    rows = [["日期", "借方", "贷方", "余额"], ["20250303", "-50.00", "", "50.00"]]

    assert (await understood(csv_file(rows)))[0][1] == 5_000


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (["20250303", "5", "6", "1", ""], "借方", "debit and credit in one line"),
        (["20250303", "", "-", "1", ""], "借方", "no amount"),
        (["20250303", "1.005", "", "1", ""], "借方", "more than two decimals"),
        (["20250303", "", "1", "x", ""], "余额", "not an amount"),
        (["03-03", "", "1", "1", ""], "日期", "not a day, or a day without its year"),
        (["20250303", "", "1", "1", "USD"], "币种", "not in CNY"),
        (["20250303", "", "99999999999", "1", ""], "贷方", "too large"),
    ],
)
async def test_a_bad_line_is_told_with_line_column_and_reason(row, column, reason):
    rows = [["日期", "借方", "贷方", "余额", "币种"], ["20250302", "", "1", "1", "CNY"], row]

    (bad,) = (await read(csv_file(rows))).bad

    assert (bad.line, bad.column, bad.reason) == (3, column, reason)


async def test_a_mark_that_is_neither_is_told():
    (bad,) = (await read(csv_file([["日期", "借贷", "金额"], ["20250303", "?", "1"]]))).bad

    assert (bad.column, bad.reason) == ("借贷", "neither 借 nor 贷")


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        ([["日期", "金额"], ["20250303", "1"]], "余额"),
        ([["期初余额", "5"], ["期末余额", "7"], ["日期", "金额"], ["20250303", "1"]], "期末余额"),
        ([["日期", "金额", "余额"], ["20250303", "1", "1"], ["20250303", "1", "3"]], "余额"),
    ],
)
async def test_a_file_that_does_not_add_up_says_where(rows, column):
    reader = await read(csv_file(rows))
    wrong = added_up(reader.lines, reader.stated)

    assert isinstance(wrong, list)
    assert column in {bad.column for bad in wrong}


async def test_balances_on_some_lines_only_are_held_to():
    rows = [
        ["日期", "金额", "余额"],
        ["20250303", "1", ""],
        ["20250303", "2", "13"],
        ["20250304", "3", ""],
    ]

    assert [line[2] for line in await understood(csv_file(rows))] == [1_100, 1_300, 1_600]


def test_every_alias_finds_its_column():
    for column, aliases in ALIASES.items():
        for alias in aliases:
            header = ["日期", "金额", f" {alias}（元）" if "(" not in alias else alias]
            found = layout_of(header)

            assert found is not None
            assert column is Column.REMARK or column in found.at, alias


def test_a_table_of_something_else_is_no_statement():
    assert layout_of(["姓名", "日期", "电话"]) is None
    assert layout_of(["日期", "借方"]) is None


@pytest.mark.parametrize(
    ("stated", "same"),
    [
        ("6222****0001", True),
        ("6222XXXX0001", True),
        ("6222****0002", False),
        ("622200010001", True),
    ],
)
def test_a_masked_account_is_the_one_that_it_can_be(stated, same):
    assert same_account(stated, "622200010001") is same
