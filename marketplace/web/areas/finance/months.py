"""A month's close: its checklist with the way to each repair, two signatures, and opening again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.ledger import queries as ledger
from marketplace.billing.ledger.queries.closing import period_by_id, periods_within
from marketplace.billing.ledger.use_cases import (
    ApproveReopening,
    LedgerName,
    ProposeReopening,
    approve_reopening,
    propose_reopening,
)
from marketplace.closing.queries import months as closing
from marketplace.closing.queries import packs
from marketplace.closing.rules.checklist import HOLD_DAYS, Item, ItemName, ItemState
from marketplace.closing.rules.months import Month
from marketplace.closing.use_cases.months import SignMonth, draft_month, sign_month
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError, Missing
from marketplace.kernel.http import read
from marketplace.web.acting import act
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.finance.roles import CHECKER, MAKER, READS_ENTRIES
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Speech, Told, label, told

LEADS_SHOWN: Final = 20
# What is said of an item that is open: Chinese, English. `{n}` counts, `{a}` is an amount.
_SAID: Final = {
    ItemName.EARLIER: (
        "{names}在本月之前还有未关的日子",
        "{names}: days before the month are open",
    ),
    ItemName.STATEMENTS: (
        "{n} 个账户的对账单未到月末：{names}",
        "{n} accounts have no statement until the month's end: {names}",
    ),
    ItemName.BANK: ("账面比银行多 {a}", "Books less bank are {a}"),
    ItemName.UNEXPLAINED: ("{n} 条流水未查明，共 {a}", "{n} lines are not explained, {a} in all"),
    ItemName.SUSPENSE: ("待清余额 {a}", "{a} lie in suspense"),
    ItemName.PAYOUTS_RETURNED: (
        "{n} 笔退回的付款既未重付也未撤回，共 {a}",
        "{n} returned payouts are neither paid again nor withdrawn, {a} in all",
    ),
    ItemName.HOLDS_AGED: (
        "{n} 笔冻结已超过 {days} 天，共 {a}；请看是否被遗忘，不妨碍结账",
        "{n} holds are older than {days} days, {a} in all; this blocks nothing",
    ),
    ItemName.TRIAL_BALANCE: ("{names}借贷不等", "{names}: debits and credits differ"),
    ItemName.SEALS: (
        "{n} 笔分录尚未封存（系统每五分钟封存一次）",
        "{n} entries are not sealed yet; that happens every five minutes",
    ),
    ItemName.VERIFIED: (
        "最近一次核验未覆盖本月，或发现问题（每天 02:40 核验）",
        "The last verification did not reach this month, or found a problem; it runs at 02:40",
    ),
}
# What leads to a thing that is open, and where. A hold leads to its account.
_LEADS: Final = {
    ItemName.UNEXPLAINED: ("流水 {n}", "Line {n}", "/finance/reconciliation?line={id}"),
    ItemName.PAYOUTS_RETURNED: ("付款 {n}", "Payout {n}", "/finance/payouts/{id}"),
    ItemName.HOLDS_AGED: ("冻结 {n}", "Hold {n}", "/finance/accounts/{id}"),
    ItemName.SEALS: ("分录 {n}", "Entry {n}", "/finance/ledger/{id}"),
}
_NO_STATEMENT: Final = ("还没有导入过对账单", "No statement was imported")


@dataclass(frozen=True, slots=True)
class Point:
    """An item of the checklist as a page tells it: what is open, and where it is repaired."""

    name: str
    state: str
    said: str
    oldest_on: Any
    repair: tuple[str, str, str] | None
    leads: Sequence[tuple[str, str]]
    more: int


@dataclass(frozen=True, slots=True)
class MonthShown:
    """A month with its checklist, who signed it, and the periods that were closed for it."""

    month: Month
    items: tuple[Item, ...]
    signed: list[closing.SignOff]
    periods: Sequence[ledger.Period]
    reopenings: list[ledger.Reopening]
    packs: list[packs.Pack]
    holds: dict[int, int]
    names: Names

    @property
    def ready(self) -> bool:
        """Whether nothing blocks the sign-off."""
        return all(item.state is not ItemState.OPEN for item in self.items)

    @property
    def closed(self) -> bool:
        """Whether every ledger's books are closed."""
        return len([one for one in self.periods if one.closed_at]) == len(LedgerName)

    @property
    def draft(self) -> closing.SignOff | None:
        """What waits for its second signature."""
        return next((one for one in self.signed if one.status == "draft"), None)


async def month_shown(tx: Tx, month: Month) -> MonthShown:
    """Everything about a month's close."""
    items = await closing.days_checklist(tx, month)
    found, _ = await closing.sign_offs(tx, closing.SignOffSearch(year=month.year, page_size=200))
    signed = [one for one in found if one.first_on == month.first_on]
    periods = await periods_within(tx, month.first_on, month.last_on)
    reopenings = await ledger.reopenings_of(tx, [one.id for one in periods])
    aged = next(item for item in items if item.name is ItemName.HOLDS_AGED)
    recent, _ = await packs.packs(tx, packs.PackSearch(page_size=200))
    people = [who for one in signed for who in (one.made_by, one.approved_by)]
    people += [who for one in periods for who in (one.made_by, one.approved_by)]
    people += [who for one in reopenings for who in (one.made_by, one.approved_by, one.closed_by)]
    return MonthShown(
        month,
        items,
        signed,
        periods,
        reopenings,
        [one for one in recent if one.first_on == month.first_on],
        await ledger.accounts_of_holds(tx, aged.ids[:LEADS_SHOWN]),
        await names(tx, people=people),
    )


def month_of(year: int, month: int) -> Month:
    """The month that an address names.

    Raises:
        Missing: when there is none such.
    """
    if not (2000 <= year <= 2100 and 1 <= month <= 12):
        raise Missing()
    return Month(year, month)


def points(shown: MonthShown, items: Sequence[Item], speech: Speech) -> list[Point]:
    """The items of a checklist as they are told."""
    return [_point(shown, item, speech) for item in items]


def _point(shown: MonthShown, item: Item, speech: Speech) -> Point:
    leads = _leads(shown, item, speech)
    return Point(
        name=item.name,
        state=item.state,
        said="" if item.state is ItemState.OK else _said(item, speech),
        oldest_on=item.oldest_on,
        repair=_repair(shown.month, item.name),
        leads=leads[:LEADS_SHOWN],
        more=len(leads) - LEADS_SHOWN,
    )


def _said(item: Item, speech: Speech) -> str:
    if item.name is ItemName.STATEMENTS and not item.names:
        return speech.t(*_NO_STATEMENT)
    told_names = [
        speech.either(label("ledger", one).chinese, label("ledger", one).english)
        if item.name in (ItemName.EARLIER, ItemName.TRIAL_BALANCE)
        else f"…{one[-4:]}"
        for one in item.names
    ]
    return speech.t(
        *_SAID[item.name],
        n=speech.number(item.figure),
        a=speech.yuan(item.amount_fen),
        names=speech.t("、", ", ").join(told_names),
        days=HOLD_DAYS,
    )


def _leads(shown: MonthShown, item: Item, speech: Speech) -> list[tuple[str, str]]:
    if item.name not in _LEADS:
        return []
    chinese, english, at = _LEADS[item.name]
    places = shown.holds if item.name is ItemName.HOLDS_AGED else {one: one for one in item.ids}
    return [
        (speech.t(chinese, english, n=one), at.format(id=places[one]))
        for one in item.ids
        if one in places
    ]


def _repair(month: Month, name: str) -> tuple[str, str, str] | None:
    """Where an item is repaired: its address, and what the link says in both languages."""
    before = Month(month.year - 1, 12) if month.month == 1 else Month(month.year, month.month - 1)
    last = month.last_on.isoformat()
    return {
        ItemName.EARLIER: (
            f"/finance/periods/months/{before.year}/{before.month}",
            "看上月",
            "That month",
        ),
        ItemName.STATEMENTS: ("/finance/imports", "去导入", "Import"),
        ItemName.BANK: (f"/finance/trial-balance?day={last}", "试算平衡", "Trial balance"),
        ItemName.UNEXPLAINED: (f"/finance/reconciliation?until={last}", "去查明", "Explain them"),
        ItemName.SUSPENSE: ("/finance/accounts?type=bank_suspense", "看账户", "The account"),
        ItemName.PAYOUTS_RETURNED: ("/finance/payouts?status=returned", "去处理", "Deal with them"),
        ItemName.TRIAL_BALANCE: (f"/finance/trial-balance?day={last}", "试算平衡", "Trial balance"),
        ItemName.VERIFIED: ("/finance/periods/anchor", "看封存", "The seals"),
    }.get(ItemName(name))


@get("/finance/periods/months/{year:int}/{month:int}", **members(*READS_ENTRIES))
async def show_month(
    request: PageRequest, year: FromPath[int], month: FromPath[int]
) -> Response[Any]:
    """What stands against closing a month, where it is repaired, and who signed."""
    return await _month(request, month_of(year, month), empty(visitor_of(request).speech))


@post("/finance/periods/months/{year:int}/{month:int}/draft", **members(*MAKER))
async def send_month_draft(
    request: PageRequest, year: FromPath[int], month: FromPath[int]
) -> Response[Any]:
    """Find a month ready; another person signs."""
    speech, asked = visitor_of(request).speech, month_of(year, month)
    form = await typed(request, speech)
    try:
        said = ("已提交，等待另一人签字", "Prepared; somebody else signs it.")
        return await act(request, form, draft_month, asked, to=_at(asked), said=said)
    except DomainError as error:
        return await _month(request, asked, form, told(error, speech), error.status)


@post("/finance/periods/month-sign-offs/{close_id:int}/sign", **members(*CHECKER))
async def send_month_signature(request: PageRequest, close_id: FromPath[int]) -> Response[Any]:
    """Sign a month that another person drafted; its books are closed in every ledger."""
    speech = visitor_of(request).speech
    drafted = await read(request, closing.sign_off_of, close_id)
    asked = month_of(drafted.first_on.year, drafted.first_on.month)
    form = await typed(request, speech)
    try:
        said = ("已签字，本月各账簿已关闭", "Signed; the month's books are closed.")
        return await act(request, form, sign_month, SignMonth(close_id), to=_at(asked), said=said)
    except DomainError as error:
        return await _month(request, asked, form, told(error, speech), error.status)


@post("/finance/periods/{period_id:int}/reopen", **members(*MAKER))
async def send_reopening(request: PageRequest, period_id: FromPath[int]) -> Response[Any]:
    """Ask for a closed period to be opened again, with the reason."""
    speech = visitor_of(request).speech
    closed = await read(request, period_by_id, period_id)
    form = await typed(request, speech)
    reason = form.text("reason", length_max=1000)
    asked = Month(closed.first_on.year, closed.first_on.month)
    try:
        form.require()
        command = ProposeReopening(period_id, reason)
        said = ("已申请重开，等待另一人同意", "Asked for; somebody else agrees.")
        return await act(request, form, propose_reopening, command, to=_at(asked), said=said)
    except DomainError as error:
        return await _month(request, asked, form, told(error, speech), error.status)


@post("/finance/periods/{period_id:int}/reopenings/{reopening_id:int}", **members(*CHECKER))
async def send_reopening_approval(
    request: PageRequest, period_id: FromPath[int], reopening_id: FromPath[int]
) -> Response[Any]:
    """Open a period again that another person asked to be opened."""
    speech = visitor_of(request).speech
    closed = await read(request, period_by_id, period_id)
    asked = Month(closed.first_on.year, closed.first_on.month)
    form = await typed(request, speech)
    try:
        command = ApproveReopening(reopening_id)
        said = ("期间已重开；改完请两人再次关账", "Open again; two persons close it once more.")
        return await act(request, form, approve_reopening, command, to=_at(asked), said=said)
    except DomainError as error:
        return await _month(request, asked, form, told(error, speech), error.status)


def _at(month: Month) -> str:
    return f"/finance/periods/months/{month.year}/{month.month}"


async def _month(
    request: PageRequest,
    month: Month,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    visitor = visitor_of(request)
    shown = await read(request, month_shown, month)
    return page(
        request,
        "finance/month.html",
        status=status,
        found=shown,
        points=points(shown, shown.items, visitor.speech),
        as_signed=lambda one: points(
            shown, msgspec.convert(one.checklist, list[Item]), visitor.speech
        ),
        form=form,
        refusal=refusal,
        may_make=visitor.has(*MAKER),
        may_check=visitor.has(*CHECKER),
        may_pack=visitor.has(*CHECKER, "auditor"),
        me=visitor.actor.person_id,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_month,
    send_month_draft,
    send_month_signature,
    send_reopening,
    send_reopening_approval,
]
