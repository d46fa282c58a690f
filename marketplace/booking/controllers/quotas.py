"""Quotas, and how one stands."""

from datetime import date

from litestar import Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.booking.queries.my_standing import my_standing
from marketplace.booking.queries.quotas import (
    MyQuotas,
    QuotaSearch,
    QuotaUseAsked,
    my_quotas,
    quota_uses,
    quotas,
)
from marketplace.booking.rules.quotas import Subject
from marketplace.booking.schemas.periods import day_within
from marketplace.booking.schemas.quotas import (
    MyQuotaOut,
    QuotaChangeIn,
    QuotaIn,
    QuotaOut,
    QuotaUsesOut,
    my_quota_page,
    quota_page,
)
from marketplace.booking.schemas.standing import StandingOut
from marketplace.booking.use_cases.quotas import EndQuota, change_quota, end_quota, set_quota
from marketplace.kernel.http import ApiRequest, allow, perform, read, signed_in
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import SEES_EVERYTHING, Role

READERS = (Role.TECHNICIAN, Role.PROVIDER_MANAGER, *SEES_EVERYTHING)


@post("/quotas", summary="Set a quota", **allow(Role.PROVIDER_MANAGER))
async def post_quota(request: ApiRequest, data: JSONBody[QuotaIn]) -> Response[QuotaOut]:
    """Limit what each person or organisation may reserve in a period.

    For one instrument of one's own or for all together, for one class of user or for all, in
    minutes or reservations, of all hours or of the instrument's peak hours. The period `open`
    counts reservations that are not over. Staff may set a quota aside with a reason.
    """
    return await perform(request, set_quota, data.to_command(), present=QuotaOut.like)


@get("/quotas", summary="The quotas of one's own instruments", **allow(*READERS))
async def get_quotas(
    request: ApiRequest,
    instrument_id: FromQuery[Id | None] = None,
    subject: FromQuery[Subject | None] = None,
    with_ended: FromQuery[bool] = False,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[QuotaOut]:
    """What one's organisation set, the newest first."""
    search = QuotaSearch(instrument_id, subject, with_ended, page, page_size)
    return quota_page(await read(request, quotas, search), page, page_size)


@put("/quotas/{quota_id:int}", summary="Change a quota", **allow(Role.PROVIDER_MANAGER))
async def put_quota(
    request: ApiRequest, quota_id: FromPath[Id], data: JSONBody[QuotaChangeIn]
) -> Response[QuotaOut]:
    """Raise or lower it; reservations that stand are kept."""
    return await perform(
        request, change_quota, data.to_command(quota_id), present=QuotaOut.like, status=200
    )


@post("/quotas/{quota_id:int}/end", summary="End a quota", **allow(Role.PROVIDER_MANAGER))
async def post_end(request: ApiRequest, quota_id: FromPath[Id]) -> Response[QuotaOut]:
    """Let it limit nobody any more."""
    return await perform(request, end_quota, EndQuota(quota_id), present=QuotaOut.like, status=200)


@get("/quotas/{quota_id:int}/use", summary="Who has used how much", **allow(*READERS))
async def get_use(
    request: ApiRequest,
    quota_id: FromPath[Id],
    day: FromQuery[date | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> QuotaUsesOut:
    """The people or organisations that used a quota in the period around `day`, most first."""
    asked = QuotaUseAsked(quota_id, day_within(day), page, page_size)
    return QuotaUsesOut.of(await read(request, quota_uses, asked), page, page_size)


@get("/me/quotas", summary="One's own quotas", **signed_in())
async def get_my_quotas(
    request: ApiRequest,
    instrument_id: FromQuery[Id | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[MyQuotaOut]:
    """What limits one now: how much, what is used and left, and until when.

    For one instrument, or for those of every provider where one reserved this year.
    """
    asked = MyQuotas(instrument_id, page, page_size)
    return my_quota_page(await read(request, my_quotas, asked), page, page_size)


@get(
    "/instruments/{instrument_id:int}/standing",
    summary="How one stands with an instrument",
    **signed_in(),
)
async def get_standing(request: ApiRequest, instrument_id: FromPath[Id]) -> StandingOut:
    """Everything that would stop one before a time is chosen, and what to do about it."""
    return StandingOut.of(await read(request, my_standing, instrument_id))


routes: list[ControllerRouterHandler] = [
    post_quota,
    get_quotas,
    put_quota,
    post_end,
    get_use,
    get_my_quotas,
    get_standing,
]
