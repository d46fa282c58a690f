"""The JSON API of bank accounts, payouts and batches."""

from __future__ import annotations

from litestar import Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.billing.payouts import queries, use_cases
from marketplace.billing.payouts.errors import PayoutMissing
from marketplace.billing.payouts.rules.pain002 import BankOutcome
from marketplace.billing.payouts.schemas import (
    AccountNumber,
    BankAccountIn,
    BankAccountOut,
    BatchIn,
    BatchOut,
    HouseAccountIn,
    HouseAccountOut,
    PayoutOut,
    RefundDecisionIn,
    RefundIn,
    RefundOut,
    RejectionIn,
    ReportedPaymentOut,
    SettlementsIn,
    SettlementsOut,
    StatusReportOut,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.http import ApiRequest, actor_of, allow, perform, read
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize, Word
from marketplace.parties.roles import SEES_EVERYTHING, Role

FINANCE = (Role.FINANCE_MAKER, Role.FINANCE_CHECKER)
PAYEES = (Role.PROVIDER_MANAGER, Role.SME_ADMINISTRATOR)


@post("/bank-accounts", summary="Register where you are paid", **allow(*PAYEES))
async def post_bank_account(
    request: ApiRequest, data: JSONBody[BankAccountIn]
) -> Response[BankAccountOut]:
    """Another person at the centre verifies it before money goes there."""
    return await perform(
        request, use_cases.register_bank_account, data.to_command(), present=BankAccountOut.of
    )


@get("/bank-accounts", summary="Your accounts", **allow(*PAYEES, *FINANCE, *SEES_EVERYTHING))
async def get_bank_accounts(
    request: ApiRequest, organisation_id: FromQuery[Id | None] = None
) -> list[BankAccountOut]:
    """Your organisation's accounts; finance staff see those of one, or all that wait."""
    actor = actor_of(request)
    wanted = organisation_id if actor.organisation_kind == "centre" else actor.organisation_id
    if actor.has(*SEES_EVERYTHING):
        wanted = organisation_id
    return [BankAccountOut.of(row) for row in await read(request, queries.bank_accounts, wanted)]


@post(
    "/bank-accounts/{account_id:int}/verify",
    summary="Verify an account",
    **allow(Role.FINANCE_CHECKER),
)
async def post_verification(
    request: ApiRequest, account_id: FromPath[Id]
) -> Response[BankAccountOut]:
    """By another person than the one who registered it."""
    return await perform(
        request,
        use_cases.verify_bank_account,
        use_cases.VerifyBankAccount(account_id),
        present=BankAccountOut.of,
        status=200,
    )


@post("/bank-accounts/{account_id:int}/close", summary="Close an account", **allow(*PAYEES))
async def post_closure(request: ApiRequest, account_id: FromPath[Id]) -> Response[BankAccountOut]:
    """No more money goes there."""
    return await perform(
        request,
        use_cases.close_bank_account,
        use_cases.CloseBankAccount(account_id),
        present=BankAccountOut.of,
        status=200,
    )


@get("/payouts", summary="Payouts", **allow(*PAYEES, *FINANCE, *SEES_EVERYTHING))
async def get_payouts(
    request: ApiRequest,
    status: FromQuery[Word | None] = None,
    source_kind: FromQuery[Word | None] = None,
    batch_id: FromQuery[Id | None] = None,
    organisation_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[PayoutOut]:
    """Newest first; a payee sees its own."""
    search = queries.PayoutSearch(
        organisation_id=_visible(request, organisation_id),
        status=status,
        source_kind=source_kind,
        batch_id=batch_id,
        page=page,
        page_size=page_size,
    )
    rows, total = await read(request, queries.payouts, search)
    return Page(
        results=[PayoutOut.of(row) for row in rows], total=total, page=page, page_size=page_size
    )


@get("/payouts/{payout_id:int}", summary="A payout", **allow(*PAYEES, *FINANCE, *SEES_EVERYTHING))
async def get_payout(request: ApiRequest, payout_id: FromPath[Id]) -> PayoutOut:
    """One payout; that of another payee does not exist for you."""

    async def question(tx: Tx, wanted: int) -> queries.Payout:
        found = await queries.payout_by_id(tx, wanted)
        if _visible(request, None) not in (None, found.organisation_id):
            raise PayoutMissing()
        return found

    return PayoutOut.of(await read(request, question, payout_id))


@post("/payouts/settlements", summary="Pay what is owed", **allow(Role.FINANCE_MAKER))
async def post_settlements(
    request: ApiRequest, data: JSONBody[SettlementsIn]
) -> Response[SettlementsOut]:
    """One payout for each provider with a balance for services and claims."""
    return await perform(
        request, use_cases.instruct_settlements, data.to_command(), present=SettlementsOut.of
    )


@post(
    "/payouts/{payout_id:int}/reject",
    summary="The bank refused a payment",
    **allow(Role.FINANCE_CHECKER),
)
async def post_rejection(
    request: ApiRequest, payout_id: FromPath[Id], data: JSONBody[RejectionIn]
) -> Response[PayoutOut]:
    """Nothing left the account, and what was owed is owed again."""
    return await perform(
        request,
        use_cases.reject_payout,
        data.to_command(payout_id),
        present=PayoutOut.of,
        status=200,
    )


@post(
    "/payouts/{payout_id:int}/instruct-again",
    summary="Pay a returned payout once more",
    **allow(Role.FINANCE_MAKER),
)
async def post_again(request: ApiRequest, payout_id: FromPath[Id]) -> Response[PayoutOut]:
    """Under a new reference, to the account that is verified when the batch is drafted."""
    return await perform(
        request,
        use_cases.instruct_again,
        use_cases.InstructAgain(payout_id),
        present=PayoutOut.of,
        status=200,
    )


@get("/payout-batches", summary="Batches", **allow(*FINANCE, *SEES_EVERYTHING))
async def get_batches(
    request: ApiRequest,
    status: FromQuery[Word | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[BatchOut]:
    """Newest first."""
    search = queries.BatchSearch(status=status, page=page, page_size=page_size)
    rows, total = await read(request, queries.batches, search)
    return Page(
        results=[BatchOut.of(row) for row in rows], total=total, page=page, page_size=page_size
    )


@post("/payout-batches", summary="Draft a batch", **allow(Role.FINANCE_MAKER))
async def post_batch(request: ApiRequest, data: JSONBody[BatchIn]) -> Response[BatchOut]:
    """From what waits and has a verified account."""
    return await perform(request, use_cases.draft_batch, data.to_command(), present=BatchOut.of)


@get("/payout-batches/{batch_id:int}", summary="A batch", **allow(*FINANCE, *SEES_EVERYTHING))
async def get_batch(request: ApiRequest, batch_id: FromPath[Id]) -> BatchOut:
    """One batch."""
    return BatchOut.of(await read(request, queries.batch_by_id, batch_id))


@post(
    "/payout-batches/{batch_id:int}/approve",
    summary="Approve a batch",
    **allow(Role.FINANCE_CHECKER, Role.ADMINISTRATOR),
)
async def post_approval(request: ApiRequest, batch_id: FromPath[Id]) -> Response[BatchOut]:
    """By another person than its maker, up to what the person's role may approve in one file."""
    step = use_cases.BatchStep(batch_id)
    return await perform(request, use_cases.approve_batch, step, present=BatchOut.of, status=200)


@post("/payout-batches/{batch_id:int}/send", summary="Send a batch", **allow(Role.FINANCE_MAKER))
async def post_sending(request: ApiRequest, batch_id: FromPath[Id]) -> Response[BatchOut]:
    """The file was handed to the bank."""
    step = use_cases.BatchStep(batch_id)
    return await perform(request, use_cases.send_batch, step, present=BatchOut.of, status=200)


@post("/payout-batches/{batch_id:int}/discard", summary="Discard a batch", **allow(*FINANCE))
async def post_discard(request: ApiRequest, batch_id: FromPath[Id]) -> Response[BatchOut]:
    """Its payouts wait for the next one."""
    step = use_cases.BatchStep(batch_id)
    return await perform(request, use_cases.discard_batch, step, present=BatchOut.of, status=200)


@get("/payout-batches/{batch_id:int}/file", summary="The payment file", **allow(*FINANCE))
async def get_file(request: ApiRequest, batch_id: FromPath[Id]) -> Response[bytes]:
    """CSV, XLSX or pain.001, the same bytes each time; who fetched it is in the audit trail."""
    file = await read(request, use_cases.batch_file, use_cases.BatchStep(batch_id))
    return Response(
        content=file.content,
        media_type=file.media_type,
        headers={"Content-Disposition": f'attachment; filename="{file.name}"'},
    )


@post(
    "/payment-status-reports",
    summary="Import what the bank says of a payment file",
    request_max_body_size=use_cases.REPORT_BYTES_MAX,
    **allow(Role.FINANCE_CHECKER),
)
async def post_status_report(
    request: ApiRequest, file_name: FromQuery[Word] = "pain002.xml"
) -> Response[StatusReportOut]:
    """Send the pain.002 file as the body. Refused payments are owed again; all or nothing."""
    command = use_cases.ImportStatusReport(file_name, await request.body())
    return await perform(
        request, use_cases.import_status_report, command, present=StatusReportOut.of
    )


@get("/payment-status-reports", summary="Status reports", **allow(*FINANCE, *SEES_EVERYTHING))
async def get_status_reports(
    request: ApiRequest,
    batch_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[StatusReportOut]:
    """Newest first."""
    search = queries.ReportSearch(batch_id=batch_id, page=page, page_size=page_size)
    rows, total = await read(request, queries.status_reports, search)
    return Page(
        results=[StatusReportOut.of(row) for row in rows],
        total=total,
        page=page,
        page_size=page_size,
    )


@get(
    "/payment-status-reports/{report_id:int}/payments",
    summary="What a status report says",
    **allow(*FINANCE, *SEES_EVERYTHING),
)
async def get_reported_payments(
    request: ApiRequest,
    report_id: FromPath[Id],
    outcome: FromQuery[BankOutcome | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ReportedPaymentOut]:
    """Each payment with the bank's code and reason, refused ones first."""

    async def question(
        tx: Tx, search: queries.ReportedSearch
    ) -> tuple[list[queries.ReportedPayment], int]:
        await queries.status_report_by_id(tx, search.report_id)
        return await queries.reported_payments(tx, search)

    search = queries.ReportedSearch(report_id, outcome, page=page, page_size=page_size)
    rows, total = await read(request, question, search)
    return Page(
        results=[ReportedPaymentOut.of(row) for row in rows],
        total=total,
        page=page,
        page_size=page_size,
    )


@get("/house-accounts", summary="The platform's bank accounts", **allow(*FINANCE, *SEES_EVERYTHING))
async def get_house_accounts(request: ApiRequest) -> list[HouseAccountOut]:
    """How their banks write statements and read payment files."""
    return [HouseAccountOut.of(row) for row in await read(request, queries.house_accounts, None)]


@put(
    "/house-accounts/{number:str}",
    summary="Set an account of the platform up",
    **allow(Role.FINANCE_CHECKER),
)
async def put_house_account(
    request: ApiRequest, number: FromPath[AccountNumber], data: JSONBody[HouseAccountIn]
) -> Response[HouseAccountOut]:
    """For the next statement and the next batch; what was drafted keeps its form."""
    return await perform(
        request,
        use_cases.set_house_account,
        data.to_command(number),
        present=HouseAccountOut.of,
        status=200,
    )


@post("/wallet-refunds", summary="Take unspent money back", **allow(Role.SME_ADMINISTRATOR))
async def post_refund(request: ApiRequest, data: JSONBody[RefundIn]) -> Response[RefundOut]:
    """Held in the wallet until somebody at the centre decides; paid to the verified account."""
    return await perform(request, use_cases.ask_refund, data.to_command(), present=RefundOut.of)


@get(
    "/wallet-refunds",
    summary="Refunds of wallets",
    **allow(Role.SME_ADMINISTRATOR, *FINANCE, *SEES_EVERYTHING),
)
async def get_refunds(
    request: ApiRequest,
    status: FromQuery[Word | None] = None,
    organisation_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[RefundOut]:
    """Newest first; an SME sees its own."""
    search = queries.RefundSearch(
        organisation_id=_visible(request, organisation_id),
        status=status,
        page=page,
        page_size=page_size,
    )
    rows, total = await read(request, queries.wallet_refunds, search)
    return Page(
        results=[RefundOut.of(row) for row in rows], total=total, page=page, page_size=page_size
    )


@post(
    "/wallet-refunds/{refund_id:int}/approve",
    summary="Agree to a refund",
    **allow(Role.FINANCE_CHECKER),
)
async def post_refund_approval(
    request: ApiRequest, refund_id: FromPath[Id], data: JSONBody[RefundDecisionIn]
) -> Response[RefundOut]:
    """The money leaves the wallet and waits for the next batch."""
    command = data.to_command(refund_id)
    return await perform(
        request, use_cases.approve_refund, command, present=RefundOut.of, status=200
    )


@post(
    "/wallet-refunds/{refund_id:int}/refuse",
    summary="Refuse a refund",
    **allow(Role.FINANCE_CHECKER),
)
async def post_refund_refusal(
    request: ApiRequest, refund_id: FromPath[Id], data: JSONBody[RefundDecisionIn]
) -> Response[RefundOut]:
    """The money may be spent again."""
    command = data.to_command(refund_id)
    return await perform(
        request, use_cases.refuse_refund, command, present=RefundOut.of, status=200
    )


@post(
    "/wallet-refunds/{refund_id:int}/withdraw",
    summary="Give a refund up",
    **allow(Role.SME_ADMINISTRATOR),
)
async def post_refund_withdrawal(
    request: ApiRequest, refund_id: FromPath[Id], data: JSONBody[RefundDecisionIn]
) -> Response[RefundOut]:
    """While nobody has decided."""
    command = data.to_command(refund_id)
    return await perform(
        request, use_cases.withdraw_refund, command, present=RefundOut.of, status=200
    )


def _visible(request: ApiRequest, organisation_id: int | None) -> int | None:
    """Whose payouts the caller may see: None stands for everybody's."""
    actor = actor_of(request)
    if actor.has(*FINANCE, *SEES_EVERYTHING):
        return organisation_id
    return actor.organisation_id


routes: list[ControllerRouterHandler] = [
    post_bank_account,
    get_bank_accounts,
    post_verification,
    post_closure,
    get_payouts,
    get_payout,
    post_settlements,
    post_rejection,
    post_again,
    get_batches,
    post_batch,
    get_batch,
    post_approval,
    post_sending,
    post_discard,
    get_file,
    post_status_report,
    get_status_reports,
    get_reported_payments,
    get_house_accounts,
    put_house_account,
    post_refund,
    get_refunds,
    post_refund_approval,
    post_refund_refusal,
    post_refund_withdrawal,
]
