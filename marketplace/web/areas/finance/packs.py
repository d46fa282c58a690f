"""Audit packs: asked for, built by a job while one looks on, and taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from marketplace.closing.queries import packs as queries
from marketplace.closing.rules.months import Month
from marketplace.closing.use_cases.packs import ask_pack, pack_content, pack_name, take_pack
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties.roles import Role
from marketplace.web.acting import act
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.finance.payouts import PAGES_MAX
from marketplace.web.areas.finance.roles import CHECKER, READS_ENTRIES
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

PAGE_SIZE = 25
ASKS = (*CHECKER, Role.AUDITOR)
HEADS = (
    ("编号", "Number"),
    ("月份", "Month"),
    ("状态", "State"),
    ("分录", "Entries"),
    ("大小（字节）", "Bytes"),
    ("SHA-256", "SHA-256"),
    ("申请人", "Asked by"),
    ("申请时间", "Asked"),
)


@dataclass(frozen=True, slots=True)
class PackList:
    """A page of packs with who asked for them."""

    rows: list[queries.Pack]
    total: int
    last_month: Month
    names: Names


async def pack_list(tx: Tx, search: queries.PackSearch) -> PackList:
    """The latest first."""
    rows, total = await queries.packs(tx, search)
    before = Month(tx.today.year, tx.today.month - 1 or 12)
    last = Month(before.year - (tx.today.month == 1), before.month)
    return PackList(rows, total, last, await names(tx, people=[each.asked_by for each in rows]))


@dataclass(frozen=True, slots=True)
class OnePack:
    """A pack with who asked for it."""

    pack: queries.Pack
    names: Names


async def one_pack(tx: Tx, pack_id: int) -> OnePack:
    """A pack, as far as it is."""
    pack = await queries.pack_by_id(tx, pack_id)
    return OnePack(pack, await names(tx, people=[pack.asked_by]))


def _search(form: Typed, page_size: int = PAGE_SIZE) -> queries.PackSearch:
    search = queries.PackSearch(
        page=form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1, page_size=page_size
    )
    form.require()
    return search


@get("/finance/packs", **members(*READS_ENTRIES))
async def show_packs(request: PageRequest) -> Response[Any]:
    """Every pack, and the form to ask for one."""
    return await _packs(request, empty(visitor_of(request).speech))


@get("/finance/packs/file", **members(*READS_ENTRIES))
async def show_packs_file(request: PageRequest) -> Response[bytes]:
    """The same packs as a file."""
    form = Typed(request.query_params, visitor_of(request).speech)
    found = await read(request, pack_list, _search(form, ROWS_MAX + 1))
    rows = [
        [
            each.id,
            f"{each.first_on:%Y-%m}",
            form.speech.either(
                label("pack", each.status).chinese, label("pack", each.status).english
            ),
            each.entries_total,
            each.size or "",
            each.sha256 or "",
            found.names.people.get(each.asked_by, ""),
            form.speech.moment(each.asked_at),
        ]
        for each in found.rows
    ]
    return await as_file(form, "audit-packs", HEADS, rows)


@post("/finance/packs", **members(*ASKS))
async def send_pack(request: PageRequest) -> Response[Any]:
    """Ask for the archive of a month that is over."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    month = _month(form)
    try:
        form.require()
        assert month is not None, "required"
        said = ("已申请，系统正在生成", "Asked for; it is being built.")
        return await act(
            request, form, ask_pack, month, to=lambda made: f"/finance/packs/{made.id}", said=said
        )
    except DomainError as error:
        return await _packs(request, form, told(error, speech), error.status)


def _month(form: Typed) -> Month | None:
    """`<input type=month>` sends `2025-02`."""
    first = form.raw("month").strip()
    try:
        year, month = (int(part) for part in first.split("-"))
    except ValueError:
        year, month = 0, 0
    if not (2000 <= year <= 2100 and 1 <= month <= 12):
        form.wrong("month", "请填写月份，如 2025-02", "A month, for instance 2025-02")
        return None
    return Month(year, month)


@get("/finance/packs/{pack_id:int}", **members(*READS_ENTRIES))
async def show_pack(request: PageRequest, pack_id: FromPath[int]) -> Response[Any]:
    """How far a pack is; once it is ready, what is in it and the way to it."""
    partial = request.headers.get("hx-request") == "true"
    return page(
        request,
        "finance/pack_state.html" if partial else "finance/pack.html",
        found=await read(request, one_pack, pack_id),
    )


@get("/finance/packs/{pack_id:int}/archive.zip", **members(*READS_ENTRIES))
async def show_pack_archive(request: PageRequest, pack_id: FromPath[int]) -> Response[Any] | Stream:
    """The archive; who takes it is in the audit trail."""
    try:
        pack, keys = await read(request, take_pack, pack_id)
    except DomainError as error:
        if error.status == 404:
            raise
        refusal = told(error, visitor_of(request).speech)
        shown = empty(visitor_of(request).speech)
        return await _packs(request, shown, refusal, error.status)
    return Stream(
        pack_content(keys),
        media_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{pack_name(pack)}"',
            "Content-Length": str(pack.size),
        },
    )


async def _packs(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    search = _search(Typed(request.query_params, visitor.speech))
    return page(
        request,
        "finance/packs.html",
        status=status,
        form=form,
        search=search,
        found=await read(request, pack_list, search),
        refusal=refusal,
        may_ask=visitor.has(*ASKS),
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_packs,
    show_packs_file,
    send_pack,
    show_pack,
    show_pack_archive,
]
