"""People, and the roles they hold in organisations.

A POST with a first password in it takes no Idempotency-Key: the address makes it happen once, and
the digest that is kept of a body must not be the digest of a password.
"""

from litestar import Response, delete, get, post, put
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
from marketplace.kernel.wire import Id, Line, Page, PageNumber, PageSize
from marketplace.parties import queries
from marketplace.parties.queries import Search
from marketplace.parties.roles import Role
from marketplace.parties.schemas import (
    MemberIn,
    MemberOut,
    MembershipOut,
    PersonIn,
    PersonOut,
    PersonWithPlacesOut,
    PlaceOut,
)
from marketplace.parties.use_cases import (
    GrantRole,
    RevokeRole,
    add_member,
    disable_person,
    enable_person,
    end_sessions,
    grant_role,
    register_person,
    revoke_role,
)

KEEPERS = (Role.ADMINISTRATOR, Role.SME_ADMINISTRATOR, Role.PROVIDER_MANAGER)
"""Who keeps an organisation's members: the centre for all, the others for their own."""


@post("/people", summary="Register a person", unkeyed=True, **allow(Role.ADMINISTRATOR))
async def post_person(request: ApiRequest, data: JSONBody[PersonIn]) -> PersonOut:
    """Register somebody who can sign in once they hold a role."""
    return PersonOut.of(
        await atomically(
            services(request).database,
            register_person,
            data.to_command(),
            actor=actor_of(request),
            request_id=request_id_of(request),
        )
    )


@get("/people", summary="Find people", **allow(Role.ADMINISTRATOR))
async def get_people(
    request: ApiRequest,
    text: FromQuery[Line] = "",
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[PersonOut]:
    """People by the whole e-mail address or a part of the name; addresses are masked."""
    search = Search(text, page=page, page_size=page_size)
    found = await read(request, queries.search_people, search)
    return Page(
        results=[PersonOut.masked(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/people/{person_id:int}", summary="A person", **allow(Role.ADMINISTRATOR))
async def get_person(request: ApiRequest, person_id: FromPath[Id]) -> PersonWithPlacesOut:
    """A person and where they hold roles."""
    found = await read(request, queries.person_with_places, person_id)
    return PersonWithPlacesOut(
        person=PersonOut.of(found.person), places=[PlaceOut.of(place) for place in found.places]
    )


@post(
    "/people/{person_id:int}/disable",
    summary="End a person's sign-in",
    **allow(Role.ADMINISTRATOR),
)
async def post_disable(request: ApiRequest, person_id: FromPath[Id]) -> Response[PersonOut]:
    """The person signs in nowhere any more; what they did stays theirs."""
    return await perform(request, disable_person, person_id, present=PersonOut.of, status=200)


@post(
    "/people/{person_id:int}/enable",
    summary="Restore a person's sign-in",
    **allow(Role.ADMINISTRATOR),
)
async def post_enable(request: ApiRequest, person_id: FromPath[Id]) -> Response[PersonOut]:
    """The person may sign in again; failures that locked them out are forgotten."""
    return await perform(request, enable_person, person_id, present=PersonOut.of, status=200)


@post(
    "/people/{person_id:int}/end-sessions",
    summary="End a person's sign-ins everywhere",
    **allow(Role.ADMINISTRATOR),
)
async def post_end_sessions(request: ApiRequest, person_id: FromPath[Id]) -> Response[PersonOut]:
    """They sign in anew; a token that was handed out is good for some minutes more."""
    return await perform(request, end_sessions, person_id, present=PersonOut.of, status=200)


@get(
    "/organisations/{organisation_id:int}/members",
    summary="Who belongs to an organisation",
    **allow(*KEEPERS, Role.AUDITOR, Role.REGULATOR),
)
async def get_members(request: ApiRequest, organisation_id: FromPath[Id]) -> list[MemberOut]:
    """A line for each role; addresses are masked for those who look on from outside."""
    found = await read(request, queries.members, organisation_id)
    masked = not actor_of(request).has(*KEEPERS)
    return [MemberOut.of(row, masked=masked) for row in found]


@post(
    "/organisations/{organisation_id:int}/members",
    summary="Add a member",
    unkeyed=True,
    **allow(*KEEPERS),
)
async def post_member(
    request: ApiRequest, organisation_id: FromPath[Id], data: JSONBody[MemberIn]
) -> PersonOut:
    """Register a new person with their first role in the organisation, both or neither."""
    return PersonOut.of(
        await atomically(
            services(request).database,
            add_member,
            data.to_command(organisation_id),
            actor=actor_of(request),
            request_id=request_id_of(request),
        )
    )


@put(
    "/organisations/{organisation_id:int}/members/{person_id:int}/roles/{role:str}",
    summary="Grant a role",
    **allow(*KEEPERS),
)
async def put_role(
    request: ApiRequest,
    organisation_id: FromPath[Id],
    person_id: FromPath[Id],
    role: FromPath[Role],
) -> Response[MembershipOut]:
    """Grant a role; nobody grants one to themselves. A keeper grants to members only."""
    command = GrantRole(person_id, organisation_id, role)
    return await perform(request, grant_role, command, present=MembershipOut.of, status=200)


@delete(
    "/organisations/{organisation_id:int}/members/{person_id:int}/roles/{role:str}",
    status_code=200,
    summary="Revoke a role",
    **allow(*KEEPERS),
)
async def delete_role(
    request: ApiRequest,
    organisation_id: FromPath[Id],
    person_id: FromPath[Id],
    role: FromPath[Role],
) -> Response[MembershipOut]:
    """Take a role away; a token that names it is good for some minutes more."""
    command = RevokeRole(person_id, organisation_id, role)
    return await perform(request, revoke_role, command, present=MembershipOut.of, status=200)


routes: list[ControllerRouterHandler] = [
    post_person,
    get_people,
    get_person,
    post_disable,
    post_enable,
    post_end_sessions,
    get_members,
    post_member,
    put_role,
    delete_role,
]
