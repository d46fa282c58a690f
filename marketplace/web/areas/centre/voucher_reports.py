"""What became of voucher money, by any grouping; and whether tables and ledger agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.parties.roles import SEES_EVERYTHING, Role
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.queries.reports import (
    MEASURES,
    Compared,
    Grouping,
    ReconciliationAsked,
    ReportAsked,
    ReportRow,
    reconciliation,
    report,
)
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import label

READERS = (
    Role.VOUCHER_OFFICER,
    Role.FINANCE_MAKER,
    Role.FINANCE_CHECKER,
    Role.EVALUATOR,
    *SEES_EVERYTHING,
)
HERE = "/ops/voucher-report"
PAGE_SIZE = 50
PROGRAMMES_LISTED = 200
GROUPS = tuple(each.value for each in Grouping)
SHOWN = ("issued", "held", "used", "claimed", "paid", "expired", "clawed_back")
"""On the page; the file has every sum."""


@dataclass(frozen=True, slots=True)
class Report:
    """A page of groups, all of them together, and the programmes to choose from."""

    rows: list[ReportRow]
    total: int
    together: ReportRow | None
    programmes: list[vouchers.Programme]


async def whole_report(tx: Tx, asked: ReportAsked) -> Report:
    """The groups of a page, and the sums of what the filters leave.

    Raises:
        ReportRefused: when it is grouped by the same thing twice, or the days are reversed.
    """
    found = await report(tx, asked)
    by_funder = replace(asked, by=(Grouping.FUNDER,), page=1)
    together = await report(tx, by_funder)
    listed = await vouchers.programmes(
        tx, vouchers.ProgrammeSearch(page=vouchers.PageAsked(1, PROGRAMMES_LISTED))
    )
    return Report(found.rows, found.total, _sum(together.rows), listed.rows)


def _sum(rows: list[ReportRow]) -> ReportRow | None:
    if not rows:
        return None
    amounts = {name: sum(row.amounts[name] for row in rows) for name in MEASURES}
    return ReportRow({}, {}, amounts)


def _asked(form: Typed, page_size: int = PAGE_SIZE) -> ReportAsked:
    groups = [form.choice(name, GROUPS, needed=False) for name in ("by", "then")]
    by = tuple(Grouping(each) for each in groups if each) or (Grouping.PROGRAMME,)
    asked = ReportAsked(
        by,
        form.day("from", needed=False),
        form.day("until", needed=False),
        form.whole("programme", least=1, most=2**62, needed=False),
        form.whole("layer", least=1, most=2**62, needed=False),
        form.whole("sme", least=1, most=2**62, needed=False),
        form.whole("provider", least=1, most=2**62, needed=False),
        form.text("region", length_max=6, needed=False) or None,
        form.text("service_kind", length_max=60, needed=False) or None,
        form.whole("page", least=1, most=10_000, needed=False) or 1,
        page_size,
    )
    if len(set(by)) != len(by):
        form.wrong("then", "请选择另一种分组", "Choose another grouping")
    form.require()
    return asked


@get(HERE, **members(*READERS))
async def show_report(request: PageRequest) -> Response[Any]:
    """Issued, held, used, claimed, paid, expired, clawed back; and the redemption rate."""
    form = Typed(request.query_params, visitor_of(request).speech)
    asked = _asked(form)
    return page(
        request,
        "centre/voucher_report.html",
        form=form,
        asked=asked,
        found=await read(request, whole_report, asked),
        groups=GROUPS,
        measures=SHOWN,
    )


@get(f"{HERE}/file", **members(*READERS))
async def get_report_file(request: PageRequest) -> Response[bytes]:
    """Every group of the same report, with every sum, as CSV or Excel."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    asked = _asked(form, ROWS_MAX + 1)
    found = await read(request, report, asked)
    groups = [each.value for each in asked.by]
    heads = [
        *(_head("grouping", each) for each in groups),
        *(_head("measure", each) for each in MEASURES),
        ("使用率", "Redemption rate"),
    ]
    rows = []
    for row in found.rows:
        rate = row.redemption_basis_points
        rows.append(
            [
                *(_group(row.group, row.names, each) for each in groups),
                *(yuan(row.amounts[each]) for each in MEASURES),
                "" if rate is None else speech.percent(rate),
            ]
        )
    return await as_file(form, "voucher-report", heads, rows)


def _head(group: str, name: str) -> tuple[str, str]:
    found = label(group, name)
    return found.chinese, found.english


def _group(group: Mapping[str, Any], names: Mapping[str, str], by: str) -> Any:
    return names.get(by) or ("" if group[by] is None else group[by])


@get("/ops/voucher-accounts", **members(*READERS))
async def show_accounts(request: PageRequest) -> Response[Any]:
    """Each layer's budget, holds and use: what the tables say, what the ledger says, of now."""
    form = Typed(request.query_params, visitor_of(request).speech)
    asked = ReconciliationAsked(
        form.whole("programme", least=1, most=2**62, needed=False), form.ticked("differing")
    )
    form.require()
    return page(
        request,
        "centre/voucher_accounts.html",
        form=form,
        found=await read(request, reconciliation, asked),
    )


@get("/ops/voucher-accounts/file", **members(*READERS))
async def get_accounts_file(request: PageRequest) -> Response[bytes]:
    """The same sums as CSV or Excel."""
    form = Typed(request.query_params, visitor_of(request).speech)
    asked = ReconciliationAsked(
        form.whole("programme", least=1, most=2**62, needed=False), form.ticked("differing")
    )
    form.require()
    found: list[Compared] = await read(request, reconciliation, asked)
    heads = (
        ("计划", "Programme"),
        ("出资层", "Layer"),
        ("出资级别", "Funder"),
        ("所在地", "Region"),
        ("项目", "Sum"),
        ("业务表", "Tables"),
        ("账簿", "Ledger"),
        ("差额", "Difference"),
    )
    rows = []
    for each in found:
        name, funder = label("compared", each.what), label("funder", each.funder or "")
        rows.append(
            [
                each.programme_name or "",
                each.layer_id or "",
                form.speech.either(funder.chinese, funder.english),
                each.region_code or "",
                form.speech.either(name.chinese, name.english),
                yuan(each.tables_fen),
                yuan(each.ledger_fen),
                yuan(each.difference_fen),
            ]
        )
    return await as_file(form, "voucher-accounts", heads, rows)


routes: list[ControllerRouterHandler] = [
    show_report,
    get_report_file,
    show_accounts,
    get_accounts_file,
]
