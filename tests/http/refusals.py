"""How a refusal looks to a client, and the proof that it changed nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from marketplace.kernel.db import Database

# What a refused attempt to sign in writes on purpose: that it was tried, and how often.
SIGN_IN_BOOKKEEPING = frozenset({"audit_event", "person"})

PAGE = Path(__file__).resolve().parents[2] / "docs" / "problems.md"
LISTED = frozenset(
    (int(status), code)
    for status, code in re.findall(r"^\| (\d+) \| `(/problems/[a-z0-9-]+)`", PAGE.read_text(), re.M)
)


def refused(answer: httpx.Response, status: int, code: str = "") -> dict[str, Any]:
    """The problem in `answer`, which has the one shape and a type that the docs list."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text[:600]}"
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (status, body["type"]) in LISTED
    assert {"title", "detail", "instance", "request_id"} <= body.keys()
    assert body["status"] == status
    assert code in ("", body["type"].removeprefix("/problems/")), body
    return body


async def contents(database: Database) -> dict[str, tuple[int, str]]:
    """Of every table, how many rows it has and a digest of all that they say."""
    async with database.engine.connect() as connection:
        names = await connection.scalars(
            text("select tablename from pg_tables where schemaname = 'public' order by 1")
        )
        every = " union all ".join(
            f"select '{name}' as name, count(*) as rows,"
            f' md5(string_agg(t::text, chr(10) order by t::text)) as digest from "{name}" t'
            for name in names
        )
        return {row.name: (row.rows, row.digest) for row in await connection.execute(text(every))}


@asynccontextmanager
async def nothing_changes(
    database: Database, *, but: frozenset[str] = frozenset()
) -> AsyncIterator[None]:
    """Inside the block no row of any table comes, goes or changes, `but` those tables."""
    before = await contents(database)
    yield
    after = await contents(database)
    assert len(before) > 60
    assert {name for name in after if before[name] != after[name]} - but == set()
