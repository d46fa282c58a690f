"""An SME's vouchers, and what they would pay of a service."""

from datetime import date

from litestar import get
from litestar.params import FromQuery
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import ApiRequest, actor_of, allow, read, services
from marketplace.kernel.time import shanghai_day
from marketplace.kernel.wire import AmountFen, Id, Persons, Word
from marketplace.parties.roles import Role
from marketplace.vouchers import queries
from marketplace.vouchers.controllers.programmes import READERS
from marketplace.vouchers.queries import VoucherQuestion
from marketplace.vouchers.schemas import VoucherPartOut, WalletVoucherOut


@get("/vouchers", summary="An SME's vouchers", **allow(*READERS))
async def get_vouchers(
    request: ApiRequest, organisation_id: FromQuery[Id | None] = None
) -> list[WalletVoucherOut]:
    """What was issued, is frozen for orders, was used, is left, and when it expires."""
    owner = organisation_id or actor_of(request).organisation_id
    return [WalletVoucherOut.of(row) for row in await read(request, queries.wallet, owner)]


@get(
    "/voucher-question",
    summary="What would the voucher pay?",
    **allow(*READERS, Role.STATION_AGENT),
)
async def get_voucher_question(
    request: ApiRequest,
    provider_id: FromQuery[Id],
    service_value_fen: FromQuery[AmountFen],
    service_kind: FromQuery[Word] = "research",
    on: FromQuery[date | None] = None,
    organisation_id: FromQuery[Id | None] = None,
    persons: FromQuery[Persons] = 0,
) -> VoucherPartOut:
    """The voucher's part of a service with every rule that applied, or every reason against."""
    question = VoucherQuestion(
        organisation_id=organisation_id or actor_of(request).organisation_id,
        provider_id=provider_id,
        service_kind=service_kind,
        service_value_fen=service_value_fen,
        on=on or shanghai_day(services(request).database.clock.now()),
        persons=persons,
    )
    return VoucherPartOut.of(await read(request, queries.visible_voucher_part, question))


routes: list[ControllerRouterHandler] = [get_vouchers, get_voucher_question]
