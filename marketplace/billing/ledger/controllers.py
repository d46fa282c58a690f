"""The JSON API of the ledger: finance staff and auditors read it; one thing can be done to it."""

from __future__ import annotations

from datetime import date

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.billing.ledger import queries, use_cases
from marketplace.billing.ledger.queries import AccountType, LedgerName
from marketplace.billing.ledger.schemas import (
    AccountOut,
    EntriesMax,
    EntryOut,
    HoldOut,
    PeriodIn,
    PeriodOut,
    PostedOut,
    ProposedOut,
    ReversalIn,
    SourceKind,
    StatementLineOut,
    TrialBalanceOut,
    VerifyOut,
)
from marketplace.billing.ledger.use_cases import EntryKind
from marketplace.kernel.db import Tx
from marketplace.kernel.http import ApiRequest, allow, perform, read, services
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role

# An entry tells what one order came to: the regulator reads sums, and never entries (N.24a).
READERS = (Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.AUDITOR)
READS_SUMS = (*READERS, Role.REGULATOR)


@get("/ledger/accounts", summary="Accounts", **allow(*READERS))
async def get_accounts(
    request: ApiRequest,
    ledger: FromQuery[LedgerName | None] = None,
    type: FromQuery[AccountType | None] = None,
    owner_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[AccountOut]:
    """In order of type and owner, each with what lies on it and what of it is held."""
    search = queries.AccountSearch(
        ledger=ledger, type=type, owner_id=owner_id, page=page, page_size=page_size
    )
    rows, total = await read(request, queries.accounts, search)
    return Page(
        results=[AccountOut.of(row) for row in rows], total=total, page=page, page_size=page_size
    )


@get("/ledger/accounts/{account_id:int}", summary="An account", **allow(*READERS))
async def get_account(request: ApiRequest, account_id: FromPath[Id]) -> AccountOut:
    """One account with its balance."""
    return AccountOut.of(await read(request, queries.account_by_id, account_id))


@get(
    "/ledger/accounts/{account_id:int}/postings",
    summary="What moved on an account",
    **allow(*READERS),
)
async def get_postings(
    request: ApiRequest,
    account_id: FromPath[Id],
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[StatementLineOut]:
    """The latest first, in the account's own sign, with the balance after each."""
    asked = queries.AccountStatement(account_id=account_id, page=page, page_size=page_size)
    rows, total = await read(request, queries.statement, asked)
    return Page(
        results=[StatementLineOut.of(row) for row in rows],
        total=total,
        page=page,
        page_size=page_size,
    )


@get(
    "/ledger/accounts/{account_id:int}/holds",
    summary="What is held on an account",
    **allow(*READERS),
)
async def get_holds(request: ApiRequest, account_id: FromPath[Id]) -> list[HoldOut]:
    """The holds that are neither settled nor released, oldest first; at most 1,000."""

    async def question(tx: Tx, wanted: int) -> list[queries.OpenHold]:
        await queries.account_by_id(tx, wanted)
        return await queries.open_holds(tx, wanted)

    return [HoldOut.of(row) for row in await read(request, question, account_id)]


@get("/ledger/entries", summary="Journal entries", **allow(*READERS))
async def get_entries(  # noqa: PLR0913 one argument for each filter
    request: ApiRequest,
    ledger: FromQuery[LedgerName | None] = None,
    account_id: FromQuery[Id | None] = None,
    kind: FromQuery[EntryKind | None] = None,
    source_kind: FromQuery[SourceKind | None] = None,
    source_id: FromQuery[Id | None] = None,
    from_on: FromQuery[date | None] = None,
    until_on: FromQuery[date | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[EntryOut]:
    """The latest first. `from_on` and `until_on` are the entries' own days, both included."""
    search = queries.EntrySearch(
        ledger=ledger,
        account_id=account_id,
        kind=kind,
        source_kind=source_kind,
        source_id=source_id,
        from_on=from_on,
        until_on=until_on,
        page=page,
        page_size=page_size,
    )

    async def question(tx: Tx, wanted: queries.EntrySearch) -> tuple[list[EntryOut], int]:
        rows, total = await queries.entries(tx, wanted)
        return await _with_lines(tx, rows), total

    results, total = await read(request, question, search)
    return Page(results=results, total=total, page=page, page_size=page_size)


@get("/ledger/entries/{entry_id:int}", summary="A journal entry", **allow(*READERS))
async def get_entry(request: ApiRequest, entry_id: FromPath[Id]) -> EntryOut:
    """One entry with its lines."""

    async def question(tx: Tx, wanted: int) -> EntryOut:
        return (await _with_lines(tx, [await queries.entry_by_id(tx, wanted)]))[0]

    return await read(request, question, entry_id)


async def _with_lines(tx: Tx, rows: list[queries.PostedEntry]) -> list[EntryOut]:
    lines: dict[int, list[queries.EntryLine]] = {row.id: [] for row in rows}
    for line in await queries.entry_lines(tx, list(lines)):
        lines[line.entry_id].append(line)
    return [EntryOut.of(row, lines[row.id]) for row in rows]


@post(
    "/ledger/entries/{entry_id:int}/reverse",
    summary="Reverse an entry",
    **allow(Role.FINANCE_CHECKER),
)
async def post_reversal(
    request: ApiRequest, entry_id: FromPath[Id], data: JSONBody[ReversalIn]
) -> Response[PostedOut]:
    """The exact negation, effective today, by another person than made or approved the entry."""
    return await perform(
        request,
        use_cases.reverse_what_another_made,
        data.to_command(entry_id),
        present=PostedOut.of,
    )


@get("/ledger/trial-balance", summary="Trial balance", **allow(*READS_SUMS))
async def get_trial_balance(
    request: ApiRequest, as_of: FromQuery[date | None] = None
) -> TrialBalanceOut:
    """Debits and credits of each type of account up to a day, today unless given.

    Reads every posting: with millions of them this takes seconds.
    """

    async def question(tx: Tx, wanted: date | None) -> TrialBalanceOut:
        day = wanted or tx.today
        return TrialBalanceOut.of(day, await queries.trial_balance(tx, day))

    return await read(request, question, as_of)


@get("/ledger/periods", summary="Periods", **allow(*READS_SUMS))
async def get_periods(
    request: ApiRequest, ledger: FromQuery[LedgerName | None] = None
) -> list[PeriodOut]:
    """The latest first; at most 500."""
    return [PeriodOut.of(row) for row in await read(request, queries.periods, ledger)]


@post("/ledger/periods", summary="Propose to close a period", **allow(Role.FINANCE_MAKER))
async def post_period(request: ApiRequest, data: JSONBody[PeriodIn]) -> Response[ProposedOut]:
    """Days that have passed; another person closes them."""
    return await perform(
        request,
        use_cases.propose_period,
        data.to_command(),
        present=lambda period_id: ProposedOut(period_id=period_id),
    )


@get("/ledger/verify", summary="Verify the ledger", **allow(Role.AUDITOR))
async def get_verification(
    request: ApiRequest, entries_max: FromQuery[EntriesMax] = 200_000
) -> VerifyOut:
    """Recomputes every entry, seal and balance, and names the first bad entry.

    Slow: some ten seconds at the default bound. Beyond `entries_max` nothing is looked at, nor are
    the accounts, and the answer says that it is not complete; `marketplace ledger verify` has no
    bound. One verification runs at a time.
    """
    database = services(request).database
    return VerifyOut.of(await queries.verify(database, entries_max=entries_max))


routes: list[ControllerRouterHandler] = [
    get_accounts,
    get_account,
    get_postings,
    get_holds,
    get_entries,
    get_entry,
    post_reversal,
    get_trial_balance,
    get_periods,
    post_period,
    get_verification,
]
