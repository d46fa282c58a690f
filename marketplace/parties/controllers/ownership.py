"""Who holds a legal entity, since when, through how many hands, and whose group it is in."""

from datetime import date

from litestar import Response, get, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import ApiRequest, allow, perform, read
from marketplace.kernel.wire import Id
from marketplace.parties import queries
from marketplace.parties.queries import OwnershipQuestion
from marketplace.parties.roles import Role
from marketplace.parties.schemas import (
    ContactIn,
    ControllingGroupOut,
    LegalEntityOut,
    OwnershipOut,
    ShareholdingHistoryOut,
)
from marketplace.parties.use_cases import set_contact

READERS = (
    Role.ADMINISTRATOR,
    Role.VOUCHER_OFFICER,
    Role.FINANCE_CHECKER,
    Role.AUDITOR,
    Role.REGULATOR,
)
"""Whose work needs to know who stands behind whom."""


@get(
    "/legal-entities/{legal_entity_id:int}/shareholding-history",
    summary="Who held a legal entity when",
    **allow(*READERS),
)
async def get_history(
    request: ApiRequest, legal_entity_id: FromPath[Id]
) -> list[ShareholdingHistoryOut]:
    """Every part with its days and its source, the latest first."""
    found = await read(request, queries.shareholding_history, legal_entity_id)
    return [ShareholdingHistoryOut.of(row) for row in found]


@get(
    "/legal-entities/{legal_entity_id:int}/ownership",
    summary="Who holds a legal entity through how many hands",
    **allow(*READERS),
)
async def get_ownership(
    request: ApiRequest, legal_entity_id: FromPath[Id], on: FromQuery[date | None] = None
) -> OwnershipOut:
    """Every holder with each way; parts multiply along a way, and the ways add up."""
    question = OwnershipQuestion(legal_entity_id, on)
    return OwnershipOut.of(await read(request, queries.ownership, question))


@get(
    "/legal-entities/{legal_entity_id:int}/controlling-group",
    summary="The legal entities under one control",
    **allow(*READERS),
)
async def get_controlling_group(
    request: ApiRequest, legal_entity_id: FromPath[Id], on: FromQuery[date | None] = None
) -> ControllingGroupOut:
    """Everything that counts together where a cap is per controlling group, and why."""
    question = OwnershipQuestion(legal_entity_id, on)
    return ControllingGroupOut.of(await read(request, queries.visible_controlling_group, question))


@put(
    "/legal-entities/{legal_entity_id:int}/contact",
    summary="Set where a legal entity sits",
    **allow(Role.ADMINISTRATOR),
)
async def put_contact(
    request: ApiRequest, legal_entity_id: FromPath[Id], data: JSONBody[ContactIn]
) -> Response[LegalEntityOut]:
    """Replace its address and telephone number; the audit trail keeps those of before."""
    command = data.to_command(legal_entity_id)
    return await perform(request, set_contact, command, present=LegalEntityOut.of, status=200)


routes: list[ControllerRouterHandler] = [
    get_history,
    get_ownership,
    get_controlling_group,
    put_contact,
]
