"""Qualifications and training."""

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.booking.queries.qualifications import (
    QualificationSearch,
    TrainingSearch,
    qualifications,
    training_requests,
    visible_training,
)
from marketplace.booking.rules.training import TrainingStatus
from marketplace.booking.schemas.qualifications import (
    ExtensionIn,
    QualificationIn,
    QualificationOut,
    RevocationIn,
    RevokedOut,
    TrainingAnswerIn,
    TrainingDateIn,
    TrainingIn,
    TrainingOut,
    TrainingPassedIn,
    qualification_page,
    training_page,
)
from marketplace.booking.use_cases.qualifications import (
    extend_qualification,
    grant_qualification,
    revoke_qualification,
)
from marketplace.booking.use_cases.training import (
    WithdrawTraining,
    ask_for_training,
    decline_training,
    fail_training,
    pass_training,
    schedule_training,
    withdraw_training,
)
from marketplace.kernel.http import ApiRequest, allow, perform, read, signed_in
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties.roles import Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)
LEARNERS = (Role.BUYER, Role.SME_ADMINISTRATOR, *STAFF)

_Days = Annotated[int, msgspec.Meta(ge=0, le=3660)]


@post(
    "/instruments/{instrument_id:int}/qualifications",
    summary="Qualify somebody for an instrument",
    **allow(*STAFF),
)
async def post_qualification(
    request: ApiRequest, instrument_id: FromPath[Id], data: JSONBody[QualificationIn]
) -> Response[QualificationOut]:
    """Let a colleague or a customer operate an instrument of one's own; never oneself."""
    return await perform(
        request,
        grant_qualification,
        data.to_command(instrument_id),
        present=QualificationOut.like,
    )


@get("/qualifications", summary="Qualifications", **signed_in())
async def get_qualifications(
    request: ApiRequest,
    instrument_id: FromQuery[Id | None] = None,
    person_id: FromQuery[Id | None] = None,
    in_force: FromQuery[bool] = False,
    ends_within_days: FromQuery[_Days | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[QualificationOut]:
    """One's own, and those for one's organisation's instruments; what ends first comes first."""
    search = QualificationSearch(
        instrument_id, person_id, in_force, ends_within_days, page, page_size
    )
    return qualification_page(await read(request, qualifications, search), page, page_size)


@post(
    "/qualifications/{qualification_id:int}/extend",
    summary="Extend a qualification",
    **allow(*STAFF),
)
async def post_extend(
    request: ApiRequest, qualification_id: FromPath[Id], data: JSONBody[ExtensionIn]
) -> Response[QualificationOut]:
    """Let it last longer, also when it ran out; never one's own."""
    return await perform(
        request,
        extend_qualification,
        data.to_command(qualification_id),
        present=QualificationOut.like,
        status=200,
    )


@post(
    "/qualifications/{qualification_id:int}/revoke",
    summary="Revoke a qualification",
    **allow(*STAFF),
)
async def post_revoke(
    request: ApiRequest, qualification_id: FromPath[Id], data: JSONBody[RevocationIn]
) -> Response[RevokedOut]:
    """Take it away; the answer lists what its holder still has reserved. Never one's own."""
    return await perform(
        request,
        revoke_qualification,
        data.to_command(qualification_id),
        present=RevokedOut.of,
        status=200,
    )


@post(
    "/instruments/{instrument_id:int}/training-requests",
    summary="Ask to be trained",
    **allow(*LEARNERS),
)
async def post_training_request(
    request: ApiRequest, instrument_id: FromPath[Id], data: JSONBody[TrainingIn]
) -> Response[TrainingOut]:
    """Ask the provider of an instrument; one open request for a person and instrument."""
    return await perform(
        request, ask_for_training, data.to_command(instrument_id), present=TrainingOut.like
    )


@get("/training-requests", summary="Training requests", **signed_in())
async def get_training_requests(
    request: ApiRequest,
    instrument_id: FromQuery[Id | None] = None,
    person_id: FromQuery[Id | None] = None,
    status: FromQuery[TrainingStatus | None] = None,
    open_only: FromQuery[bool] = False,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[TrainingOut]:
    """What one's organisation asked for, and what is asked of it; the newest first."""
    search = TrainingSearch(instrument_id, person_id, status, open_only, page, page_size)
    return training_page(await read(request, training_requests, search), page, page_size)


@get(
    "/training-requests/{training_request_id:int}",
    summary="A training request",
    **signed_in(),
)
async def get_training_request(
    request: ApiRequest, training_request_id: FromPath[Id]
) -> TrainingOut:
    """A request of one's organisation, or for one of its instruments."""
    return TrainingOut.like(await read(request, visible_training, training_request_id))


@post(
    "/training-requests/{training_request_id:int}/schedule",
    summary="Give a training its date",
    **allow(*STAFF),
)
async def post_schedule(
    request: ApiRequest, training_request_id: FromPath[Id], data: JSONBody[TrainingDateIn]
) -> Response[TrainingOut]:
    """A date ahead, a trainer of one's staff and a place; said again, another date."""
    return await perform(
        request,
        schedule_training,
        data.to_command(training_request_id),
        present=TrainingOut.like,
        status=200,
    )


@post(
    "/training-requests/{training_request_id:int}/pass",
    summary="Say that a training was passed",
    **allow(*STAFF),
)
async def post_pass(
    request: ApiRequest, training_request_id: FromPath[Id], data: JSONBody[TrainingPassedIn]
) -> Response[TrainingOut]:
    """Grant the qualification, or renew the one that the person has."""
    return await perform(
        request,
        pass_training,
        data.to_command(training_request_id),
        present=TrainingOut.like,
        status=200,
    )


@post(
    "/training-requests/{training_request_id:int}/fail",
    summary="Say that a training was not passed",
    **allow(*STAFF),
)
async def post_fail(
    request: ApiRequest, training_request_id: FromPath[Id], data: JSONBody[TrainingAnswerIn]
) -> Response[TrainingOut]:
    """The person has to learn more first, and may ask again."""
    return await perform(
        request,
        fail_training,
        data.to_failure(training_request_id),
        present=TrainingOut.like,
        status=200,
    )


@post(
    "/training-requests/{training_request_id:int}/decline",
    summary="Decline a training",
    **allow(*STAFF),
)
async def post_decline(
    request: ApiRequest, training_request_id: FromPath[Id], data: JSONBody[TrainingAnswerIn]
) -> Response[TrainingOut]:
    """Say that the provider does not train this person, and why."""
    return await perform(
        request,
        decline_training,
        data.to_refusal(training_request_id),
        present=TrainingOut.like,
        status=200,
    )


@post(
    "/training-requests/{training_request_id:int}/withdraw",
    summary="Take back a training request",
    **allow(*LEARNERS),
)
async def post_withdraw(
    request: ApiRequest, training_request_id: FromPath[Id]
) -> Response[TrainingOut]:
    """Take back what one asked for oneself."""
    return await perform(
        request,
        withdraw_training,
        WithdrawTraining(training_request_id),
        present=TrainingOut.like,
        status=200,
    )


routes: list[ControllerRouterHandler] = [
    post_qualification,
    get_qualifications,
    post_extend,
    post_revoke,
    post_training_request,
    get_training_requests,
    get_training_request,
    post_schedule,
    post_pass,
    post_fail,
    post_decline,
    post_withdraw,
]
