"""Every role comes to every page that is theirs by links alone, and no link is a dead end."""

from __future__ import annotations

import heapq
import itertools
import re
from collections import Counter
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest

from marketplace.parties.roles import Role
from tests.builders.pages import Browser
from tests.http.routes import ApiRoute
from tests.pages.conftest import SHARED
from tests.pages.test_who_sees import ROUTES, Stage, stage

pytestmark = pytest.mark.timeout(300)

__all__ = ["stage"]

# Pages that no link leads to, each for a reason.
WITHOUT_A_LINK = {
    "GET /assets/{name:str}": "what pages load",
    "GET /instruments/{instrument_id:int}/times": "what the calendar asks for",
    "GET /provider/schedule/times": "what the timeline asks for",
    "GET /view-as": "sends on to the start page of whom one looks as",
}
# Whoever may open a page but has nothing there in the world of the tests.
NOTHING_THERE = {
    (Role.SME_ADMINISTRATOR, "GET /claims/{claim_id:int}"): "the SME redeemed no voucher itself",
    (Role.SME_ADMINISTRATOR, "GET /sanctions/{sanction_id:int}"): "no sanction is about the SME",
    (Role.STATION_AGENT, "GET /strikes/{strike_id:int}"): "the agent has no strike",
    (Role.STATION_AGENT, "GET /invoices/{invoice_id:int}/file"): "no order of theirs is settled",
    (Role.REGULATOR, "GET /finance/clearings/{clearing_id:int}"): "explained lines are asked for",
}
# The same page with other parameters leads nowhere new after some visits; of orders there is one
# in each state.
VISITS_MAX = 4
VISITS = {"GET /orders/{order_id:int}": 16}
TAG = re.compile(r"<(a|form)\b([^>]*)>")
ADDRESS = re.compile(r"""\s(?:href|action)="([/?][^"#]*)""")

PAGES = [route for route in ROUTES if route.method == "GET" and str(route) not in WITHOUT_A_LINK]


def _pattern(route: ApiRoute) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]+\})", route.path)
    return re.compile(
        "".join(
            (r"\d+" if part.endswith(":int}") else "[^/]+")
            if part.startswith("{")
            else re.escape(part)
            for part in parts
        )
    )


PATTERNS = [(str(route), _pattern(route)) for route in PAGES]


def route_of(address: str) -> str | None:
    """The page that an address is one of; what stands in it word for word goes first."""
    path = urlsplit(address).path
    fitting = [name for name, fits in PATTERNS if fits.fullmatch(path)]
    return min(fitting, key=lambda name: name.count("{"), default=None)


def ways(at: str, source: str) -> list[tuple[str, bool]]:
    """Where the links and the searches of a page lead, and whether it takes typing to get there."""
    return [
        (urljoin(at, unescape(address[1])), tag == "form")
        for tag, inside in TAG.findall(source)
        if 'method="post"' not in inside and (address := ADDRESS.search(inside))
    ]


@dataclass
class Walk:
    """The pages that somebody came to, and the links that led to none."""

    reached: set[str] = field(default_factory=set)
    dead: list[str] = field(default_factory=list)


async def walk_from(start: str, browser: Browser, wanted: set[str]) -> Walk:
    """Follow the links of each page, those to pages not seen yet first, until all are reached."""
    walk, visits, turn = Walk(), Counter[str](), itertools.count()
    known = {start}
    waiting = [(0, next(turn), start, "", False)]
    while waiting and not wanted <= walk.reached:
        _, _, at, origin, typed = heapq.heappop(waiting)
        answer = await browser.http.get(at, headers={"Sec-Fetch-Site": "none"})
        if answer.status_code >= 400:
            # A search may ask for something first.
            walk.dead += [] if typed else [f"{answer.status_code} {at} on {origin}"]
            continue
        walk.reached |= {name} if (name := route_of(at)) else set()
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        for to, typing in ways(at, answer.text):
            name = route_of(to)
            if name is not None and to not in known and visits[name] < VISITS.get(name, VISITS_MAX):
                visits[name] += 1
                known.add(to)
                heapq.heappush(waiting, (visits[name], next(turn), to, at, typing))
    return walk


def start_of(role: Role) -> str:
    """Where somebody of this one role begins: the first page of their own work."""
    links = [each for area in SHARED.state.areas for each in area.links]
    return next((each.path for each in links if role in each.roles), "/")


def theirs(role: Role) -> set[str]:
    """The pages that name the role, or are for whoever is signed in."""
    return {
        str(route)
        for route in PAGES
        if route.roles == "signed-in" or role in route.roles
        if (role, str(route)) not in NOTHING_THERE
    }


@pytest.mark.parametrize("role", Role, ids=str)
async def test_whoever_works_here_reaches_every_page_that_is_theirs(
    stage: Stage, role: Role
) -> None:
    wanted = theirs(role)
    async with Browser(stage.app) as browser:
        await browser.enter(stage.world.owners.get(role, stage.people[role]))
        walk = await walk_from(start_of(role), browser, wanted)

    assert ([], []) == (sorted(wanted - walk.reached), walk.dead)


async def test_nobody_in_particular_reaches_every_public_page(stage: Stage) -> None:
    wanted = {str(route) for route in PAGES if route.roles == "public"}
    async with Browser(stage.app) as browser:
        walk = await walk_from("/", browser, wanted)

    assert ([], []) == (sorted(wanted - walk.reached), walk.dead)


def test_what_no_link_leads_to_is_there() -> None:
    routes = {str(route) for route in ROUTES}
    listed = {*WITHOUT_A_LINK, *(route for _, route in NOTHING_THERE)}

    assert listed <= routes
