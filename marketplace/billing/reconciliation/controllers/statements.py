"""The JSON API of statements, their lines, and the sign-off of periods."""

from __future__ import annotations

from datetime import date

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.billing.reconciliation import queries, use_cases
from marketplace.billing.reconciliation.rules.states import MatchKind
from marketplace.billing.reconciliation.schemas import (
    AccountNumber,
    BalancingOut,
    FileName,
    LineOut,
    MatchIn,
    MatchReportOut,
    SearchText,
    SignOffIn,
    SignOffOut,
    StatementOut,
    Status,
    UndoIn,
)
from marketplace.kernel.http import ApiRequest, actor_of, allow, perform, read
from marketplace.kernel.wire import AmountFen, Id, Page, PageNumber, PageSize
from marketplace.parties.roles import SEES_EVERYTHING, Role

FINANCE = (Role.FINANCE_MAKER, Role.FINANCE_CHECKER)


@post(
    "/bank-statements",
    summary="Import a bank statement",
    request_max_body_size=use_cases.STATEMENT_BYTES_MAX,
    **allow(Role.FINANCE_MAKER),
)
async def post_statement(
    request: ApiRequest,
    account_number: FromQuery[AccountNumber],
    file_name: FromQuery[FileName] = "statement",
) -> Response[StatementOut]:
    """Send the file as the body: CSV (GB18030, UTF-8, UTF-16; comma or tab), XLSX or XLS.

    It is imported whole or not at all; every line that is wrong is listed. Lines that came in an
    earlier file are skipped.
    """
    command = use_cases.ImportStatement(
        account_number=account_number, file_name=file_name, content=await request.body()
    )
    return await perform(request, use_cases.import_statement, command, present=StatementOut.of)


@get("/bank-statements", summary="Statements", **allow(*FINANCE, *SEES_EVERYTHING))
async def get_statements(
    request: ApiRequest,
    account_number: FromQuery[AccountNumber | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[StatementOut]:
    """Newest first."""
    search = queries.StatementSearch(
        account_number=account_number and account_number.replace(" ", ""),
        page=page,
        page_size=page_size,
    )
    rows, total = await read(request, queries.statements, search)
    return Page(
        results=[StatementOut.of(row) for row in rows], total=total, page=page, page_size=page_size
    )


@get(
    "/bank-statements/{statement_id:int}",
    summary="A statement",
    **allow(*FINANCE, *SEES_EVERYTHING),
)
async def get_statement(request: ApiRequest, statement_id: FromPath[Id]) -> StatementOut:
    """One statement; its lines are listed at /statement-lines."""
    return StatementOut.of(await read(request, queries.statement_by_id, statement_id))


@post(
    "/bank-statements/{statement_id:int}/match",
    summary="Match a statement by rules",
    **allow(Role.FINANCE_MAKER),
)
async def post_matching(
    request: ApiRequest, statement_id: FromPath[Id]
) -> Response[MatchReportOut]:
    """Explains what is certain and leaves the rest to a person; can be run again."""
    return await perform(
        request,
        use_cases.match_statement,
        use_cases.MatchStatement(statement_id),
        present=MatchReportOut.of,
        status=200,
    )


@get("/statement-lines", summary="Lines of statements", **allow(*FINANCE, *SEES_EVERYTHING))
async def get_lines(  # noqa: PLR0913 filters of a list
    request: ApiRequest,
    status: FromQuery[Status | None] = None,
    kind: FromQuery[MatchKind | None] = None,
    statement_id: FromQuery[Id | None] = None,
    text: FromQuery[SearchText] = "",
    amount_fen: FromQuery[AmountFen | None] = None,
    from_on: FromQuery[date | None] = None,
    until_on: FromQuery[date | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[LineOut]:
    """With `status=unmatched`, the exceptions, oldest first; else newest first.

    `text` is looked for in name, account, remark and reference; `amount_fen` in both directions.
    """
    search = queries.LineSearch(
        status=status,
        kind=kind,
        statement_id=statement_id,
        text=text,
        amount_fen=amount_fen,
        from_on=from_on,
        until_on=until_on,
        page=page,
        page_size=page_size,
    )
    rows, total = await read(request, queries.statement_lines, search)
    present = LineOut.of if actor_of(request).has(*FINANCE) else LineOut.masked
    return Page(results=[present(row) for row in rows], total=total, page=page, page_size=page_size)


@post(
    "/statement-lines/{line_id:int}/match",
    summary="Say what a line is",
    **allow(Role.FINANCE_MAKER),
)
async def post_match(
    request: ApiRequest, line_id: FromPath[Id], data: JSONBody[MatchIn]
) -> Response[LineOut]:
    """With a reason that stays in the books."""
    command = data.to_command(line_id)
    return await perform(request, use_cases.match_line, command, present=LineOut.of, status=200)


@post(
    "/statement-lines/{line_id:int}/undo",
    summary="Take a match back",
    **allow(Role.FINANCE_MAKER),
)
async def post_undo(
    request: ApiRequest, line_id: FromPath[Id], data: JSONBody[UndoIn]
) -> Response[LineOut]:
    """By a reversing entry; a payment is on its way again."""
    command = data.to_command(line_id)
    return await perform(request, use_cases.undo_match, command, present=LineOut.of, status=200)


@get(
    "/reconciliation/balancing",
    summary="Do books and bank agree",
    **allow(*FINANCE, *SEES_EVERYTHING),
)
async def get_balancing(
    request: ApiRequest,
    first_on: FromQuery[date | None] = None,
    last_on: FromQuery[date | None] = None,
) -> BalancingOut:
    """Opening + in − out = closing for each account, against the ledger at the end of `last_on`."""
    asked = queries.BalancingAsked(first_on=first_on, last_on=last_on)
    return BalancingOut.of(await read(request, queries.balancing, asked))


@get(
    "/reconciliation/periods",
    summary="Periods signed off or prepared",
    **allow(*FINANCE, *SEES_EVERYTHING),
)
async def get_sign_offs(request: ApiRequest) -> list[SignOffOut]:
    """The latest first."""
    return [SignOffOut.of(row) for row in await read(request, queries.sign_offs, None)]


@post("/reconciliation/periods", summary="Prepare a sign-off", **allow(Role.FINANCE_MAKER))
async def post_sign_off(request: ApiRequest, data: JSONBody[SignOffIn]) -> Response[SignOffOut]:
    """When books and bank agree and every line until the last day is explained."""
    return await perform(
        request, use_cases.draft_sign_off, data.to_command(), present=SignOffOut.of
    )


@post(
    "/reconciliation/periods/{sign_off_id:int}/approve",
    summary="Sign a period off",
    **allow(Role.FINANCE_CHECKER),
)
async def post_approval(request: ApiRequest, sign_off_id: FromPath[Id]) -> Response[SignOffOut]:
    """By another person than the one who prepared it; closes the cash ledger for these days."""
    return await perform(
        request,
        use_cases.approve_sign_off,
        use_cases.ApproveSignOff(sign_off_id),
        present=SignOffOut.of,
        status=200,
    )


routes: list[ControllerRouterHandler] = [
    post_statement,
    get_statements,
    get_statement,
    post_matching,
    get_lines,
    post_match,
    post_undo,
    get_balancing,
    get_sign_offs,
    post_sign_off,
    post_approval,
]
