"""The register: legal entities, who holds them, organisations and their yearly profiles."""

from litestar import Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import ApiRequest, allow, caller_or_nobody, perform, public, read
from marketplace.kernel.wire import Id, Line, Page, PageNumber, PageSize, Year
from marketplace.parties import queries
from marketplace.parties.queries import Pair, Search
from marketplace.parties.roles import Role
from marketplace.parties.rules.states import LegalEntityKind, OrganisationKind
from marketplace.parties.schemas import (
    AffiliationOut,
    LegalEntityIn,
    LegalEntityOut,
    OrganisationIn,
    OrganisationOut,
    ProfileIn,
    ProfileOut,
    RegionCode,
    ShareholdingsIn,
    ShareholdingsOut,
    SuspensionIn,
)
from marketplace.parties.use_cases import (
    file_sme_profile,
    register_legal_entity,
    register_organisation,
    resume_organisation,
    set_shareholdings,
    suspend_organisation,
    verify_legal_entity,
)

STAFF = (
    Role.ADMINISTRATOR,
    Role.VOUCHER_OFFICER,
    Role.FINANCE_MAKER,
    Role.FINANCE_CHECKER,
    Role.EVALUATOR,
    Role.AUDITOR,
    Role.REGULATOR,
)
"""Whose work needs to find any party."""


@post("/legal-entities", summary="Register a legal entity", **allow(Role.ADMINISTRATOR))
async def post_legal_entity(
    request: ApiRequest, data: JSONBody[LegalEntityIn]
) -> Response[LegalEntityOut]:
    """Register a legal entity by its unified social credit code; it is not yet verified."""
    return await perform(
        request, register_legal_entity, data.to_command(), present=LegalEntityOut.of
    )


@get("/legal-entities", summary="Find legal entities", **allow(*STAFF))
async def get_legal_entities(
    request: ApiRequest,
    text: FromQuery[Line] = "",
    kind: FromQuery[LegalEntityKind | None] = None,
    region_code: FromQuery[RegionCode | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[LegalEntityOut]:
    """Legal entities by code or by a part of the name; a region takes in what it contains."""
    search = Search(text, kind, region_code, page, page_size)
    found = await read(request, queries.search_legal_entities, search)
    return Page(
        results=[LegalEntityOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/legal-entities/{legal_entity_id:int}", summary="A legal entity", **allow(*STAFF))
async def get_legal_entity(request: ApiRequest, legal_entity_id: FromPath[Id]) -> LegalEntityOut:
    """A legal entity as registered."""
    return LegalEntityOut.of(await read(request, queries.legal_entity, legal_entity_id))


@get(
    "/legal-entities/{legal_entity_id:int}/shareholdings",
    summary="Who holds a legal entity",
    **allow(*STAFF),
)
async def get_shareholdings(request: ApiRequest, legal_entity_id: FromPath[Id]) -> ShareholdingsOut:
    """Its holders, the largest part first."""
    return ShareholdingsOut.of(await read(request, queries.shareholdings, legal_entity_id))


@put(
    "/legal-entities/{legal_entity_id:int}/shareholdings",
    summary="Set who holds a legal entity",
    **allow(Role.ADMINISTRATOR),
)
async def put_shareholdings(
    request: ApiRequest, legal_entity_id: FromPath[Id], data: JSONBody[ShareholdingsIn]
) -> Response[ShareholdingsOut]:
    """Replace the holders; the audit trail keeps those of before."""
    command = data.to_command(legal_entity_id)
    return await perform(
        request, set_shareholdings, command, present=ShareholdingsOut.of, status=200
    )


@post(
    "/legal-entities/{legal_entity_id:int}/verify",
    summary="Verify a legal entity",
    **allow(Role.ADMINISTRATOR),
)
async def post_verify(
    request: ApiRequest, legal_entity_id: FromPath[Id]
) -> Response[LegalEntityOut]:
    """Note that the entry agrees with the public register; another person registered it."""
    return await perform(
        request, verify_legal_entity, legal_entity_id, present=LegalEntityOut.of, status=200
    )


@get(
    "/legal-entities/{legal_entity_id:int}/affiliation",
    summary="Are two legal entities affiliated",
    **allow(Role.ADMINISTRATOR, Role.VOUCHER_OFFICER, Role.AUDITOR, Role.REGULATOR),
)
async def get_affiliation(
    request: ApiRequest, legal_entity_id: FromPath[Id], other_id: FromQuery[Id]
) -> AffiliationOut:
    """The strongest tie between two legal entities by today's terms, or none."""
    pair = Pair(legal_entity_id, other_id)
    return AffiliationOut.of(await read(request, queries.affiliation_today, pair))


@post("/organisations", summary="Register an organisation", **allow(Role.ADMINISTRATOR))
async def post_organisation(
    request: ApiRequest, data: JSONBody[OrganisationIn]
) -> Response[OrganisationOut]:
    """Register a provider, an SME, a station, a centre or a regulator under its legal entity."""
    return await perform(
        request, register_organisation, data.to_command(), present=OrganisationOut.of
    )


@get("/organisations", summary="Find organisations", **allow(*STAFF, Role.STATION_AGENT))
async def get_organisations(
    request: ApiRequest,
    text: FromQuery[Line] = "",
    kind: FromQuery[OrganisationKind | None] = None,
    region_code: FromQuery[RegionCode | None] = None,
    page: FromQuery[PageNumber] = 1,
    page_size: FromQuery[PageSize] = 50,
) -> Page[OrganisationOut]:
    """Organisations by a part of the name; a station agent finds the SMEs of the region."""
    search = Search(text, kind, region_code, page, page_size)
    found = await read(request, queries.search_organisations, search)
    return Page(
        results=[OrganisationOut.of(row) for row in found.rows],
        total=found.total,
        page=page,
        page_size=page_size,
    )


@get("/organisations/{organisation_id:int}", summary="An organisation", **public())
async def get_organisation(request: ApiRequest, organisation_id: FromPath[Id]) -> OrganisationOut:
    """What anybody may know of an organisation; of an SME, anybody who is signed in."""
    return OrganisationOut.of(
        await read(
            request,
            queries.visible_organisation,
            organisation_id,
            actor=caller_or_nobody(request),
        )
    )


@post(
    "/organisations/{organisation_id:int}/suspend",
    summary="Suspend an organisation",
    **allow(Role.ADMINISTRATOR),
)
async def post_suspend(
    request: ApiRequest, organisation_id: FromPath[Id], data: JSONBody[SuspensionIn]
) -> Response[OrganisationOut]:
    """Nobody signs in for it any more; tokens that were given run out in minutes."""
    command = data.to_command(organisation_id)
    return await perform(
        request, suspend_organisation, command, present=OrganisationOut.of, status=200
    )


@post(
    "/organisations/{organisation_id:int}/resume",
    summary="End a suspension",
    **allow(Role.ADMINISTRATOR),
)
async def post_resume(
    request: ApiRequest, organisation_id: FromPath[Id]
) -> Response[OrganisationOut]:
    """Let the organisation's people sign in again."""
    return await perform(
        request, resume_organisation, organisation_id, present=OrganisationOut.of, status=200
    )


@put(
    "/organisations/{organisation_id:int}/profiles/{year:int}",
    summary="File the profile of a year",
    **allow(Role.SME_ADMINISTRATOR),
)
async def put_profile(
    request: ApiRequest,
    organisation_id: FromPath[Id],
    year: FromPath[Year],
    data: JSONBody[ProfileIn],
) -> Response[ProfileOut]:
    """What the SME says about itself; whether it is eligible is decided when it applies."""
    command = data.to_command(organisation_id, year)
    return await perform(request, file_sme_profile, command, present=ProfileOut.of, status=200)


@get(
    "/organisations/{organisation_id:int}/profiles",
    summary="The profiles of an SME",
    **allow(*STAFF, Role.SME_ADMINISTRATOR, Role.BUYER),
)
async def get_profiles(request: ApiRequest, organisation_id: FromPath[Id]) -> list[ProfileOut]:
    """Every year that was filed, the latest first."""
    found = await read(request, queries.sme_profiles, organisation_id)
    return [ProfileOut.of(row) for row in found]


routes: list[ControllerRouterHandler] = [
    post_legal_entity,
    get_legal_entities,
    get_legal_entity,
    get_shareholdings,
    put_shareholdings,
    post_verify,
    get_affiliation,
    post_organisation,
    get_organisations,
    get_organisation,
    post_suspend,
    post_resume,
    put_profile,
    get_profiles,
]
