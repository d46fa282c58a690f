"""Every page in Chromium, in both themes and languages and on a phone: nothing that axe, the
browser or a narrow window finds wrong may be left, and no page loads more script than it needs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Error, Page

from marketplace.kernel.actors import Actor
from marketplace.parties.roles import Role
from marketplace.web.sessions import PageSession
from tests.browser.axe import faults
from tests.browser.conftest import DESK, PHONE
from tests.conftest import MONDAY_MORNING
from tests.http.routes import ApiRoute
from tests.pages.conftest import SHARED
from tests.pages.test_who_sees import ADDRESSES, ROUTES, Stage, stage

pytestmark = pytest.mark.timeout(600)

__all__ = ["stage"]

# What answers with something else than a page.
NO_PAGES = {"/assets/{name:str}", "/instruments/{instrument_id:int}/times"}
PAGES = [
    route
    for route in ROUTES
    if route.method == "GET"
    and route.path not in NO_PAGES
    and not route.path.endswith(("/file", "/export", "/times", ".json", ".pdf"))
]

# Islands that draw: their scripts are worth their weight.
DRAWN = "[data-island=calendar], [data-island=schedule], [data-island=chart]"
MOUNTING = "[data-island]:not([data-ready])"
SCRIPT_BYTES_MAX = 20 * 1024

Look = Callable[[ApiRoute, Page], Awaitable[list[str]]]


def who(stage: Stage, route: ApiRoute) -> list[Actor | None]:
    """Who may find something on the page: its owners first."""
    if route.roles == "public":
        return [None]
    roles = list(Role) if isinstance(route.roles, str) else [Role(each) for each in route.roles]
    owners = [stage.world.owners[role] for role in roles if role in stage.world.owners]
    return [*owners, *(stage.people[role] for role in roles)]


# What a page has to be asked with.
QUERIES = {
    "GET /bookings/new": "instrument={instrument_id}",
    "GET /enquiries/new": "instrument={instrument_id}",
    "GET /finance/clearings/new": "pick={bank_line_id}",
    "GET /orders/{order_id:int}/items/{position:int}/undeliverable": "quantity=1&reason=x",
    "GET /provider/schedule/move": "reservation={reservation_id}",
    "GET /training/new": "instrument={instrument_id}",
    "GET /waiting/new": "instrument={instrument_id}&day=2025-03-05",
}


def address(stage: Stage, route: ApiRoute) -> str:
    names = ADDRESSES.get(str(route), {})
    path = route.address(
        {each.name: stage.world.ids[names.get(each.name, each.name)] for each in route.parameters}
    )
    return f"{path}?{QUERIES.get(str(route), '').format(**stage.world.ids)}"


@pytest_asyncio.fixture
async def walk(
    chromium: Browser, site: str, stage: Stage
) -> AsyncIterator[Callable[..., Awaitable[dict[str, list[str]]]]]:
    """Opens every page for somebody who may see it, and tells what `look` found wrong with it."""

    async def walking(look: Look, *, size: dict[str, int], **cookies: str) -> dict[str, list[str]]:
        wrong: dict[str, list[str]] = {}
        for route in PAGES:
            for actor in who(stage, route):
                found = await _found(chromium, site, stage, route, actor, look, size, cookies)
                if found is not None:
                    wrong |= {str(route): found} if found else {}
                    break
            else:
                wrong[str(route)] = ["opened for nobody"]
        return wrong

    yield walking


async def _found(
    chromium: Browser,
    site: str,
    stage: Stage,
    route: ApiRoute,
    actor: Actor | None,
    look: Look,
    size: dict[str, int],
    cookies: dict[str, str],
) -> list[str] | None:
    """What is wrong with a page; None when `actor` may not see it."""
    said: list[str] = []

    def hear(line: ConsoleMessage) -> None:
        if line.type == "error":
            said.append(line.text)

    context = await chromium.new_context(base_url=site, viewport=cast(Any, size), locale="zh-CN")
    await context.clock.set_fixed_time(MONDAY_MORNING)
    cookies = dict(cookies)
    if actor is not None:
        kept = PageSession(actor.person_id, actor.organisation_id, 4_000_000_000)
        cookies["sid"] = await SHARED.state.page_sessions.begin(kept)
    await context.add_cookies(
        [{"name": name, "value": each, "url": site} for name, each in cookies.items()]
    )
    page = await context.new_page()
    page.on("console", hear)
    scripts: list[int] = []
    page.on(
        "response",
        lambda got: (
            scripts.append(int(got.headers["content-length"])) if got.url.endswith(".js") else None
        ),
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        answer = await page.goto(address(stage, route))
        if answer is None or answer.status != 200:
            return None
        await page.wait_for_selector(MOUNTING, state="detached")
        # What is drawn comes after the page; the network is quiet only half a second later.
        if await page.query_selector(DRAWN):
            await page.wait_for_load_state("networkidle")
        elif not 0 < sum(scripts) <= SCRIPT_BYTES_MAX:
            said.append(f"{sum(scripts)} bytes of script")
        return [*said, *await look(route, page)]
    except Error as error:
        # A file is no page, and was given to them.
        if "Download is starting" in error.message:
            return []
        raise
    finally:
        await context.close()


def told(wrong: dict[str, list[str]]) -> str:
    return "\n".join(f"{route}: {each}" for route, found in wrong.items() for each in found)


async def axe(_: ApiRoute, page: Page) -> list[str]:
    return await faults(page)


async def wider_than_the_window(_: ApiRoute, page: Page) -> list[str]:
    wide = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return [f"{wide} pixels wider than the window"] if wide > 0 else []


# Each theme in a language of its own: what a page is called never changes its colours.
@pytest.mark.parametrize(("theme", "lang"), [("day", "zh"), ("night", "en")])
async def test_axe_finds_nothing_on_any_page(walk, theme, lang):
    assert told(await walk(axe, size=DESK, theme=theme, lang=lang)) == ""


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_no_page_is_wider_than_a_phone(walk, lang):
    assert told(await walk(wider_than_the_window, size=PHONE, theme="day", lang=lang)) == ""
