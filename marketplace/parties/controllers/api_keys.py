"""Keys with which an organisation's systems call.

Making one takes no Idempotency-Key: an answer with a secret in it is not to be stored. Sent again,
it is refused, because the name is taken.
"""

from litestar import Response, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import atomically
from marketplace.kernel.http import (
    ApiRequest,
    actor_of,
    allow,
    perform,
    read,
    request_id_of,
    services,
)
from marketplace.kernel.wire import Id, Page, PageNumber, PageSize
from marketplace.parties import queries
from marketplace.parties.queries import KeySearch
from marketplace.parties.roles import Role
from marketplace.parties.schemas import ApiKeyIn, ApiKeyMadeOut, ApiKeyOut
from marketplace.parties.use_cases import make_api_key, revoke_api_key

KEEPERS = (Role.PROVIDER_MANAGER, Role.ADMINISTRATOR)


@post("/api-keys", unkeyed=True, summary="Make a key for a system", **allow(*KEEPERS))
async def post_api_key(request: ApiRequest, data: JSONBody[ApiKeyIn]) -> ApiKeyMadeOut:
    """For one's own organisation; the key itself is in this answer and nowhere else."""
    return ApiKeyMadeOut.of(
        await atomically(
            services(request).database,
            make_api_key,
            data.to_command(),
            actor=actor_of(request),
            request_id=request_id_of(request),
        )
    )


@get("/api-keys", summary="Keys of one's own organisation", **allow(*KEEPERS))
async def get_api_keys(
    request: ApiRequest,
    organisation_id: FromQuery[Id | None] = None,
    good: FromQuery[bool | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[ApiKeyOut]:
    """Latest first, by prefix and without secrets; an administrator sees those of everybody.

    `good` leaves those that are neither revoked nor expired, or the others.
    """
    search = KeySearch(organisation_id, good, page, page_size)
    found = await read(request, queries.api_keys, search)
    return Page(
        results=[ApiKeyOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@delete("/api-keys/{key_id:int}", status_code=200, summary="Revoke a key", **allow(*KEEPERS))
async def delete_api_key(request: ApiRequest, key_id: FromPath[Id]) -> Response[ApiKeyOut]:
    """The system is let in no more, from its next request on."""
    return await perform(request, revoke_api_key, key_id, present=ApiKeyOut.of, status=200)


routes: list[ControllerRouterHandler] = [post_api_key, get_api_keys, delete_api_key]
