"""Several lines that are one thing, one line that is several, and what is written off between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.reconciliation import queries as reconciliation
from marketplace.billing.reconciliation.rules.clearing import (
    LINES_MAX,
    Item,
    ReasonCode,
    money_in,
)
from marketplace.billing.reconciliation.rules.states import MatchKind
from marketplace.billing.reconciliation.use_cases import (
    ClearLines,
    UndoClearing,
    clear_lines,
    undo_clearing,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError, Missing
from marketplace.kernel.http import read
from marketplace.rulebook import rulebook
from marketplace.web.acting import act
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.finance.roles import MAKER, READERS, READS_ENTRIES
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

ITEMS_SHOWN = 6
REASON_CODES = tuple(str(each) for each in ReasonCode)
# A difference goes either way, so the form asks which.
DIFFERENCES = ("difference_in", "difference_out")
KINDS = (
    "payout",
    "charge",
    "wallet",
    "return",
    "voucher_fund",
    "reward_fund",
    "credit",
    "interest",
    *DIFFERENCES,
)
_WITH_TARGET = frozenset(
    {
        MatchKind.PAYOUT,
        MatchKind.WALLET,
        MatchKind.RETURN,
        MatchKind.VOUCHER_FUND,
        MatchKind.REWARD_FUND,
        MatchKind.CREDIT,
    }
)


@dataclass(frozen=True, slots=True)
class Together:
    """The lines that are to be cleared together."""

    lines: list[reconciliation.OpenCase]
    tolerance_fen: int

    @property
    def total_fen(self) -> int:
        """What they come to."""
        return sum(each.amount_fen for each in self.lines)


async def together(tx: Tx, line_ids: Sequence[int]) -> Together:
    """The open ones among these lines."""
    search = reconciliation.CaseSearch(line_ids=line_ids, page_size=LINES_MAX)
    lines, _ = await reconciliation.open_cases(tx, search)
    return Together(lines, rulebook().banking.tolerance_fen.on(tx.today))


@dataclass(frozen=True, slots=True)
class Cleared:
    """A clearing with the names behind it."""

    clearing: reconciliation.Clearing
    names: Names


async def cleared(tx: Tx, clearing_id: int) -> Cleared:
    """One clearing."""
    found = await reconciliation.clearing_by_id(tx, clearing_id)
    about = [each.target_id for each in found.items if each.kind == MatchKind.WALLET]
    return Cleared(found, await names(tx, about, [found.made_by, found.undone_by]))


@get("/finance/clearings/new", **members(*MAKER))
async def show_new_clearing(request: PageRequest) -> Response[Any]:
    """The form: lines that were ticked, and what they are together."""
    form = Typed(request.query_params, visitor_of(request).speech)
    return await _new(request, form)


@post("/finance/clearings", **members(*MAKER))
async def send_clearing(request: PageRequest) -> Response[Any]:
    """Explain lines together; what the items come to is what the lines come to."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    items = [item for place in range(1, ITEMS_SHOWN + 1) if (item := _item(form, place))]
    if not items:
        form.wrong("kind1", "请至少填写一项", "One item at least")
    reason = form.text("reason", length_max=400)
    try:
        form.require()
        command = ClearLines(_picked(form), items, reason)
        return await act(
            request,
            form,
            clear_lines,
            command,
            to=lambda made: f"/finance/clearings/{made.id}",
            said=("已合并清账", "Cleared."),
        )
    except DomainError as error:
        return await _new(request, form, told(error, speech), error.status)


def _picked(form: Typed) -> list[int]:
    return [int(each) for each in form.all("pick") if each.isdecimal() and len(each) < 18]


def _item(form: Typed, place: int) -> Item | None:
    """One row of the form, which way its money goes told by its kind; none where none is chosen."""
    chosen = form.choice(f"kind{place}", KINDS, needed=False)
    if not chosen:
        return None
    kind = MatchKind.DIFFERENCE if chosen in DIFFERENCES else MatchKind(chosen)
    into = chosen == DIFFERENCES[0] if kind is MatchKind.DIFFERENCE else money_in(kind)
    amount = form.amount(f"amount{place}") or 0
    target = form.whole(f"target{place}", least=1, needed=kind in _WITH_TARGET) or 0
    code = ""
    if kind is MatchKind.DIFFERENCE:
        code = form.choice(f"code{place}", REASON_CODES)
    return Item(kind, amount if into else -amount, target, code)


async def _new(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    found = await read(request, together, _picked(form))
    if not found.lines:
        raise Missing("None of these lines is open.")
    return page(
        request,
        "finance/clearing_new.html",
        status=status,
        form=form,
        found=found,
        kinds=KINDS,
        codes=REASON_CODES,
        places=range(1, ITEMS_SHOWN + 1),
        refusal=refusal,
        key=new_key(),
    )


@get("/finance/clearings/{clearing_id:int}", **members(*READERS))
async def show_clearing(request: PageRequest, clearing_id: FromPath[int]) -> Response[Any]:
    """Lines that were explained together, and what they are."""
    return await _clearing(request, clearing_id, empty(visitor_of(request).speech))


@post("/finance/clearings/{clearing_id:int}/undo", **members(*MAKER))
async def send_clearing_undo(request: PageRequest, clearing_id: FromPath[int]) -> Response[Any]:
    """Take a clearing back by reversing entries; its lines are open again."""
    speech = visitor_of(request).speech
    await read(request, reconciliation.clearing_by_id, clearing_id)
    form = await typed(request, speech)
    reason = form.text("reason", length_max=400)
    try:
        form.require()
        command = UndoClearing(clearing_id, reason)
        to = f"/finance/clearings/{clearing_id}"
        said = ("已撤销，流水重新待查明", "Undone; the lines are open again.")
        return await act(request, form, undo_clearing, command, to=to, said=said)
    except DomainError as error:
        return await _clearing(request, clearing_id, form, told(error, speech), error.status)


async def _clearing(
    request: PageRequest,
    clearing_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    visitor = visitor_of(request)
    return page(
        request,
        "finance/clearing.html",
        status=status,
        found=await read(request, cleared, clearing_id),
        form=form,
        refusal=refusal,
        may_make=visitor.has(*MAKER),
        reads_entries=visitor.has(*READS_ENTRIES),
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_new_clearing,
    send_clearing,
    show_clearing,
    send_clearing_undo,
]
