"""The API against its own description: whatever is sent that the schema can produce, and more
that it forbids, no answer is a server error. Run as an operator would, against the real server.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.time import SetClock
from marketplace.kernel.tokens import AccessTokens
from marketplace.parties.roles import Role
from tests.builders.orders import a_market
from tests.builders.web_process import WebProcess
from tests.conftest import TOKEN_SECRET

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = 3
EVERY_ROLE = frozenset(map(str, Role))


async def fuzz(web: WebProcess, actor: Actor, folder: Path) -> tuple[int, str]:
    """Run schemathesis with every role there is, in the name of `actor`'s organisation."""
    token = AccessTokens(TOKEN_SECRET, minutes=60).issue(
        Actor(actor.person_id, actor.organisation_id, actor.organisation_kind, EVERY_ROLE)
    )
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("schemathesis"),
        "run",
        f"{web.address}/schema/openapi.json",
        "--header",
        f"Authorization: Bearer {token}",
        "--checks=not_a_server_error,unsupported_method",
        "--phases=examples,coverage,fuzzing",
        "--mode=all",
        f"--max-examples={EXAMPLES}",
        "--generation-deterministic",
        "--workers=1",
        "--request-timeout=20",
        "--suppress-health-check=all",
        "--no-color",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.http.fuzz_hooks", "PYTHONPATH": str(ROOT)},
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode(errors="replace")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("side", ["buyer", "manager"])
async def test_no_input_that_the_schema_can_produce_reaches_a_server_error(
    database: Database, database_url: str, clock: SetClock, tmp_path: Path, side: str
):
    market = await a_market(database)
    web = WebProcess(database_url, str(tmp_path))
    await web.start()
    try:
        code, output = await fuzz(web, getattr(market, side), tmp_path)
    finally:
        web.stop()

    (tmp_path / "fuzz.txt").write_text(output)
    assert code == 0, output[-6000:]
