"""Monthly statements of machine-hours: which months wait, what each says, and what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries as booking
from marketplace.booking.queries import MonthsAsked, StatementPart, StatementSearch
from marketplace.booking.rules.statements import COUNTS, LineDifference, StatementStatus
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.parties import queries as parties
from marketplace.web.areas.provider.roles import MANAGER, STAFF
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, new_key
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Speech, Told, label
from marketplace.web.words.choices import name_of

PAGE_SIZE = 24
LINES_PAGE_SIZE = 50
DIFFERENCES_SHOWN = 100
MONTHS_BACK = 12
# What a page shows of each line; the file has all of it.
SHOWN = ("minutes", "sessions", "samples", "reserved_minutes", "no_shows", "late_cancellations")
HEADS = (
    ("月份", "Month"),
    ("版本", "Version"),
    ("状态", "State"),
    ("编制时间", "Drawn up"),
    ("确认时间", "Confirmed"),
    ("更正原因", "Why corrected"),
    ("摘要", "Digest"),
)


@dataclass(frozen=True, slots=True)
class Months:
    """The months that wait, those repaired since they were confirmed, and every statement."""

    missing: Sequence[booking.MissingStatement]
    repaired: Sequence[booking.MonthCompared]
    rows: Sequence[booking.Statement]
    total: int
    people: Mapping[int, str]


async def months(tx: Tx, search: StatementSearch) -> Months:
    """Of the last twelve months those to be seen to, and the statements that were asked for.

    Policy: F.289-15
    """
    last = tx.today.replace(day=1) - timedelta(days=1)
    asked = MonthsAsked(
        date(last.year - (last.month < MONTHS_BACK), last.month % MONTHS_BACK + 1, 1),
        last.replace(day=1),
    )
    missing, _ = await booking.missing_statements(tx, asked)
    compared = await booking.compared_months(tx, asked)
    rows, total = await booking.statements(tx, search)
    people = {each.drafted_by for each in rows} | {each.confirmed_by or 0 for each in rows}
    return Months(
        missing,
        [each for each in compared.rows if each.differs],
        rows,
        total,
        await parties.names_of_people(tx, people),
    )


@dataclass(frozen=True, slots=True)
class Sheet:
    """One statement: its sums, its lines, and where the sessions say something else by now."""

    page: booking.StatementPage
    lines: Sequence[tuple[Any, Any]]
    total: int
    differences: Sequence[LineDifference]
    instruments: Mapping[int, catalogue.Instrument]
    people: Mapping[int, str]

    def called(self, instrument_id: int, speech: Speech) -> str:
        """An instrument's name in the reader's language."""
        found = self.instruments.get(instrument_id)
        return speech.either(found.cname, found.ename) if found else str(instrument_id)


async def sheet(tx: Tx, asked: StatementPart) -> Sheet:
    """A statement of the actor's provider.

    Raises:
        StatementMissing: when it is another's.
    """
    found = await booking.statement_page(tx, asked.statement_id)
    lines, total = await booking.statement_lines(tx, asked)
    differing, _ = await booking.statement_differences(
        tx, StatementPart(asked.statement_id, page_size=DIFFERENCES_SHOWN)
    )
    keys = [key for key, _ in lines] + [each.key for each in differing]
    made = found.statement
    return Sheet(
        found,
        lines,
        total,
        differing,
        await catalogue.instruments(tx, {each.instrument_id for each in keys}),
        await parties.names_of_people(tx, {made.drafted_by, made.confirmed_by or 0}),
    )


def changed(found: LineDifference) -> list[tuple[str, int, int]]:
    """Each figure of a line that differs: its name, as it was stated, as it is."""
    both = ((name, getattr(found.confirmed, name), getattr(found.live, name)) for name in COUNTS)
    return [(name, was, now) for name, was, now in both if was != now]


@get("/provider/reports/statements", **members(*STAFF))
async def show_statements(request: PageRequest) -> Response[Any]:
    """Months to draw up and to confirm, and every version that there is."""
    return await months_page(request)


@get("/provider/reports/statements/file", **members(*STAFF))
async def show_statements_file(request: PageRequest) -> Response[bytes]:
    """The same list as a file."""
    form, search = _asked(request)
    found = await read(request, months, replace(search, page=1, page_size=ROWS_MAX + 1))
    speech = form.speech
    rows = [
        [
            each.month.strftime("%Y-%m"),
            each.version,
            name_of(speech, "hours_statement", each.status),
            speech.moment(each.drafted_at),
            speech.moment(each.confirmed_at) if each.confirmed_at else "",
            each.reason or "",
            each.sha256,
        ]
        for each in found.rows
    ]
    return await as_file(form, "hours-statements", HEADS, rows)


@get("/provider/reports/statements/{statement_id:int}", **members(*STAFF))
async def show_statement(request: PageRequest, statement_id: FromPath[int]) -> Response[Any]:
    """What a month says, what stands in its way, and what was repaired since."""
    return await statement_page(request, statement_id)


@get("/provider/reports/statements/{statement_id:int}/file", **members(*STAFF))
async def show_statement_file(request: PageRequest, statement_id: FromPath[int]) -> Response[bytes]:
    """Every line with all its figures as a file; times are minutes."""
    form = Typed(request.query_params, visitor_of(request).speech)
    found = await read(request, sheet, StatementPart(statement_id, page_size=ROWS_MAX + 1))
    names = [label("hours_count", name) for name in COUNTS]
    heads = (
        ("仪器", "Instrument"),
        ("用途", "Purpose"),
        ("用户类别", "Class of user"),
        *((each.chinese, each.english) for each in names),
    )
    rows = [
        [
            found.called(key.instrument_id, form.speech),
            name_of(form.speech, "purpose", key.purpose),
            name_of(form.speech, "user_class", key.user_class),
            *(getattr(counts, name) for name in COUNTS),
        ]
        for key, counts in found.lines
    ]
    return await as_file(form, f"hours-{found.page.statement.month:%Y-%m}", heads, rows)


async def months_page(
    request: PageRequest,
    form: Typed | None = None,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    """The list of months, with what was refused on it."""
    filters, search = _asked(request)
    return page(
        request,
        "provider/statements.html",
        status=status,
        filters=filters,
        form=form or filters,
        search=search,
        found=await read(request, months, search),
        statuses=list(StatementStatus),
        refusal=refusal,
        key=new_key(),
    )


async def statement_page(
    request: PageRequest,
    statement_id: int,
    form: Typed | None = None,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    """One statement, with what was refused on it."""
    visitor = visitor_of(request)
    asked = Typed(request.query_params, visitor.speech)
    number = asked.whole("page", least=1, most=10_000, needed=False) or 1
    part = StatementPart(statement_id, number, LINES_PAGE_SIZE)
    found = await read(request, sheet, part)
    return page(
        request,
        "provider/statement.html",
        status=status,
        found=found,
        statement=found.page.statement,
        asked=part,
        changed=changed,
        shown=SHOWN,
        counts=COUNTS,
        manages=visitor.has(*MANAGER),
        me=visitor.actor.person_id,
        form=form or asked,
        refusal=refusal,
        key=new_key(),
    )


def _asked(request: PageRequest) -> tuple[Typed, StatementSearch]:
    form = Typed(request.query_params, visitor_of(request).speech)
    status = form.choice("status", list(StatementStatus), needed=False)
    month = month_of(form, "of", needed=False)
    search = StatementSearch(
        provider_id=visitor_of(request).actor.organisation_id,
        month=month,
        status=StatementStatus(status) if status else None,
        page=form.whole("page", least=1, most=10_000, needed=False) or 1,
        page_size=PAGE_SIZE,
    )
    form.require()
    return form, search


def month_of(form: Typed, name: str, *, needed: bool = True) -> date | None:
    """The first day of a month that was typed as 2025-03."""
    value = form.raw(name).strip()
    if not value and not needed:
        return None
    try:
        found = date.fromisoformat(f"{value}-01")
    except ValueError:
        form.wrong(name, "请填写月份，例如 2025-03", "A month, as 2025-03")
        return None
    if not 2000 <= found.year <= 2100:
        form.wrong(name, "年份有误", "The year cannot be right")
        return None
    return found


routes: list[ControllerRouterHandler] = [
    show_statements,
    show_statements_file,
    show_statement,
    show_statement_file,
]
