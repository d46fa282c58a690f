"""The command line as an operator meets it, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from marketplace.cli import main
from marketplace.kernel.settings import settings

NOWHERE = "postgresql://operator:hunter2@127.0.0.1:1/marketplace"

Command = Callable[..., Awaitable[Result]]


@pytest.fixture
def marketplace(tmp_path: Path) -> Command:
    """Run `marketplace …` in a thread of its own, because it has an event loop of its own."""

    async def run(*arguments: object, input: str | None = None, **environment: str) -> Result:
        told = {
            "DATABASE_URL": NOWHERE,
            "REDIS_URL": "",
            "MARKETPLACE_DATA_FOLDER": str(tmp_path),
        } | environment
        settings.cache_clear()
        try:
            return await asyncio.to_thread(
                CliRunner().invoke, main, [str(each) for each in arguments], input=input, env=told
            )
        finally:
            settings.cache_clear()
            structlog.reset_defaults()

    return run


@pytest.fixture
def operate(marketplace: Command, database_url: str) -> Command:
    """Run `marketplace …` on the test's own database."""

    async def run(*arguments: object, input: str | None = None, **environment: str) -> Result:
        return await marketplace(
            *arguments, input=input, **({"DATABASE_URL": database_url} | environment)
        )

    return run
