"""Voucher programmes: what they pay, what is left of their budgets, how their terms changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties import queries as parties
from marketplace.parties.roles import SEES_EVERYTHING, Role
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.queries.dry_runs import DryRunSearch, StoredDryRun, dry_runs
from marketplace.vouchers.use_cases import (
    FILE_BYTES_MAX,
    ApproveProgramme,
    ImportProgramme,
    approve_programme,
    import_programme,
)
from marketplace.web.acting import act
from marketplace.web.areas.centre.terms import in_order, term_name, told_value
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

READERS = (Role.VOUCHER_OFFICER, Role.FINANCE_CHECKER, Role.ADMINISTRATOR, *SEES_EVERYTHING)
PAGE_SIZE = 30
STATES = ("draft", "open", "closed")
SHOWN = vouchers.PageAsked(1, 20)
HEADS = (
    ("名称", "Name"),
    ("英文名称", "English name"),
    ("年度", "Year"),
    ("申请开始", "Opens"),
    ("申请结束", "Closes"),
    ("券有效至", "Valid until"),
    ("状态", "State"),
    ("版本", "Version"),
    ("依据", "Source"),
)


@get("/ops/programmes", **members(*READERS))
async def show_programmes(request: PageRequest) -> Response[Any]:
    """Every programme, the newest first."""
    return await _list(request, empty(visitor_of(request).speech))


def _search(form: Typed, asked: vouchers.PageAsked) -> vouchers.ProgrammeSearch:
    search = vouchers.ProgrammeSearch(
        year=form.whole("year", least=2000, most=2100, needed=False),
        status=form.choice("status", STATES, needed=False) or None,
        page=asked,
    )
    form.require()
    return search


async def _list(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    filters = Typed(request.query_params, visitor_of(request).speech)
    number = filters.whole("page", least=1, most=10_000, needed=False) or 1
    search = _search(filters, vouchers.PageAsked(number, PAGE_SIZE))
    return page(
        request,
        "centre/programmes.html",
        status=status,
        filters=filters,
        form=form,
        refusal=refusal,
        found=await read(request, vouchers.programmes, search),
        page_number=number,
        page_size=PAGE_SIZE,
        states=STATES,
        may_draft=visitor_of(request).has(Role.VOUCHER_OFFICER),
        key=new_key(),
    )


@get("/ops/programmes/file", **members(*READERS))
async def get_programmes_file(request: PageRequest) -> Response[bytes]:
    """The programmes that the filters leave, as CSV or Excel."""
    form = Typed(request.query_params, visitor_of(request).speech)
    found = await read(
        request, vouchers.programmes, _search(form, vouchers.PageAsked(1, ROWS_MAX + 1))
    )
    rows = [
        [
            each.name,
            each.name_en,
            each.year,
            each.opens_on,
            each.closes_on,
            each.valid_until,
            each.status,
            each.version,
            each.source,
        ]
        for each in found.rows
    ]
    return await as_file(form, "programmes", HEADS, rows)


@post(
    "/ops/programmes/import",
    request_max_body_size=FILE_BYTES_MAX + 100_000,
    **members(Role.VOUCHER_OFFICER),
)
async def send_import(request: PageRequest) -> Response[Any]:
    """Draft a programme from its TOML file; a second person opens it."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    file = await form.file("file", bytes_max=FILE_BYTES_MAX)
    try:
        form.require()
        return await act(
            request,
            form,
            import_programme,
            ImportProgramme(file[1] if file else b""),
            to=lambda made: f"/ops/programmes/{made.id}",
            said=("草案已建立，待另一人批准", "Drafted: another person opens it."),
        )
    except DomainError as error:
        return await _list(request, form, told(error, speech), error.status)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A programme with its money, its versions and what was tried on it."""

    of: vouchers.ProgrammePage
    versions: vouchers.Listed[vouchers.ProgrammeVersion]
    dry_runs: list[StoredDryRun]
    names: dict[int, str]


async def sheet(tx: Tx, programme_id: int) -> Sheet:
    """Everything about a programme.

    Raises:
        ProgrammeMissing: when there is none that the caller may see.
    """
    of = await vouchers.programme_page(tx, programme_id)
    versions = await vouchers.versions(tx, vouchers.VersionsAsked(programme_id, SHOWN))
    tried = (await dry_runs(tx, DryRunSearch(programme_id, page=SHOWN))).rows
    people = {of.programme.made_by, *(each.made_by for each in versions.rows)}
    people |= {each.asked_by for each in tried}
    return Sheet(of, versions, tried, await parties.names_of_people(tx, people))


@get("/ops/programmes/{programme_id:int}", **members(*READERS))
async def show_programme(request: PageRequest, programme_id: FromPath[int]) -> Response[Any]:
    """One programme: layers with their budgets, terms with their sources, versions, dry runs."""
    return await _sheet(request, programme_id)


@post(
    "/ops/programmes/{programme_id:int}/approve",
    **members(Role.VOUCHER_OFFICER, Role.FINANCE_CHECKER),
)
async def send_approve(request: PageRequest, programme_id: FromPath[int]) -> Response[Any]:
    """Open a drafted programme: its budgets are in the ledger from then on."""
    speech = visitor_of(request).speech
    await read(request, vouchers.programme, programme_id)
    form = await typed(request, speech)
    address = f"/ops/programmes/{programme_id}"
    said = ("政策已批准，预算已入账", "The programme is open; its budgets are in the books.")
    try:
        command = ApproveProgramme(programme_id)
        return await act(request, form, approve_programme, command, to=address, said=said)
    except DomainError as error:
        return await _sheet(request, programme_id, told(error, speech), error.status)


async def _sheet(
    request: PageRequest, programme_id: int, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    found = await read(request, sheet, programme_id)
    it = found.of.programme
    return page(
        request,
        "centre/programme.html",
        status=status,
        found=found,
        terms=[
            (
                term_name(visitor.speech, name),
                told_value(visitor.speech, name, it.terms[name]["value"]),
                it.terms[name].get("source", ""),
            )
            for name in in_order(it.terms)
        ],
        refusal=refusal,
        may_edit=visitor.has(Role.VOUCHER_OFFICER) and it.status != "draft",
        may_approve=it.status == "draft"
        and visitor.has(Role.VOUCHER_OFFICER, Role.FINANCE_CHECKER)
        and visitor.actor.person_id != it.made_by,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_programmes,
    get_programmes_file,
    send_import,
    show_programme,
    send_approve,
]
