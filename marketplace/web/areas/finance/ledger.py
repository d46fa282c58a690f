"""The journal: entries with what they moved, why, and who made and approved them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.ledger import queries as ledger
from marketplace.billing.ledger.use_cases import (
    EntryKind,
    ReverseEntry,
    reverse_what_another_made,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.web.acting import act
from marketplace.web.areas.finance.names import Names, names, owner
from marketplace.web.areas.finance.roles import CHECKER, READS_ENTRIES
from marketplace.web.areas.finance.sources import SOURCE_KINDS, source_page
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

PAGE_SIZE = 25
PAGES_MAX = 1_000_000
HEADS = (
    ("分录", "Entry"),
    ("账簿", "Ledger"),
    ("日期", "Day"),
    ("类型", "Kind"),
    ("来源", "Source"),
    ("来源编号", "Source number"),
    ("账户", "Account"),
    ("户主", "Owner"),
    ("借方", "Debit"),
    ("贷方", "Credit"),
    ("备注", "Remark"),
    ("经办", "Made by"),
    ("复核", "Approved by"),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry with its lines."""

    entry: ledger.PostedEntry
    lines: list[ledger.EntryLine]

    @property
    def moved_fen(self) -> int:
        """What the entry moves: the sum of its debits."""
        return sum(line.amount_fen for line in self.lines if line.amount_fen > 0)


@dataclass(frozen=True, slots=True)
class Journal:
    """A page of entries with the names of whoever they are about."""

    rows: list[Shown]
    total: int
    names: Names


async def journal(tx: Tx, search: ledger.EntrySearch) -> Journal:
    """Entries with their lines, the latest first."""
    found, total = await ledger.entries(tx, search)
    return await with_lines(tx, found, total)


async def with_lines(tx: Tx, found: list[ledger.PostedEntry], total: int) -> Journal:
    """The lines of some entries, and everybody's names, in three questions."""
    lines: dict[int, list[ledger.EntryLine]] = {each.id: [] for each in found}
    for line in await ledger.entry_lines(tx, list(lines)):
        lines[line.entry_id].append(line)
    every = [line for some in lines.values() for line in some]
    who = await names(
        tx,
        (owner(line.type, line.owner_id) for line in every),
        (person for each in found for person in (each.made_by, each.approved_by)),
    )
    return Journal([Shown(each, lines[each.id]) for each in found], total, who)


async def one_entry(tx: Tx, entry_id: int) -> Journal:
    """An entry, and those that reversed it or that it reverses."""
    found = await ledger.entry_by_id(tx, entry_id)
    related = [
        await ledger.entry_by_id(tx, each)
        for each in (found.reverses, found.reversed_by)
        if each is not None
    ]
    return await with_lines(tx, [found, *related], 1 + len(related))


def search_of(form: Typed, *, page_size: int = PAGE_SIZE) -> ledger.EntrySearch:
    """What the filters ask for.

    Raises:
        FormWrong: when they cannot be read.
    """
    book = form.choice("ledger", list(ledger.LedgerName), needed=False)
    kind = form.choice("kind", list(EntryKind), needed=False)
    search = ledger.EntrySearch(
        ledger=ledger.LedgerName(book) if book else None,
        account_id=form.whole("account", least=1, needed=False),
        kind=EntryKind(kind) if kind else None,
        source_kind=form.choice("source", SOURCE_KINDS, needed=False) or None,
        source_id=form.whole("source_id", least=1, needed=False),
        from_on=form.day("from", needed=False),
        until_on=form.day("until", needed=False),
        page=form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1,
        page_size=page_size,
    )
    form.require()
    return search


@get("/finance/ledger", **members(*READS_ENTRIES))
async def show_journal(request: PageRequest) -> Response[Any]:
    """The entries that the filters ask for."""
    form = Typed(request.query_params, visitor_of(request).speech)
    search, refusal, status = ledger.EntrySearch(page_size=PAGE_SIZE), None, 200
    try:
        search = search_of(form)
    except DomainError as error:
        refusal, status = told(error, form.speech), error.status
    return page(
        request,
        "finance/ledger.html",
        status=status,
        form=form,
        refusal=refusal,
        found=await read(request, journal, search),
        search=search,
        kinds=list(EntryKind),
        source_kinds=SOURCE_KINDS,
        source_page=source_page,
        owner=owner,
    )


@get("/finance/ledger/file", **members(*READS_ENTRIES))
async def show_journal_file(request: PageRequest) -> Response[bytes]:
    """The same entries as a file, one row for each line."""
    form = Typed(request.query_params, visitor_of(request).speech)
    found = await read(request, journal, search_of(form, page_size=ROWS_MAX + 1))
    return await as_file(
        form,
        "ledger",
        HEADS,
        [row for each in found.rows for row in _rows(each, found.names, form)],
    )


def _rows(shown: Shown, who: Names, form: Typed) -> list[list[Any]]:
    speech, entry = form.speech, shown.entry

    def name(group: str, value: str) -> str:
        return speech.either(label(group, value).chinese, label(group, value).english)

    rows = []
    for line in shown.lines:
        owned = who.organisations.get(owner(line.type, line.owner_id) or 0)
        rows.append(
            [
                entry.id,
                name("ledger", entry.ledger),
                entry.effective_on.isoformat(),
                name("entry", entry.kind),
                name("source", entry.source_kind),
                entry.source_id,
                name("account", line.type),
                speech.either(owned.name, owned.name_en) if owned else line.owner_id or "",
                yuan(line.amount_fen) if line.amount_fen > 0 else "",
                yuan(-line.amount_fen) if line.amount_fen < 0 else "",
                entry.remark,
                who.people.get(entry.made_by, ""),
                who.people.get(entry.approved_by or 0, ""),
            ]
        )
    return rows


@get("/finance/ledger/{entry_id:int}", **members(*READS_ENTRIES))
async def show_entry(request: PageRequest, entry_id: FromPath[int]) -> Response[Any]:
    """An entry, what it moved and what it came from."""
    return await _entry(request, entry_id, empty(visitor_of(request).speech))


@post("/finance/ledger/{entry_id:int}/reverse", **members(*CHECKER))
async def send_reversal(request: PageRequest, entry_id: FromPath[int]) -> Response[Any]:
    """Correct an entry by its negation: nothing in the books is ever changed."""
    speech = visitor_of(request).speech
    await read(request, ledger.entry_by_id, entry_id)
    form = await typed(request, speech)
    reason = form.text("reason", length_max=400)
    try:
        form.require()
        command = ReverseEntry(
            entry_id=entry_id, reason=reason, key=f"reversal:{entry_id}:{new_key()}"
        )
        said = ("已冲正", "Reversed.")
        return await act(
            request,
            form,
            reverse_what_another_made,
            command,
            to=f"/finance/ledger/{entry_id}",
            said=said,
        )
    except DomainError as error:
        return await _entry(request, entry_id, form, told(error, speech), error.status)


async def _entry(
    request: PageRequest,
    entry_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    return page(
        request,
        "finance/entry.html",
        status=status,
        found=await read(request, one_entry, entry_id),
        form=form,
        refusal=refusal,
        source_page=source_page,
        owner=owner,
        may_reverse=visitor_of(request).has(*CHECKER),
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_journal,
    show_journal_file,
    show_entry,
    send_reversal,
]
