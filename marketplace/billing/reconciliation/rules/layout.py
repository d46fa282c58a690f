"""Which column of a bank export is what, and what stands above the columns.

There is no standard: every bank names and orders its columns, puts lines of its own before the
header, and states the account, the period and the balances there (F.bank).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from marketplace.billing.reconciliation.rules.cells import (
    BALANCE_FEN_MAX,
    amount_fen,
    clean,
    days_in,
)


class Column(StrEnum):
    """What a column says; the value is its most usual name."""

    BOOKED_ON = "记账日期"
    AMOUNT = "发生额"
    DEBIT = "借方金额"
    CREDIT = "贷方金额"
    MARK = "借贷标志"
    BALANCE = "余额"
    NAME = "对方户名"
    ACCOUNT = "对方账号"
    REMARK = "摘要"
    REFERENCE = "交易流水号"
    END_TO_END = "客户端流水号"
    OWN_ACCOUNT = "本方账号"
    CURRENCY = "币种"


# In order of preference: the day of booking before the day of the order, a bank's own number
# before that of a receipt.
ALIASES: dict[Column, tuple[str, ...]] = {
    column: tuple(" ".join(names).split())
    for column, names in {
        Column.BOOKED_ON: [
            "记账日期 记账日 入账日期 入账日 会计日期 交易日期 交易日 发生日期 日期",
            "记账时间 入账时间 交易时间 交易日期时间",
        ],
        Column.AMOUNT: ["发生额 金额 交易金额 交易发生金额 发生金额 交易额 交易发生额"],
        Column.DEBIT: [
            "借方发生额 借方金额 借方发生金额 借方 支出金额 支出 付款金额 转出金额 支取金额",
            "取出金额 记账金额(支出)",
        ],
        Column.CREDIT: [
            "贷方发生额 贷方金额 贷方发生金额 贷方 收入金额 收入 收款金额 转入金额 存入金额",
            "记账金额(收入)",
        ],
        Column.MARK: [
            "借贷标志 借贷标识 借贷方向 借贷 借/贷 借贷类型",
            "收支 收/支 收支标志 收付标志 收支方向 交易方向",
        ],
        Column.BALANCE: ["余额 账户余额 帐户余额 本次余额 交易后余额 当前余额 联机余额"],
        Column.NAME: [
            "对方户名 对方名称 对方账户名称 对方账户名 对方单位名称 对方单位 交易对方",
            "对手户名 交易对手名称 收(付)方名称 对方姓名 对手信息",
        ],
        Column.ACCOUNT: [
            "对方账号 对方帐号 对方账户 对方卡号 对手账号 交易对手账号 收(付)方账号 对方卡号/账号"
        ],
        Column.REMARK: [
            "摘要 交易摘要 摘要说明 用途 交易用途 附言 交易附言 客户附言 备注 交易备注"
        ],
        Column.REFERENCE: [
            "交易流水号 银行流水号 流水号 核心流水号 业务流水号 账户明细编号 回单编号 回单号 日志号"
        ],
        Column.END_TO_END: ["客户端流水号 企业流水号 客户流水号 企业支付流水号"],
        Column.OWN_ACCOUNT: ["本方账号 本方帐号 账号 帐号 查询账号"],
        Column.CURRENCY: ["记账币种 币种 货币 币别"],
    }.items()
}

_COLUMN_OF = {
    alias: (column, place)
    for column, aliases in ALIASES.items()
    for place, alias in enumerate(aliases)
}
_IN_BRACKETS = re.compile(r"\([^()]*\)$")
CHINESE_MONEY = frozenset({"", "CNY", "RMB", "人民币", "人民币元", "156", "01"})


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each column stands; remarks may stand in several. Rows are given with clean cells."""

    at: dict[Column, int]
    remarks: tuple[int, ...]
    names: dict[Column, str]

    def cell(self, cells: Sequence[str], column: Column) -> str:
        """What a row says in `column`; nothing when it has no such column."""
        place = self.at.get(column)
        return cells[place] if place is not None and place < len(cells) else ""

    def remark(self, cells: Sequence[str]) -> str:
        """What a row says in its columns for words, each thing once."""
        said = (cells[place] for place in self.remarks if place < len(cells))
        return " ".join(dict.fromkeys(word for word in said if word))


def layout_of(
    cells: Sequence[str], mapping: Mapping[Column, Sequence[str]] | None = None
) -> Layout | None:
    """The layout that this row of headers names, or None when it is no such row.

    What was saved for the account's bank goes before what columns are usually called.
    """
    mapped = {
        clean(name).replace(" ", ""): (column, place)
        for column, names in (mapping or {}).items()
        for place, name in enumerate(names)
    }
    best: dict[Column, tuple[int, int]] = {}
    remarks: list[tuple[int, int]] = []
    for index, cell in enumerate(cells):
        name = clean(cell).replace(" ", "")
        known = mapped.get(name)
        if known is None:
            known = _COLUMN_OF.get(name) or _COLUMN_OF.get(_IN_BRACKETS.sub("", name))
            if known is not None and mapping and known[0] in mapping:
                known = None
        if known is None:
            continue
        column, preference = known
        if column is Column.REMARK:
            remarks.append((preference, index))
        elif column not in best or preference < best[column][0]:
            best[column] = (preference, index)
    at = {column: index for column, (_, index) in best.items()}
    two_columns = Column.DEBIT in at and Column.CREDIT in at
    if Column.BOOKED_ON not in at or not (Column.AMOUNT in at or two_columns):
        return None
    return Layout(
        at=at,
        remarks=tuple(index for _, index in sorted(remarks)),
        names={column: clean(cells[index]) for column, index in at.items()}
        | (
            {Column.REMARK: ", ".join(clean(cells[i]) for _, i in sorted(remarks))}
            if remarks
            else {}
        ),
    )


_ACCOUNT = frozenset({"账号", "帐号", "本方账号", "查询账号", "账户", "卡号", "对公账号"})
_OPENING = frozenset({"期初余额", "上期余额", "承前余额", "起始余额", "期初账户余额", "上日余额"})
_CLOSING = frozenset({"期末余额", "结束余额", "期末账户余额"})
_PERIOD = frozenset({"起止日期", "查询期间", "查询日期", "日期范围", "对账期间", "账单期间"})
_FROM = frozenset({"起始日期", "开始日期"})
_UNTIL = frozenset({"截止日期", "结束日期", "终止日期"})
_BEFORE_A_LABEL = re.compile(r"\s+(?=[^\s:]+:)")
_ACCOUNT_NUMBER = re.compile(r"[0-9*xX]{8,32}")


@dataclass(slots=True)
class Stated:
    """What a file says of itself, above or below its lines; None where it says nothing."""

    account: str | None = None
    currency: str = ""
    opening_fen: int | None = None
    closing_fen: int | None = None
    days: list[date] = field(default_factory=list)

    def read(self, cells: Sequence[str]) -> None:
        """Take what a row outside the table states: `期初余额: 1,234.00`, in one cell or two."""
        words = [word for cell in cells for word in _BEFORE_A_LABEL.split(cell)]
        for index, word in enumerate(words):
            label, _, value = word.partition(":")
            after = [value.strip(), *words[index + 1 : index + 4]]
            self._note(label.replace(" ", ""), [each for each in after if each])

    def _note(self, label: str, after: list[str]) -> None:
        label = _IN_BRACKETS.sub("", label)
        value = after[0] if after else ""
        if label in _ACCOUNT:
            number = value.replace(" ", "").replace("-", "")
            if self.account is None and _ACCOUNT_NUMBER.fullmatch(number):
                self.account = number
        elif label in _OPENING and self.opening_fen is None:
            self.opening_fen = _amount_or_none(value)
        elif label in _CLOSING and self.closing_fen is None:
            self.closing_fen = _amount_or_none(value)
        elif label in _PERIOD:
            self.days += days_in(" ".join(after))[:2]
        elif label in _FROM or label in _UNTIL:
            self.days += days_in(value)[:1]
        elif label in ALIASES[Column.CURRENCY] and not self.currency:
            self.currency = value.upper()


def _amount_or_none(text: str) -> int | None:
    try:
        return amount_fen(text, BALANCE_FEN_MAX)
    except ValueError:
        return None


def same_account(stated: str, wanted: str) -> bool:
    """Whether an account number, perhaps masked (`6222****0001`), is the one that is wanted."""
    if stated == wanted:
        return True
    pattern = re.sub(r"[*xX]+", r"[0-9]+", stated)
    return re.fullmatch(pattern, wanted) is not None
