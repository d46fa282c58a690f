"""The lists of vouchers as files: the filters of each list, all its rows."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields
from datetime import date
from typing import Annotated, Any, TypeVar

from litestar import Response, get
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.types import ControllerRouterHandler

from marketplace.billing.ledger.queries import StatementLine
from marketplace.kernel.db import Tx
from marketplace.kernel.http import ApiRequest, allow, read
from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.kernel.wire import Id, Line
from marketplace.parties.roles import SEES_EVERYTHING
from marketplace.vouchers import queries
from marketplace.vouchers.controllers.claims import READERS as CLAIM_READERS
from marketplace.vouchers.controllers.programmes import READERS as GRANT_READERS
from marketplace.vouchers.controllers.sanctions import SANCTION_READERS
from marketplace.vouchers.queries import (
    BeneficiaryFact,
    Claim,
    ClaimSearch,
    Evidence,
    EvidenceSearch,
    FactSearch,
    GrantChange,
    GrantChangeSearch,
    Listed,
    OfGrant,
    PageAsked,
    Redemption,
    RedemptionSearch,
    VoucherHold,
)
from marketplace.vouchers.queries.audit_paths import Trail, TrailSearch, trails
from marketplace.vouchers.queries.clawbacks import Clawback, ClawbackSearch, clawbacks
from marketplace.vouchers.queries.lines import ClaimLine, LineSearch, claim_lines
from marketplace.vouchers.queries.objections import Objection, ObjectionSearch, objections
from marketplace.vouchers.queries.sanctions import Sanction, SanctionSearch, sanctions
from marketplace.vouchers.rules.states import (
    ClaimStatus,
    ClawbackStatus,
    FactStatus,
    GrantChangeKind,
    GrantChangeStatus,
    ObjectionStatus,
    SanctionKind,
    SanctionStatus,
)

S = TypeVar("S")
FILE_ROWS_MAX = 100_000
WHOLE = PageAsked(1, FILE_ROWS_MAX)
Format = Annotated[FileFormat, QueryParameter(name="format")]


def cut_note(rows: int, total: int) -> list[list[str]]:
    """The last row of a file that does not hold everything; nothing where it does."""
    if rows >= total:
        return []
    return [[f"{rows} of {total} rows; narrow the list for the others. 仅前 {rows} 行。"]]


def table_of_rows(of: type[Any], found: Listed[Any]) -> list[list[Any]]:
    """Rows as they are listed, the names of the columns first."""
    names = [field.name for field in fields(of)]
    return [
        names,
        *([_cell(getattr(row, name)) for name in names] for row in found.rows),
        *cut_note(len(found.rows), found.total),
    ]


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value


async def _file(
    request: ApiRequest,
    query: Callable[[Tx, S], Awaitable[Listed[Any]]],
    search: S,
    of: type[Any],
    file_format: FileFormat,
    name: str,
) -> Response[bytes]:
    found = await read(request, query, search)
    return Response(
        content=await table_file(table_of_rows(of, found), file_format, sheet=name),
        media_type=MEDIA_TYPES[file_format],
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{file_format}"',
            "Total-Rows": str(found.total),
        },
    )


@get("/claims/file", summary="Claims as a file", **allow(*CLAIM_READERS))
async def get_claims_file(
    request: ApiRequest,
    file_format: Format = FileFormat.CSV,
    status: FromQuery[ClaimStatus | None] = None,
    provider_id: FromQuery[Id | None] = None,
    text: FromQuery[Line] = "",
) -> Response[bytes]:
    """CSV or XLSX: every row of all pages of the list; a last row says if there are more."""
    search = ClaimSearch(status, provider_id, WHOLE, text)
    return await _file(request, queries.claims, search, Claim, file_format, "claims")


@get("/redemptions/file", summary="Redemptions as a file", **allow(*CLAIM_READERS))
async def get_redemptions_file(
    request: ApiRequest,
    file_format: Format = FileFormat.CSV,
    claim_id: FromQuery[Id | None] = None,
    unclaimed: FromQuery[bool] = False,
) -> Response[bytes]:
    """CSV or XLSX: every row of all pages of the list; a last row says if there are more."""
    search = RedemptionSearch(claim_id, unclaimed, WHOLE)
    return await _file(request, queries.redemptions, search, Redemption, file_format, "redemptions")


@get(
    "/claims/{claim_id:int}/lines/file",
    summary="The lines of a claim as a file",
    **allow(*CLAIM_READERS),
)
async def get_lines_file(
    request: ApiRequest,
    claim_id: FromPath[Id],
    file_format: Format = FileFormat.CSV,
    short: FromQuery[bool] = False,
) -> Response[bytes]:
    """CSV or XLSX: every line, or only those that were cut."""
    search = LineSearch(claim_id, short, WHOLE)
    return await _file(
        request, claim_lines, search, ClaimLine, file_format, f"claim-{claim_id}-lines"
    )


@get(
    "/claims/{claim_id:int}/evidence/file",
    summary="The evidence of a claim as a file",
    **allow(*CLAIM_READERS),
)
async def get_evidence_file(
    request: ApiRequest, claim_id: FromPath[Id], file_format: Format = FileFormat.CSV
) -> Response[bytes]:
    """CSV or XLSX: every piece with its SHA-256 and its invoice number."""
    search = EvidenceSearch(claim_id, WHOLE)
    return await _file(
        request, queries.evidence, search, Evidence, file_format, f"claim-{claim_id}-evidence"
    )


@get("/claim-objections/file", summary="Objections as a file", **allow(*CLAIM_READERS))
async def get_objections_file(
    request: ApiRequest,
    file_format: Format = FileFormat.CSV,
    claim_id: FromQuery[Id | None] = None,
    status: FromQuery[ObjectionStatus | None] = None,
) -> Response[bytes]:
    """CSV or XLSX: every row of all pages of the list; a last row says if there are more."""
    search = ObjectionSearch(claim_id, status, WHOLE)
    return await _file(request, objections, search, Objection, file_format, "objections")


@get("/clawbacks/file", summary="Clawbacks as a file", **allow(*CLAIM_READERS))
async def get_clawbacks_file(
    request: ApiRequest,
    file_format: Format = FileFormat.CSV,
    organisation_id: FromQuery[Id | None] = None,
    claim_id: FromQuery[Id | None] = None,
    status: FromQuery[ClawbackStatus | None] = None,
    owed: FromQuery[bool] = False,
) -> Response[bytes]:
    """CSV or XLSX: every row of all pages of the list; a last row says if there are more."""
    search = ClawbackSearch(organisation_id, claim_id, status, owed, WHOLE)
    return await _file(request, clawbacks, search, Clawback, file_format, "clawbacks")


@get("/sanctions/file", summary="Sanctions as a file", **allow(*SANCTION_READERS))
async def get_sanctions_file(
    request: ApiRequest,
    file_format: Format = FileFormat.CSV,
    organisation_id: FromQuery[Id | None] = None,
    kind: FromQuery[SanctionKind | None] = None,
    status: FromQuery[SanctionStatus | None] = None,
    in_force_on: FromQuery[date | None] = None,
    text: FromQuery[Line] = "",
) -> Response[bytes]:
    """CSV or XLSX: every row of all pages of the list; a last row says if there are more."""
    search = SanctionSearch(organisation_id, kind, status, in_force_on, text, WHOLE)
    return await _file(request, sanctions, search, Sanction, file_format, "sanctions")


@get("/audit-paths/file", summary="Audit paths as a file", **allow(*SEES_EVERYTHING))
async def get_trails_file(
    request: ApiRequest,
    file_format: Format = FileFormat.CSV,
    statement_line_id: FromQuery[Id | None] = None,
    payout_id: FromQuery[Id | None] = None,
    claim_id: FromQuery[Id | None] = None,
    order_id: FromQuery[Id | None] = None,
    grant_id: FromQuery[Id | None] = None,
) -> Response[bytes]:
    """CSV or XLSX: the redemptions with the numbers of all that lies around them."""
    search = TrailSearch(statement_line_id, payout_id, claim_id, order_id, grant_id, WHOLE)
    return await _file(request, trails, search, Trail, file_format, "audit-paths")


@get("/voucher-grant-changes/file", summary="Changes as a file", **allow(*GRANT_READERS))
async def get_changes_file(
    request: ApiRequest,
    file_format: Format = FileFormat.CSV,
    grant_id: FromQuery[Id | None] = None,
    kind: FromQuery[GrantChangeKind | None] = None,
    status: FromQuery[GrantChangeStatus | None] = None,
) -> Response[bytes]:
    """CSV or XLSX: every row of all pages of the list; a last row says if there are more."""
    search = GrantChangeSearch(grant_id, kind, status, WHOLE)
    return await _file(
        request, queries.grant_changes, search, GrantChange, file_format, "voucher-changes"
    )


@get("/beneficiary-facts/file", summary="Facts as a file", **allow(*GRANT_READERS))
async def get_facts_file(
    request: ApiRequest,
    file_format: Format = FileFormat.CSV,
    organisation_id: FromQuery[Id | None] = None,
    status: FromQuery[FactStatus | None] = None,
) -> Response[bytes]:
    """CSV or XLSX: every row of all pages of the list; a last row says if there are more."""
    search = FactSearch(organisation_id, status, WHOLE)
    return await _file(
        request, queries.beneficiary_facts, search, BeneficiaryFact, file_format, "facts"
    )


@get(
    "/voucher-grants/{grant_id:int}/movements/file",
    summary="What moved on a voucher, as a file",
    **allow(*GRANT_READERS),
)
async def get_movements_file(
    request: ApiRequest, grant_id: FromPath[Id], file_format: Format = FileFormat.CSV
) -> Response[bytes]:
    """CSV or XLSX: every line of its accounts, the latest first."""
    asked = OfGrant(grant_id, WHOLE)
    name = f"voucher-{grant_id}-movements"
    return await _file(request, queries.movements, asked, StatementLine, file_format, name)


@get(
    "/voucher-grants/{grant_id:int}/holds/file",
    summary="What orders held, as a file",
    **allow(*GRANT_READERS),
)
async def get_holds_file(
    request: ApiRequest, grant_id: FromPath[Id], file_format: Format = FileFormat.CSV
) -> Response[bytes]:
    """CSV or XLSX: every hold of the voucher and what became of it, the latest first."""
    asked = OfGrant(grant_id, WHOLE)
    return await _file(
        request, queries.holds, asked, VoucherHold, file_format, f"voucher-{grant_id}-holds"
    )


def cut_rows(table: Sequence[Sequence[Any]], found: Listed[Any]) -> list[Sequence[Any]]:
    """A table with a last row that says so where the file does not hold everything."""
    return [*table, *cut_note(len(found.rows), found.total)]


routes: list[ControllerRouterHandler] = [
    get_claims_file,
    get_redemptions_file,
    get_lines_file,
    get_evidence_file,
    get_objections_file,
    get_clawbacks_file,
    get_sanctions_file,
    get_trails_file,
    get_changes_file,
    get_facts_file,
    get_movements_file,
    get_holds_file,
]
