"""The pages as a browser without scripts sees them, over a database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, cast

import pytest
import pytest_asyncio
from pydantic import SecretStr

from marketplace.kernel.actors import Actor
from marketplace.kernel.observe import Observed
from marketplace.kernel.settings import Settings
from tests.builders.pages import Browser
from tests.conftest import TOKEN_SECRET
from tests.http.routes import an_app_without_database

Enter = Callable[[Actor], Awaitable[Browser]]


# Building the application takes longer than most tests do: they share one.
SHARED, _ = an_app_without_database(
    Settings(
        token_secret=SecretStr(TOKEN_SECRET),
        requests_per_minute=1_000_000,
        sign_ins_per_minute=1_000_000,
        live_stream_seconds=1,
    )
)


@pytest.fixture
def app(services) -> Iterator[Observed]:
    """The application with what surrounds it, over the test's database."""
    before, SHARED.state.services = SHARED.state.services, services
    yield Observed(cast(Any, SHARED))
    SHARED.state.services = before


@pytest_asyncio.fixture
async def visitor(app) -> AsyncIterator[Browser]:
    """Somebody who is not signed in, and reads Chinese."""
    async with Browser(app) as browser:
        yield browser


@pytest_asyncio.fixture
async def enter(app) -> AsyncIterator[Enter]:
    """Opens a browser in which an actor is signed in: `await enter(actor)`."""
    browsers: list[Browser] = []

    async def entering(actor: Actor) -> Browser:
        browser = Browser(app)
        browsers.append(browser)
        await browser.enter(actor)
        return browser

    yield entering
    for browser in browsers:
        await browser.aclose()
