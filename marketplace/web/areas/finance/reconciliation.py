"""Explaining the bank's lines: by suggestion, by hand, from the keyboard; and taking it back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.reconciliation import queries as reconciliation
from marketplace.billing.reconciliation.rules.cases import CaseReason
from marketplace.billing.reconciliation.use_cases import (
    MatchKind,
    MatchLine,
    Suggestions,
    UndoClearing,
    UndoMatch,
    match_line,
    suggestions,
    undo_clearing,
    undo_match,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.web.acting import act
from marketplace.web.areas.finance.names import Names, colleagues, names
from marketplace.web.areas.finance.payouts import PAGES_MAX
from marketplace.web.areas.finance.roles import FINANCE, MAKER, READERS
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Speech, Told, label, told

PAGE_SIZE = 25
FILTERS = ("status", "kind", "statement", "text", "amount", "from", "until")
STATUSES = ("unmatched", "matched", "ignored", "all")
MONEY_IN = ("wallet", "return", "voucher_fund", "reward_fund", "credit", "interest", "contra")
MONEY_OUT = ("payout", "charge", "contra")
HEADS = (
    ("流水", "Line"),
    ("日期", "Day"),
    ("对方户名", "Other party"),
    ("摘要", "Remark"),
    ("银行流水号", "Bank's reference"),
    ("金额", "Amount"),
    ("余额", "Balance"),
    ("状态", "State"),
    ("匹配为", "Matched to"),
    ("对象", "Target"),
    ("分录", "Entry"),
)
# How scores are explained; what is not here is told in English.
_REASONS: Final = {
    "the line names it": "摘要写明了这笔付款",
    "the line names another payment": "摘要写明的是另一笔付款",
    "the amount is the same": "金额相同",
    "the account is the same": "账号相同",
    "the account is another one": "账号不同",
    "the name is the same": "户名相同",
    "it had not been paid by then": "当时尚未付出",
    "it had not been sent by then": "当时尚未送银行",
    "reference and amount": "参考号与金额相符",
    "only payment to this account over this amount": "唯一同账号同金额的付款",
    "wallet in the remark": "摘要写明了企业钱包",
    "fund in the remark": "摘要写明了资金",
    "fee of the bank in the remark": "摘要写明是银行手续费",
    "interest in the remark": "摘要写明是利息",
    "by reference": "参考号与金额相符",
    "by sum": "写明的几笔付款合计相符",
    "by parts": "写明同一付款的几笔流水合计相符",
    "by account": "唯一同账号同金额的付款",
    "by misnamed": "参考号写错，账号、户名、金额只与此笔相符",
    "by returned": "银行注明退汇，账号、金额只与此笔相符",
    "by merged": "恰为同一收款人几笔付款之和",
    "by split": "几笔流水恰为同一收款人的一笔付款",
    "by name": "唯一同户名同金额的付款",
    "by overdue": "到账晚，账号、户名、金额只与此笔相符",
    "by hand": "人工",
}
_DATED: Final = (
    (re.compile(r"it was paid on (\S+)$"), "{} 付出"),
    (re.compile(r"it was sent on (\S+), longer ago than banks take$"), "{} 送银行，间隔偏长"),
    (re.compile(r"it was sent on (\S+)$"), "{} 送银行"),
    (re.compile(r"the amount differs by (\S+) fen$"), "金额相差 {} 分"),
)


def why(reason: str, speech: Speech) -> str:
    """A reason of a score in the reader's language."""
    if speech.language != "zh":
        return reason
    for pattern, text in _DATED:
        if found := pattern.match(reason):
            return text.format(found[1])
    return _REASONS.get(reason, reason)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines, and which of them is looked at."""

    search: reconciliation.LineSearch
    line_id: int | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """One line with what it may be, and who explained it."""

    line: reconciliation.StatementLine
    suggested: Suggestions
    case: reconciliation.OpenCase | None
    papers: list[reconciliation.LineAttachment]
    colleagues: list[tuple[int, str]]
    names: Names


@dataclass(frozen=True, slots=True)
class Desk:
    """A page of lines, one of them looked at, and how bank and books stand."""

    rows: list[reconciliation.StatementLine]
    total: int
    balancing: reconciliation.Balancing
    looked: Looked | None
    next_id: int | None


async def look(tx: Tx, line_id: int) -> Looked:
    """A line and what it may be, the likeliest first."""
    line = await reconciliation.line_by_id(tx, line_id)
    search = reconciliation.CaseSearch(line_ids=[line_id], page_size=1)
    cases, _ = await reconciliation.open_cases(tx, search)
    case = cases[0] if cases else None
    papers = await reconciliation.attachments_of(tx, line_id)
    people = [line.matched_by, *(each.stored_by for each in papers)]
    people += [case.owner_id, case.changed_by] if case else []
    who = await names(tx, [line.target_id if line.kind == "wallet" else None], people)
    return Looked(line, await suggestions(tx, line_id), case, papers, await colleagues(tx), who)


async def desk(tx: Tx, asked: Asked) -> Desk:
    """The lines that the filters ask for; the one named, or else the first, is looked at."""
    rows, total = await reconciliation.statement_lines(tx, asked.search)
    ids = [each.id for each in rows]
    current = asked.line_id if asked.line_id in ids else next(iter(ids), None)
    after = ids[ids.index(current) + 1 :] if current is not None else []
    return Desk(
        rows,
        total,
        await reconciliation.balancing(tx, reconciliation.BalancingAsked()),
        await look(tx, current) if current is not None else None,
        next(iter(after), None),
    )


def _search(form: Typed, page_size: int = PAGE_SIZE) -> reconciliation.LineSearch:
    status = form.choice("status", STATUSES, needed=False) or "unmatched"
    search = reconciliation.LineSearch(
        status=None if status == "all" else status,
        kind=form.choice("kind", [str(each) for each in MatchKind], needed=False) or None,
        statement_id=form.whole("statement", least=1, needed=False),
        text=form.text("text", length_max=100, needed=False),
        amount_fen=form.amount("amount", needed=False),
        from_on=form.day("from", needed=False),
        until_on=form.day("until", needed=False),
        page=form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1,
        page_size=page_size,
    )
    form.require()
    return search


@get("/finance/reconciliation", **members(*READERS))
async def show_desk(request: PageRequest) -> Response[Any]:
    """Open lines, what the current one may be, and the totals that always balance."""
    visitor = visitor_of(request)
    filters = Typed(request.query_params, visitor.speech)
    asked = Asked(_search(filters), filters.whole("line", least=1, needed=False))
    done = filters.whole("done", least=1, needed=False)
    found = await read(request, desk, asked)
    return page(
        request,
        "finance/reconciliation.html",
        filters=filters,
        search=asked.search,
        found=found,
        looked=found.looked,
        next_id=found.next_id,
        filtered=urlencode([(name, filters.raw(name)) for name in FILTERS if filters.raw(name)]),
        done=done,
        statuses=STATUSES,
        kinds=list(MatchKind),
        **_panel(request, empty(visitor.speech)),
    )


@get("/finance/reconciliation/file", **members(*READERS))
async def show_lines_file(request: PageRequest) -> Response[bytes]:
    """The same lines as a file."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)

    async def question(
        tx: Tx, search: reconciliation.LineSearch
    ) -> list[reconciliation.StatementLine]:
        rows, _ = await reconciliation.statement_lines(tx, search)
        return rows

    rows = []
    for each in await read(request, question, _search(form, ROWS_MAX + 1)):
        status, kind = label("bank_line", each.status), label("match", each.kind or "")
        rows.append(
            [
                each.id,
                each.booked_on.isoformat(),
                each.counterparty_name,
                each.remark,
                each.bank_reference,
                yuan(each.amount_fen),
                yuan(each.balance_fen),
                speech.either(status.chinese, status.english),
                speech.either(kind.chinese, kind.english),
                each.target_id or "",
                each.entry_id or "",
            ]
        )
    return await as_file(form, "bank-lines", HEADS, rows)


@get("/finance/reconciliation/{line_id:int}", **members(*READERS))
async def show_line(request: PageRequest, line_id: FromPath[int]) -> Response[Any]:
    """A line: what the bank said, what it was matched to, and the entry that says so."""
    return await show_line_again(request, line_id, empty(visitor_of(request).speech))


@post("/finance/reconciliation/{line_id:int}/match", **members(*MAKER))
async def send_match(request: PageRequest, line_id: FromPath[int]) -> Response[Any]:
    """Say what a line is, and go on to the next open one."""
    speech = visitor_of(request).speech
    await read(request, reconciliation.line_by_id, line_id)
    form = await typed(request, speech)
    kind = form.choice("kind", (*MONEY_IN, *MONEY_OUT))
    target = form.whole("target", least=1, needed=kind in ("wallet", "return", "payout", "contra"))
    reason = form.text("reason", length_max=400)
    following = form.whole("next", least=1, needed=False)
    try:
        form.require()
        command = MatchLine(line_id, MatchKind(kind), reason, target)
        return await act(
            request,
            form,
            match_line,
            command,
            to=_desk_address(form.raw("filters"), done=line_id, line=following),
            said=("已匹配", "Matched."),
        )
    except DomainError as error:
        return await show_line_again(request, line_id, form, told(error, speech), error.status)


@post("/finance/reconciliation/{line_id:int}/undo", **members(*MAKER))
async def send_undo(request: PageRequest, line_id: FromPath[int]) -> Response[Any]:
    """Take a match back by a reversing entry; the line is open again."""
    speech = visitor_of(request).speech
    line = await read(request, reconciliation.line_by_id, line_id)
    form = await typed(request, speech)
    reason = form.text("reason", length_max=400)
    to = _desk_address(form.raw("filters"), line=line_id)
    said = ("已撤销，流水重新待查明", "Undone; the line is open again.")
    try:
        form.require()
        if line.kind == MatchKind.CLEARING and line.target_id is not None:
            clearing = UndoClearing(line.target_id, reason)
            return await act(request, form, undo_clearing, clearing, to=to, said=said)
        return await act(request, form, undo_match, UndoMatch(line_id, reason), to=to, said=said)
    except DomainError as error:
        return await show_line_again(request, line_id, form, told(error, speech), error.status)


def _desk_address(filters: str, **places: int | None) -> str:
    """The desk as it was filtered, at another line."""
    kept = [(name, value) for name, value in parse_qsl(filters[:1000]) if name in FILTERS]
    kept += [(name, str(value)) for name, value in places.items() if value is not None]
    return f"/finance/reconciliation?{urlencode(kept)}" if kept else "/finance/reconciliation"


async def show_line_again(
    request: PageRequest,
    line_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    """A line once more, with what was refused about it."""
    looked = await read(request, look, line_id)
    partial = request.headers.get("hx-request") == "true"
    return page(
        request,
        "finance/line_panel.html" if partial else "finance/line.html",
        status=status,
        looked=looked,
        next_id=None,
        filtered="",
        **_panel(request, form, refusal),
    )


def _panel(request: PageRequest, form: Typed, refusal: Told | None = None) -> dict[str, Any]:
    visitor = visitor_of(request)
    return {
        "form": form,
        "refusal": refusal,
        "reasons": tuple(str(each) for each in CaseReason),
        "why": lambda reason: why(reason, visitor.speech),
        "money_in": MONEY_IN,
        "money_out": MONEY_OUT,
        "may_make": visitor.has(*MAKER),
        "works": visitor.has(*FINANCE),
        "key": new_key(),
    }


routes: list[ControllerRouterHandler] = [
    show_desk,
    show_lines_file,
    show_line,
    send_match,
    send_undo,
]
