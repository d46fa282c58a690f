"""Exports as named banks write them: their headers, padding, marks and words, with our two lines.

The layouts are those of public sample files of the banks' personal e-banks; corporate ones are
not published and name their columns alike.
"""

import pytest

from tests.rules.reconciliation.test_reading import IN, OUT, read, understood, workbook

ICBC = (
    "明细查询文件下载\n\n"
    '卡号: 3200****0001,"卡别名: 基本户"\n\n'
    '子账户序号: 00000,子账户类别: 活期,"子账户别名: "\n\n'
    "交易日期,摘要,交易详情,交易场所,交易国家或地区简称,钞/汇,交易金额(收入),交易金额(支出),"
    "交易币种,记账金额(收入),记账金额(支出),记账币种,余额,对方户名,对方账户\n"
    '2025-03-03     \t,"他行汇入            \t","    \t","     \t","CHN     \t",钞   \t,'
    '"-      \t","-      \t",-       \t,"1,234.00   \t","      \t",人民币   \t,"1,234.00   \t",'
    '"某大学                   \t","6222****0001       \t",\n'
    '2025-03-04     \t,"手续费              \t","    \t","     \t","CHN     \t",钞   \t,'
    '"-      \t","-      \t",-       \t,"      \t","34.50      \t",人民币   \t,"1,199.50   \t",'
    '"某公司                   \t","6222****0002       \t",\n'
    ' \n人民币合计,,,,,,,,,"1,234.00   \t","34.50   \t",\n'
)
BOCOM = (
    "序号,交易日期,交易时间,交易类型,借贷,交易金额,余额,对方账号,对方户名,交易地点,摘要\n"
    '1,2025-03-03,09:20:43,转账,贷 Cr,"1,234.00","1,234.00",6222020000000001,某大学,网上银行,拨款\n'
    "2,2025-03-04,09:20:43,收费,借 Dr,34.50,1199.50,6222020000000002,某公司,网上银行,手续费\n"
)
BOC = (
    "中国银行交易流水明细单\n"
    "记账日期,记账时间,币别,金额,余额,交易名称,渠道,网点名称,附言,对方账户名,对方卡号/账号,"
    "对方开户行,借记卡号\n"
    '2025-03-04,17:57:17,人民币,-34.50,"1,199.50",收费,柜面,-------------------,----------,某公司,'
    "6222020000000002,-------------------,0001\n"
    '2025-03-03,12:24:20,人民币,"1,234.00","1,234.00",汇入,银企对接,----------,拨款,某大学,'
    "6222020000000001,-------------------,0001\n"
)
CMB = (
    "记账日期,货币,交易金额,联机余额,交易摘要,对手信息,客户摘要\n"
    '2025-03-03,CNY,"1,234.00","1,234.00",汇入汇款,某大学,拨款\n'
    '2025-03-04,CNY,-34.50,"1,199.50",收费,某公司,手续费\n'
)
ABC = (
    "交易日期,交易时间,交易摘要,交易金额,本次余额,对手信息,日 志 号,交易渠道,交易附言\n"
    "20250303,123456,转存,+1234.00,1234.00,某大学,369396693,超级网银,转账\n"
    "20250304,,收费,-34.50,1199.50,某公司,369333999\n"
)
AS_TEXT = {"ICBC": ICBC, "BOCOM": BOCOM, "BOC": BOC, "CMB": CMB, "ABC": ABC}
CCB = [
    ["China Construction Bank"],
    ["币\u3000\u3000种：", "人民币"],
    ["账\u3000\u3000号：", "3200*********0001"],
    [
        *("记账日   ", "交易日期   ", "交易时间  ", "支出   ", "收入   ", "账户余额  ", "币种  "),
        *("摘要  ", "对方账号  ", "对方户名  ", "交易地点  "),
    ],
    ["20250303", "20250303", "18:53:19", 0, 1234, 1234, "人民币", "汇入", "6*1", "某大学", ""],
    ["20250304", "20250303", "19:12:59", 34.5, 0, 1199.5, "人民币", "收费", "6*2", "某公司", ""],
]
SPDB = [
    ["账号", "3200000000000000001", "账户类型", "对公", "日期范围", "20250301-20250331"],
    [
        *("顺序号", "交易日期", "交易类型", "存入金额", "取出金额", "余额"),
        *("交易对手名称", "交易对手账号", "附言"),
    ],
    ["1", "2025/03/03  14:06:51", "汇入", "1,234.00", "", "1234", "某大学", "6222020000000001", ""],
    ["2", "2025/03/04  07:22:32", "收费", "", "34.50", "1199.5", "某公司", "6222020000000002", ""],
]
AS_WORKBOOK = {"CCB": CCB, "SPDB": SPDB}


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig"])
@pytest.mark.parametrize("export", AS_TEXT.values(), ids=AS_TEXT)
async def test_an_export_of_a_named_bank_is_read_as_it_comes(export, encoding):
    content = export.replace("\n", "\r\n").encode(encoding)

    assert await understood(content) == [IN, OUT]
    assert {line.name for line in (await read(content)).lines} == {"某大学", "某公司"}


@pytest.mark.parametrize("export", AS_WORKBOOK.values(), ids=AS_WORKBOOK)
async def test_a_workbook_of_a_named_bank_is_read_as_it_comes(export):
    content = workbook(export)

    assert await understood(content) == [IN, OUT]
    assert [line.name for line in (await read(content)).lines] == ["某大学", "某公司"]


async def test_padding_with_tabs_within_quotes_does_not_hide_the_comma_between_cells():
    first = (await read(ICBC.encode())).lines[0]

    assert (first.remark, first.account) == ("他行汇入", "6222****0001")
