"""The statement of account as a paper, Chinese or English."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from marketplace.billing.invoicing.queries import Account, AccountAsked
from marketplace.kernel.documents import Column, Paper
from marketplace.kernel.money import yuan
from marketplace.kernel.time import SHANGHAI

Language = Literal["zh", "en"]

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("对账单", "Statement of account"),
    "of": ("单位", "Organisation"),
    "period": ("期间", "Period"),
    "made": ("生成时间", "Made at"),
    "bought": ("购买服务", "Services bought"),
    "sold": ("提供服务", "Services sold"),
    "day": ("日期", "Day"),
    "order": ("订单", "Order"),
    "kind": ("事项", "For"),
    "other": ("对方单位", "Other side"),
    "total": ("服务金额", "Value"),
    "voucher": ("创新券", "Voucher"),
    "own": ("自付", "Own part"),
    "invoice": ("发票号码", "Invoice"),
    "sum": ("合计", "Sum"),
    "none": ("本期间无发生额。", "Nothing in this period."),
    "unit": ("金额单位：人民币元。", "Amounts in CNY."),
    "service": ("技术服务", "Service"),
    "cancellation_fee": ("取消费", "Cancellation fee"),
    "no_show_fee": ("爽约费", "No-show fee"),
    "move_fee": ("改期费", "Fee for moving"),
    "correction": ("更正", "correction"),
    "credit": ("信用额度（生成时）", "Credit lines, as they are now"),
    "limit": ("额度", "Limit"),
    "held": ("在途订单占用", "Held for orders"),
    "owed": ("应付未付", "Owed"),
    "overdue": ("已逾期", "Of it overdue"),
    "available": ("可用额度", "Left"),
    "due": ("最早到期日", "Due first"),
    "buys": ("买方", "As buyer"),
    "sells": ("服务方", "As provider"),
    "side": ("身份", "Side"),
}


@dataclass(frozen=True, slots=True)
class CreditShown:
    """A credit line of the organisation, on either side, when the statement is made."""

    provider_id: int
    buyer_id: int
    limit_fen: int
    held_fen: int
    owed_fen: int
    overdue_fen: int
    available_fen: int
    oldest_due_on: date | None


@dataclass(frozen=True, slots=True)
class StatementFor:
    """Whose statement it is, when it is made, and what the other sides are called."""

    organisation_id: int
    names: Mapping[int, str]
    made_at: datetime
    language: Language = "zh"
    credit: Sequence[CreditShown] = ()


def statement_paper(account: Account, asked: AccountAsked, of: StatementFor) -> bytes:
    """The statement as PDF: what was bought, what was sold, each with its sum."""

    def word(name: str) -> str:
        return _WORDS[name][0 if of.language == "zh" else 1]

    own_name = of.names.get(of.organisation_id, "")
    period = f"{asked.starts_on} – {asked.ends_on}"
    paper = Paper(
        word("title"),
        made_at=of.made_at,
        foot=f"{word('title')} · {own_name} · {period}",
        language=of.language,
    )
    made_at = of.made_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    paper.facts([(word("of"), own_name), (word("period"), period), (word("made"), made_at)])
    columns = [
        Column(word("day"), 38),
        Column(word("order"), 20),
        Column(word("kind"), 32),
        Column(word("other"), 48),
        Column(word("total"), 45, "RIGHT"),
        Column(word("voucher"), 38, "RIGHT"),
        Column(word("own"), 45, "RIGHT"),
        Column(word("invoice"), 76),
    ]
    for side in ("bought", "sold"):
        mine = "buyer_id" if side == "bought" else "provider_id"
        other = "provider_id" if side == "bought" else "buyer_id"
        lines = [line for line in account.lines if getattr(line, mine) == of.organisation_id]
        if not lines:
            continue
        paper.heading(word(side))
        paper.table(
            columns,
            [
                [
                    line.settled_on.isoformat(),
                    str(line.order_id),
                    word(line.kind)
                    + (f"（{word('correction')}）" if line.service_value_fen < 0 else ""),
                    of.names.get(getattr(line, other), ""),
                    yuan(line.service_value_fen),
                    yuan(line.voucher_fen),
                    yuan(line.own_fen),
                    line.invoice_number or "",
                ]
                for line in lines
            ],
            total=[
                word("sum"),
                "",
                "",
                "",
                yuan(sum(line.service_value_fen for line in lines)),
                yuan(sum(line.voucher_fen for line in lines)),
                yuan(sum(line.own_fen for line in lines)),
                "",
            ],
        )
    if not account.lines:
        paper.paragraph(word("none"))
    if of.credit:
        _credit(paper, of, word)
    paper.paragraph(word("unit"), quiet=True)
    return paper.pdf()


def _credit(paper: Paper, of: StatementFor, word: Callable[[str], str]) -> None:
    """What is owed on account, and how much room is left."""
    paper.heading(word("credit"))
    paper.table(
        [
            Column(word("side"), 20),
            Column(word("other"), 36),
            Column(word("limit"), 21, "RIGHT"),
            Column(word("held"), 24, "RIGHT"),
            Column(word("owed"), 20, "RIGHT"),
            Column(word("overdue"), 20, "RIGHT"),
            Column(word("available"), 21, "RIGHT"),
            Column(word("due"), 26),
        ],
        [
            [
                word("buys" if line.buyer_id == of.organisation_id else "sells"),
                of.names.get(
                    line.provider_id if line.buyer_id == of.organisation_id else line.buyer_id, ""
                ),
                yuan(line.limit_fen),
                yuan(line.held_fen),
                yuan(line.owed_fen),
                yuan(line.overdue_fen),
                yuan(line.available_fen),
                "" if line.oldest_due_on is None else line.oldest_due_on.isoformat(),
            ]
            for line in of.credit
        ],
    )
