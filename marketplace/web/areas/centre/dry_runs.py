"""Dry runs: how far one is, what it would have made of past orders, and proposing what it tried."""

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
from marketplace.vouchers.queries.dry_runs import (
    DryRunRow,
    DryRunRowsAsked,
    StoredDryRun,
    dry_run_rows,
    stored_dry_run,
)
from marketplace.vouchers.use_cases import TermGiven
from marketplace.web.areas.centre.programme_editor import changes_told, propose, version_asked
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

PLANNERS = (Role.VOUCHER_OFFICER, Role.FINANCE_CHECKER, *SEES_EVERYTHING)
LET_IN = "let_in_"
"""Before the dimensions of orders that no voucher paid for."""
PAGE_SIZE = 50
HEADS = (
    ("分类", "By"),
    ("项目", "Of"),
    ("订单数", "Orders"),
    ("服务金额（元）", "Services, CNY"),
    ("原规则支付订单", "Orders paid before"),
    ("新规则支付订单", "Orders paid after"),
    ("原规则金额（元）", "Before, CNY"),
    ("新规则金额（元）", "After, CNY"),
    ("相差（元）", "Change, CNY"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows of a run are shown."""

    run_id: int
    dimension: str | None
    page: vouchers.PageAsked


@dataclass(frozen=True, slots=True)
class Sheet:
    """A dry run with the programme it is of and a page of its table."""

    run: StoredDryRun
    programme: vouchers.Programme
    rows: vouchers.Listed[DryRunRow]
    layers: dict[str, vouchers.Layer]
    providers: dict[int, parties.Organisation]
    asked_by: str


async def sheet(tx: Tx, asked: Asked) -> Sheet:
    """Everything the page shows.

    Raises:
        DryRunMissing: when there is no such run.
    """
    run = await stored_dry_run(tx, asked.run_id)
    rows = await dry_run_rows(tx, DryRunRowsAsked(run.id, asked.dimension, asked.page))
    providers = [int(row.key) for row in rows.rows if row.dimension in OF_PROVIDERS]
    names = await parties.names_of_people(tx, [run.asked_by])
    return Sheet(
        run,
        await vouchers.programme(tx, run.programme_id),
        rows,
        {str(layer.id): layer for layer in await vouchers.layers(tx, run.programme_id)},
        await parties.organisations(tx, providers) if providers else {},
        names.get(run.asked_by, ""),
    )


def named(request: PageRequest, found: Sheet, row: DryRunRow) -> str:
    """What a row is of, in the reader's language."""
    speech = visitor_of(request).speech
    dimension = row.dimension.removeprefix(LET_IN)
    if dimension == "provider" and int(row.key) in found.providers:
        provider = found.providers[int(row.key)]
        return speech.either(provider.name, provider.name_en)
    if dimension == "layer" and row.key in found.layers:
        layer = found.layers[row.key]
        funder = label("funder", layer.funder)
        return layer.name or f"{speech.either(funder.chinese, funder.english)} {layer.region_code}"
    if dimension == "unknown":
        return speech.t(*UNKNOWN.get(row.key, (row.key, row.key)))
    name = label(f"dry_run_{dimension}", row.key)
    return speech.either(name.chinese, name.english)


@get("/ops/dry-runs/{dry_run_id:int}", **members(*PLANNERS))
async def show_dry_run(request: PageRequest, dry_run_id: FromPath[int]) -> Response[Any]:
    """How far it is; once it is done, before and after."""
    return await _shown(request, dry_run_id, empty(visitor_of(request).speech))


@get("/ops/dry-runs/{dry_run_id:int}/file", **members(*PLANNERS))
async def get_dry_run_file(request: PageRequest, dry_run_id: FromPath[int]) -> Response[bytes]:
    """Every row that the filter leaves, as CSV or Excel."""
    asked = Typed(request.query_params, visitor_of(request).speech)
    question = _asked(asked, dry_run_id, vouchers.PageAsked(1, ROWS_MAX + 1))
    found = await read(request, sheet, question)
    rows = [
        [
            asked.speech.t(*BY[row.dimension]),
            named(request, found, row),
            row.orders,
            row.service_value_fen / 100,
            row.orders_before,
            row.orders_after,
            row.before_fen / 100,
            row.after_fen / 100,
            (row.after_fen - row.before_fen) / 100,
        ]
        for row in found.rows.rows
    ]
    return await as_file(asked, f"dry-run-{dry_run_id}", HEADS, rows)


BY = {
    "size": ("企业规模", "Size of the SME"),
    "region": ("企业地区", "Region of the SME"),
    "service_kind": ("服务类型", "Kind of service"),
    "provider": ("管理单位", "Provider"),
    "layer": ("出资层", "Layer"),
    "let_in_size": ("无券订单·企业规模", "Without a voucher: size of the SME"),
    "let_in_region": ("无券订单·企业地区", "Without a voucher: region of the SME"),
    "let_in_service_kind": ("无券订单·服务类型", "Without a voucher: kind of service"),
    "let_in_provider": ("无券订单·管理单位", "Without a voucher: provider"),
    "let_in_layer": ("无券订单·出资层", "Without a voucher: layer"),
    "let_in_unknown": ("无券订单·情况不明", "Without a voucher: not known"),
}
DIMENSIONS = tuple(BY)
OF_PROVIDERS = {"provider", "let_in_provider"}
UNKNOWN = {
    "profile-of-the-year": ("未报当年企业情况", "The profile of the year"),
    "registration-number": (
        "科技型中小企业登记编号",
        "The registration number as a technology SME",
    ),
    "staff": ("职工人数", "Staff"),
    "sales": ("销售收入", "Sales"),
    "assets": ("资产总额", "Assets"),
    "capital": ("注册资本", "Registered capital"),
    "founded": ("成立日期", "The day of founding"),
    "incubated": ("入驻孵化器日期", "Since when it is in an incubator"),
}
"""What nobody has stated of SMEs that changed terms might let in; certificates by their names."""


@post("/ops/dry-runs/{dry_run_id:int}/propose", **members(Role.VOUCHER_OFFICER))
async def send_proposal(request: PageRequest, dry_run_id: FromPath[int]) -> Response[Any]:
    """Propose exactly the changes that were tried."""
    speech = visitor_of(request).speech
    run = await read(request, stored_dry_run, dry_run_id)
    form = await typed(request, speech)
    changes = {name: TermGiven(**given) for name, given in run.changes.items()}
    try:
        return await propose(request, form, version_asked(form, run.programme_id, changes))
    except DomainError as error:
        return await _shown(request, dry_run_id, form, told(error, speech), error.status)


def _asked(form: Typed, run_id: int, page_asked: vouchers.PageAsked) -> Asked:
    dimension = form.choice("dimension", DIMENSIONS, needed=False) or None
    form.require()
    return Asked(run_id, dimension, page_asked)


async def _shown(
    request: PageRequest,
    dry_run_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    filters = Typed(request.query_params, visitor_of(request).speech)
    number = filters.whole("page", least=1, most=10_000, needed=False) or 1
    question = _asked(filters, dry_run_id, vouchers.PageAsked(number, PAGE_SIZE))
    found = await read(request, sheet, question)
    return page(
        request,
        "centre/dry_run.html",
        status=status,
        found=found,
        rows=[(row, named(request, found, row)) for row in found.rows.rows],
        changes=changes_told(request, found.programme.terms, found.run.changes),
        by=BY,
        choices_of_dimension=[(name, filters.speech.t(*BY[name])) for name in DIMENSIONS],
        filters=filters,
        form=form,
        refusal=refusal,
        page_number=number,
        page_size=PAGE_SIZE,
        may_propose=visitor_of(request).has(Role.VOUCHER_OFFICER),
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [show_dry_run, get_dry_run_file, send_proposal]
