"""What the detectors found: read, assigned and decided by the centre, answered by the parties."""

from datetime import date

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role
from marketplace.vouchers.errors import AnomaliesTooMany
from marketplace.vouchers.queries import PageAsked
from marketplace.vouchers.queries import anomalies as queries
from marketplace.vouchers.queries.anomalies import AnomalySearch
from marketplace.vouchers.rules.anomalies import AnomalyKind, AnomalySeverity, AnomalyStatus
from marketplace.vouchers.schemas.anomalies import (
    AnomalyOut,
    AnomalyPageOut,
    AnomalyRunOut,
    AnswerIn,
    AssignIn,
    DecideAnomalyIn,
    DetectorsIn,
    FindingOut,
    anomaly_table,
)
from marketplace.vouchers.use_cases.anomalies import (
    answer_finding,
    assign_anomaly,
    decide_anomaly,
)
from marketplace.vouchers.use_cases.guards import RunDetectors, run_detectors

READERS = (Role.VOUCHER_OFFICER, Role.FINANCE_CHECKER, Role.AUDITOR, Role.REGULATOR)
"""Whose work needs to know what is unusual."""
CONCERNED = (Role.PROVIDER_MANAGER, Role.SME_ADMINISTRATOR)
"""Who answers for an organisation."""
FILE_ROWS_MAX = 50_000


@get("/anomalies", summary="Anomalies", **allow(*READERS))
async def get_anomalies(  # noqa: PLR0913 each filter is a parameter of the address
    request: ApiRequest,
    kind: FromQuery[AnomalyKind | None] = None,
    severity: FromQuery[AnomalySeverity | None] = None,
    status: FromQuery[AnomalyStatus | None] = None,
    organisation_id: FromQuery[Id | None] = None,
    order_id: FromQuery[Id | None] = None,
    claim_id: FromQuery[Id | None] = None,
    assigned_to: FromQuery[Id | None] = None,
    found_from: FromQuery[date | None] = None,
    found_until: FromQuery[date | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[AnomalyOut]:
    """Anomalies, the newest first, by what they are, whose they are and when they were found."""
    search = AnomalySearch(
        kind=kind,
        severity=severity,
        status=status,
        organisation_id=organisation_id,
        order_id=order_id,
        claim_id=claim_id,
        assigned_to=assigned_to,
        found_from=found_from,
        found_until=found_until,
        page=PageAsked(page, page_size),
    )
    found = await read(request, queries.anomalies, search)
    return Page(
        results=[AnomalyOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/anomalies/file", summary="Anomalies as a file", **allow(*READERS))
async def get_anomalies_file(
    request: ApiRequest,
    file_format: FromQuery[FileFormat] = FileFormat.CSV,
    kind: FromQuery[AnomalyKind | None] = None,
    severity: FromQuery[AnomalySeverity | None] = None,
    status: FromQuery[AnomalyStatus | None] = None,
    organisation_id: FromQuery[Id | None] = None,
    found_from: FromQuery[date | None] = None,
    found_until: FromQuery[date | None] = None,
) -> Response[bytes]:
    """CSV or XLSX: every row of all pages of the list, as far as one file goes."""
    search = AnomalySearch(
        kind=kind,
        severity=severity,
        status=status,
        organisation_id=organisation_id,
        found_from=found_from,
        found_until=found_until,
        page=PageAsked(1, FILE_ROWS_MAX),
    )
    found = await read(request, queries.anomalies, search)
    if found.total > FILE_ROWS_MAX:
        raise AnomaliesTooMany(limit=FILE_ROWS_MAX, asked=found.total)
    return Response(
        content=await table_file(anomaly_table(found.rows), file_format, sheet="异常 anomalies"),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="anomalies.{file_format}"'},
    )


@get("/anomalies/{anomaly_id:int}", summary="An anomaly", **allow(*READERS))
async def get_anomaly(request: ApiRequest, anomaly_id: FromPath[Id]) -> AnomalyPageOut:
    """An anomaly with its evidence, what it is about, and everything that happened to it."""
    return AnomalyPageOut.of(await read(request, queries.anomaly_page, anomaly_id))


@post(
    "/anomalies/{anomaly_id:int}/assign",
    summary="Assign an anomaly",
    **allow(Role.VOUCHER_OFFICER),
)
async def post_assign(
    request: ApiRequest, anomaly_id: FromPath[Id], data: JSONBody[AssignIn]
) -> Response[AnomalyPageOut]:
    """Give an anomaly to a voucher officer who is not involved in it."""
    command = data.to_command(anomaly_id)
    return await perform(request, assign_anomaly, command, present=AnomalyPageOut.of, status=200)


@post(
    "/anomalies/{anomaly_id:int}/decide",
    summary="Decide an anomaly",
    **allow(Role.VOUCHER_OFFICER),
)
async def post_decide(
    request: ApiRequest, anomaly_id: FromPath[Id], data: JSONBody[DecideAnomalyIn]
) -> Response[AnomalyPageOut]:
    """Confirm it, dismiss it or ask for information, with a reason; by somebody not involved."""
    command = data.to_command(anomaly_id)
    return await perform(request, decide_anomaly, command, present=AnomalyPageOut.of, status=200)


@post(
    "/claims/{claim_id:int}/anomaly-run",
    summary="Run the detectors over a claim",
    **allow(Role.VOUCHER_OFFICER),
)
async def post_claim_run(request: ApiRequest, claim_id: FromPath[Id]) -> Response[AnomalyRunOut]:
    """Look at the redemptions of a claim, beside everything that was ever redeemed."""
    command = RunDetectors(claim_id=claim_id)
    return await perform(request, run_detectors, command, present=AnomalyRunOut.of)


@post("/anomaly-runs", summary="Run the detectors", **allow(Role.VOUCHER_OFFICER))
async def post_run(request: ApiRequest, data: JSONBody[DetectorsIn]) -> Response[AnomalyRunOut]:
    """Look at what is new since the last run, as the nightly job does, or at everything."""
    return await perform(request, run_detectors, data.to_command(), present=AnomalyRunOut.of)


@get("/anomaly-runs", summary="Runs of the detectors", **allow(*READERS))
async def get_runs(
    request: ApiRequest,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[AnomalyRunOut]:
    """When the detectors ran, over what, and what they found; the latest first."""
    found = await read(request, queries.anomaly_runs, PageAsked(page, page_size))
    return Page(
        results=[AnomalyRunOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/findings", summary="Findings about the own organisation", **allow(*CONCERNED))
async def get_findings(
    request: ApiRequest,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[FindingOut]:
    """What was confirmed about the own organisation; of what is only suspected, nothing."""
    found = await read(request, queries.findings, PageAsked(page, page_size))
    return Page(
        results=[FindingOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get(
    "/findings/{anomaly_id:int}",
    summary="A finding about the own organisation",
    **allow(*CONCERNED),
)
async def get_finding(request: ApiRequest, anomaly_id: FromPath[Id]) -> FindingOut:
    """What was confirmed, why, which own orders it is about, and what was answered."""
    return FindingOut.of(await read(request, queries.finding, anomaly_id))


@post(
    "/findings/{anomaly_id:int}/statements",
    summary="Answer a finding",
    **allow(*CONCERNED),
)
async def post_statement(
    request: ApiRequest, anomaly_id: FromPath[Id], data: JSONBody[AnswerIn]
) -> Response[FindingOut]:
    """Add the own organisation's statement; it stays as it was written."""
    command = data.to_command(anomaly_id)
    return await perform(request, answer_finding, command, present=FindingOut.of)


routes: list[ControllerRouterHandler] = [
    get_anomalies,
    get_anomalies_file,
    get_anomaly,
    post_assign,
    post_decide,
    post_claim_run,
    post_run,
    get_runs,
    get_findings,
    get_finding,
    post_statement,
]
