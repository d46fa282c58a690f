"""Who may see which page: walked over the route table, so that no new page is forgotten.

A role that a page does not name gets 403, nobody is asked to sign in, and what belongs to another
organisation does not exist. Its owner sees it, or the question proves nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast

import pytest
import pytest_asyncio
from litestar.handlers import HTTPRouteHandler

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.kernel.observe import Observed
from marketplace.kernel.time import SetClock
from marketplace.kernel.tokens import AccessTokens, MemoryRefreshStore, RefreshTokens
from marketplace.parties.roles import Role
from tests.builders.pages import OWN_PAGE, Browser
from tests.builders.parties import an_actor
from tests.builders.world import BOUND_ROLES, World, a_world
from tests.conftest import MONDAY_MORNING, TOKEN_SECRET, Copies, with_database
from tests.http.routes import ApiRoute
from tests.pages.conftest import SHARED

pytestmark = pytest.mark.timeout(300)

# Everybody may open these or send them. Each needs a reason that a stranger would accept.
PUBLIC = {
    "GET /": "the start page",
    "GET /assets/{name:str}": "scripts and styles",
    "GET /instruments": "the catalogue is published (J.15)",
    "GET /instruments/file": "the catalogue is published (J.15)",
    "GET /instruments/{instrument_id:int}": "the catalogue is published (J.15)",
    "GET /instruments/{instrument_id:int}/times": "says when, and never for whom",
    "GET /price-lists/{price_list_id:int}": "prices and objections to them are published (J.15)",
    "GET /rules": "the rules are published",
    "GET /providers/{provider_id:int}": "who offers instruments is published (J.15)",
    "GET /vouchers/rules": "how the money is given is public (J.22a)",
    "GET /vouchers/rules/file": "how the money is given is public (J.22a)",
    "GET /help": "help",
    "GET /figures": "sums of a year, small ones left out",
    "GET /figures/file": "sums of a year, small ones left out",
    "GET /claim-notices": "claims in public notice are there to be objected to",
    "GET /claim-notices/{claim_id:int}": "claims in public notice are there to be objected to",
    "GET /claim-notices/{claim_id:int}/file": "claims in public notice are there to be objected to",
    "POST /claim-notices/{claim_id:int}/objections": "anybody may object to claims in notice",
    "GET /reward-notices": "rewards in public notice are there to be objected to",
    "GET /reward-notices/{run_id:int}": "rewards in public notice are there to be objected to",
    "GET /reward-notices/{run_id:int}/file": "rewards in public notice are there to be objected to",
    "POST /reward-notices/{run_id:int}/objections": "anybody may object to rewards in notice",
    "GET /sign-in": "who signs in is not signed in",
    "POST /sign-in": "who signs in is not signed in",
    "POST /sign-out": "ends one's own session only",
    "POST /prefs": "language and theme of one's own browser",
    "POST /tour": "there is none outside a demo",
}
# Pages about oneself, for everybody who is signed in.
SIGNED_IN = {
    "GET /me/sign-in": "one's own account",
    "POST /me/sign-in": "one's own password",
    "POST /act-for": "an organisation in which one holds a role",
    "GET /view-as": "leads to one's own start page",
    "POST /view-as/end": "ends one's own view",
}
# Somebody else may open these, each for a reason.
OPEN_TO_OTHERS: dict[str, str] = {
    "POST /instruments/{instrument_id:int}/star": "everybody may star what is published (J.15)",
    "POST /price-lists/{price_list_id:int}/objections": "every customer may object to prices",
}
# What an address stands for where its name alone does not say it.
ADDRESSES: dict[str, dict[str, str]] = {
    "GET /ops/disputes/{order_id:int}": {"order_id": "disputed_order_id"},
    "POST /ops/disputes/{order_id:int}/rule": {"order_id": "disputed_order_id"},
    # Pages of the centre, which nobody outside gets to: any number does.
    "POST /finance/periods/sign-offs/{sign_off_id:int}/approve": {"sign_off_id": "claim_id"},
    "POST /finance/periods/{period_id:int}/close": {"period_id": "claim_id"},
    "POST /finance/periods/{period_id:int}/reopen": {"period_id": "claim_id"},
    "POST /finance/periods/{period_id:int}/reopenings/{reopening_id:int}": {
        "period_id": "claim_id",
        "reopening_id": "claim_id",
    },
    "POST /finance/periods/month-sign-offs/{close_id:int}/sign": {"close_id": "claim_id"},
    "POST /finance/vouchers/{claim_id:int}/layers/{layer_id:int}/audit": {"layer_id": "claim_id"},
    "POST /ops/messages/{message_id:int}/retry": {"message_id": "claim_id"},
    "POST /ops/notices/{notice_id:int}/withdraw": {"notice_id": "claim_id"},
    "GET /claim-notices/{claim_id:int}": {"claim_id": "noticed_claim_id"},
    "POST /claim-notices/{claim_id:int}/objections": {"claim_id": "noticed_claim_id"},
    "GET /claim-notices/{claim_id:int}/file": {"claim_id": "noticed_claim_id"},
    "GET /reward-notices/{run_id:int}/file": {"run_id": "noticed_run_id"},
    "GET /reward-notices/{run_id:int}": {"run_id": "noticed_run_id"},
    "POST /reward-notices/{run_id:int}/objections": {"run_id": "noticed_run_id"},
    "GET /finance/batches/{batch_id:int}": {"batch_id": "payment_batch_id"},
    "GET /finance/batches/{batch_id:int}/payment-file": {"batch_id": "payment_batch_id"},
    "GET /finance/batches/reports/{report_id:int}": {"report_id": "status_report_id"},
    "GET /finance/batches/reports/{report_id:int}/file": {"report_id": "status_report_id"},
    "GET /finance/imports/{statement_id:int}": {"statement_id": "bank_statement_id"},
    "GET /finance/reconciliation/{line_id:int}": {"line_id": "bank_line_id"},
    "GET /finance/reconciliation/{line_id:int}/papers/{attachment_id:int}/file": {
        "line_id": "bank_line_id"
    },
    "GET /finance/accounts/{account_id:int}": {"account_id": "ledger_account_id"},
    "GET /finance/ledger/{entry_id:int}": {"entry_id": "ledger_entry_id"},
    "GET /orders/{order_id:int}/items/{position:int}/deliver": {"order_id": "served_order_id"},
    "GET /orders/{order_id:int}/items/{position:int}/undeliverable": {
        "order_id": "served_order_id"
    },
    "GET /orders/{order_id:int}/samples": {"order_id": "sample_order_id"},
    "POST /orders/{order_id:int}/samples": {"order_id": "sample_order_id"},
    "GET /orders/{order_id:int}/sample-sheet.pdf": {"order_id": "sample_order_id"},
    "POST /orders/{order_id:int}/shipments/{shipment_id:int}/receive": {
        "order_id": "sample_order_id"
    },
    "GET /orders/{order_id:int}/evidence/{evidence_id:int}": {
        "order_id": "disputed_order_id",
        "evidence_id": "dispute_evidence_id",
    },
    "GET /orders/{order_id:int}/changes/{change_id:int}": {"order_id": "waiting_order_id"},
}
NOT_PAGES = ("/api/", "/schema", "/health", "/metrics")


def page_routes() -> list[ApiRoute]:
    """Every page and every form, in a stable order."""
    found = [
        ApiRoute(
            method=str(method),
            path=route.path,
            roles=handler.opt["roles"],
            parts=tuple(route.path_components),
            body=None,
        )
        for route in SHARED.routes
        if not route.path.startswith(NOT_PAGES)
        for handler in getattr(route, "route_handlers", [])
        if isinstance(handler, HTTPRouteHandler)
        for method in sorted(handler.http_methods - {"OPTIONS"})
    ]
    return sorted(found, key=lambda each: (each.path, each.method))


ROUTES = page_routes()
MEMBERS = [route for route in ROUTES if route.roles != "public"]
BOUND = [
    route
    for route in MEMBERS
    if isinstance(route.roles, frozenset)
    and route.parameters
    and route.roles & set(BOUND_ROLES)
    and str(route) not in OPEN_TO_OTHERS
]


@dataclass(frozen=True)
class Stage:
    """The pages over a world in which everything exists once."""

    app: Observed
    world: World
    people: dict[Role, Actor]

    async def status(self, route: ApiRoute, actor: Actor | None) -> int:
        """What the page answers to `actor`, without following where it sends them."""
        names = ADDRESSES.get(str(route), {})
        values = {
            each.name: self.world.ids[names.get(each.name, each.name)] for each in route.parameters
        }
        async with Browser(self.app) as browser:
            if actor is not None:
                await browser.enter(actor)
            answer = await browser.http.request(
                route.method, route.address(values), headers=OWN_PAGE, follow_redirects=False
            )
        return answer.status_code


@pytest_asyncio.fixture(scope="module")
async def stage(postgres: str, template: str, copies: Copies) -> AsyncIterator[Stage]:
    """Built once: pages are looked at, and what is sent is refused."""
    name = "world_of_pages"
    await copies.copy(name, of=template)
    database = Database(with_database(postgres, name), clock=SetClock(MONDAY_MORNING))
    world = await a_world(database)
    people = {role: await an_actor(database, role) for role in Role}
    before = SHARED.state.services
    SHARED.state.services = Services(
        database=database,
        access_tokens=AccessTokens(TOKEN_SECRET, minutes=10),
        refresh_tokens=RefreshTokens(MemoryRefreshStore(), days=1),
    )
    yield Stage(Observed(cast(Any, SHARED)), world, people | world.strangers)
    SHARED.state.services = before
    await database.close()
    await copies.drop(name)


def test_what_everybody_sees_is_listed_with_its_reason() -> None:
    public = {str(route) for route in ROUTES if route.roles == "public"}
    signed_in = {str(route) for route in ROUTES if route.roles == "signed-in"}

    assert public == PUBLIC.keys()
    assert signed_in == SIGNED_IN.keys()
    assert OPEN_TO_OTHERS.keys() | ADDRESSES.keys() <= {str(route) for route in ROUTES}


@pytest.mark.parametrize("route", MEMBERS, ids=str)
async def test_nobody_is_asked_to_sign_in(stage: Stage, route: ApiRoute) -> None:
    assert await stage.status(route, None) == 303


@pytest.mark.parametrize(
    "route", [route for route in MEMBERS if route.roles != "signed-in"], ids=str
)
async def test_a_role_that_is_not_named_is_refused(stage: Stage, route: ApiRoute) -> None:
    refused = {
        role: await stage.status(route, actor)
        for role, actor in stage.people.items()
        if role not in route.roles
    }

    assert dict.fromkeys(refused, 403) == refused


@pytest.mark.parametrize("route", BOUND, ids=str)
async def test_what_belongs_to_another_organisation_does_not_exist(
    stage: Stage, route: ApiRoute
) -> None:
    found = {
        role: await stage.status(route, stage.world.strangers[role])
        for role in BOUND_ROLES
        if role in route.roles
    }

    assert dict.fromkeys(found, 404) == found


@pytest.mark.parametrize("route", [route for route in BOUND if route.method == "GET"], ids=str)
async def test_its_owner_sees_it(stage: Stage, route: ApiRoute) -> None:
    found = {
        await stage.status(route, stage.world.owners[role])
        for role in BOUND_ROLES
        if role in route.roles
    }

    assert found & {200, 303}, found


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.method == "GET" and route.path != "/assets/{name:str}"],
    ids=str,
)
async def test_every_page_opens_for_each_role_it_names(stage: Stage, route: ApiRoute) -> None:
    roles = list(Role) if isinstance(route.roles, str) else [Role(each) for each in route.roles]
    found = {role: await stage.status(route, stage.people[role]) for role in roles}

    assert not [role for role, status in found.items() if status >= 500], found
    assert set(found.values()) & {200, 303, 400, 404}, found


async def test_every_link_of_the_menu_leads_to_a_page_for_those_roles(stage: Stage) -> None:
    pages = {route.path: route for route in ROUTES if route.method == "GET"}
    links = list(itertools.chain.from_iterable(area.links for area in SHARED.state.areas))
    wrong = [
        link.path
        for link in links
        if link.path not in pages
        or (
            isinstance(pages[link.path].roles, frozenset)
            and not (link.roles and link.roles <= set(pages[link.path].roles))
        )
    ]

    assert wrong == []
