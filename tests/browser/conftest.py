"""Real Chromium on the real application, over a database of the test's own.

A line on the browser's console that is an error fails the test: so does every report that the
content security policy was broken. The browser's zone is not China's, to catch wrong clocks.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from marketplace.kernel.actors import Actor
from marketplace.kernel.http import Services
from marketplace.kernel.observe import Observed
from marketplace.kernel.time import SetClock
from marketplace.web.sessions import PageSession
from tests.pages.conftest import SHARED
from tools.find_browser import browser as browser_path

ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}

Open = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for the whole run."""
    path = browser_path()
    assert path, "no Chromium: run `make test`, which installs one, or set CHROMIUM"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session")
async def site() -> AsyncIterator[str]:
    """The address of the application; each test gives it its database."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(
            cast(Any, Observed(cast(Any, SHARED))),
            port=port,
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
    )
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 the server offers nothing to wait for
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await running


@pytest_asyncio.fixture
async def open_as(
    chromium: Browser, site: str, services: Services, clock: SetClock
) -> AsyncIterator[Open]:
    """Opens a window: `await open_as(actor, language="en", theme="night", size=PHONE)`.

    The browser's clock stands where the database's does.
    """
    before, SHARED.state.services = SHARED.state.services, services
    contexts: list[BrowserContext] = []
    said: list[str] = []

    async def opening(
        actor: Actor | None = None,
        *,
        language: str = "zh",
        theme: str = "day",
        size: dict[str, int] = DESK,
        scripts: bool = True,
    ) -> Page:
        context = await chromium.new_context(
            base_url=site,
            viewport=cast(Any, size),
            locale="zh-CN",
            timezone_id="America/New_York",
            java_script_enabled=scripts,
        )
        context.set_default_timeout(15_000)
        await context.clock.set_fixed_time(clock.now())
        contexts.append(context)
        cookies = {"lang": language, "theme": theme}
        if actor is not None:
            kept = PageSession(actor.person_id, actor.organisation_id, 4_000_000_000)
            cookies["sid"] = await SHARED.state.page_sessions.begin(kept)
        await context.add_cookies(
            [{"name": name, "value": value, "url": site} for name, value in cookies.items()]
        )
        page = await context.new_page()
        page.on(
            "console", lambda message: said.append(message.text) if _is_fault(message) else None
        )
        page.on("pageerror", lambda error: said.append(str(error)))
        return page

    yield opening
    for context in contexts:
        await context.close()
    SHARED.state.services = before
    assert said == [], "the browser complained"


def _is_fault(message: Any) -> bool:
    # A refusal that a page shows comes with its status; that is not a fault of the page.
    refused = "the server responded with a status of 4" in message.text
    return message.type == "error" and not refused


@pytest.fixture(autouse=True)
def built_assets() -> None:
    """Pages without scripts would pass for the wrong reason."""
    from marketplace.web.assets import manifest

    assert manifest(), "run `make assets` first"
