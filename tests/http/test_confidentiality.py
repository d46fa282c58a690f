"""Nothing of somebody's order is found in any list, page or file of others.

One order is as confidential as can be: its samples, files, clauses and disputes carry a word that
is nowhere else, and its price is a sum that nothing else comes to. Then the public, the regulator
and every role of another organisation read every route that they may, in every format that it has,
and look for them.
Policy: J.18a, N.24a
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pypdf import PdfReader

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.kernel.time import SetClock
from marketplace.kernel.tokens import AccessTokens, MemoryRefreshStore, RefreshTokens
from marketplace.orders.use_cases import (
    AcceptOrder,
    ConfirmOrder,
    DeliverOrder,
    DisputeOrder,
    FinishSamples,
    ReceiveSamples,
    SamplesSent,
    accept_order,
    confirm_order,
    deliver_order,
    dispute_order,
    finish_samples,
    place_order,
    receive_samples,
    store_deliverable,
)
from marketplace.orders.use_cases.free_use import AskFreeUse, ask_free_use
from marketplace.parties.roles import Role
from tests.builders.orders import CLAUSES, a_market, a_price_list, a_quote, a_report, an_order_of
from tests.builders.parties import an_actor, bearer
from tests.conftest import MONDAY_MORNING, TOKEN_SECRET, Copies, with_database
from tests.http.routes import ApiRoute, an_app_without_database, api_routes
from tests.http.test_access import SETTINGS

APP, _ = an_app_without_database(SETTINGS)
# A word that is only in the order, and sums that only the order comes to.
SECRET = "绝密钼靶"
SAMPLE_FEN = 10_007
SAMPLES = 7
SUMS = (SAMPLE_FEN * SAMPLES, SAMPLE_FEN * SAMPLES - 1)
READERS = (
    None,
    Role.REGULATOR,
    Role.BUYER,
    Role.SME_ADMINISTRATOR,
    Role.TECHNICIAN,
    Role.PROVIDER_MANAGER,
    Role.STATION_AGENT,
    Role.EXPERT,
    Role.EVALUATOR,
)

# What a list wants to be asked with.
QUERIES: dict[str, dict[str, Any]] = {
    "GET /account": {"from": "2025-01-01", "until": "2025-12-31"},
    "GET /account/statement": {"from": "2025-01-01", "until": "2025-12-31"},
    "GET /receivables/ageing": {"as_of": "2025-12-31"},
    "GET /receivables/ageing/export": {"as_of": "2025-12-31"},
    "GET /free-use-figures": {"year": 2025},
    "GET /free-use-figures/export": {"year": 2025},
    "GET /machine-hours": {"year": 2025},
}


@dataclass(frozen=True)
class Secret:
    """The world with the confidential order, and what may stand in an address."""

    client: httpx.AsyncClient
    services: Services
    ids: dict[str, int]
    strangers: dict[Role, Actor]


@pytest_asyncio.fixture(scope="module")
async def secret(postgres: str, template: str, copies: Copies) -> AsyncIterator[Secret]:
    """A confidential order, settled, and another one that is disputed."""
    name = "confidential"
    await copies.copy(name, of=template)
    clock = SetClock(MONDAY_MORNING)
    database = Database(with_database(postgres, name), clock=clock)
    try:
        ids = await _confidential_orders(database)
        services = Services(
            database=database,
            access_tokens=AccessTokens(TOKEN_SECRET, minutes=10),
            refresh_tokens=RefreshTokens(MemoryRefreshStore(), days=1),
        )
        app: Any = APP
        app.state.services = services
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://platform.test"
        ) as client:
            strangers = {
                role: await an_actor(database, role) for role in READERS if role is not None
            }
            yield Secret(client, services, ids, strangers)
    finally:
        await database.close()
        await copies.drop(name)


async def _confidential_orders(database: Database) -> dict[str, int]:
    market = await a_market(database, voucher_fen=0)
    await a_price_list(database, instrument_id=market.instrument_id, sample_fen=SAMPLE_FEN)
    free = await a_quote(market, during=None, purpose="national-defence")
    await market.do(ask_free_use, AskFreeUse(free.id, f"{SECRET} 陈述"), by=market.buyer)
    orders = []
    for _each in range(2):
        quote = await a_quote(market, during=None, samples=SAMPLES)
        told = SamplesSent(f"{SECRET} 样品", f"{SECRET} 危险", "return")
        clauses = {clause: f"{text} {SECRET}" for clause, text in CLAUSES.items()}
        asked = an_order_of(quote, samples=told, clauses=clauses)
        placed = await market.do(place_order, asked, by=market.buyer)
        await market.do(confirm_order, ConfirmOrder(placed.id), by=market.manager)
        await market.do(receive_samples, ReceiveSamples(placed.id, SAMPLES), by=market.technician)
        await market.do(finish_samples, FinishSamples(placed.id, SAMPLES), by=market.technician)
        report = a_report(placed.id, name=f"{SECRET}.pdf")
        await market.do(store_deliverable, report, by=market.technician)
        await market.do(deliver_order, DeliverOrder(placed.id), by=market.technician)
        orders.append(placed.id)
    await market.do(accept_order, AcceptOrder(orders[0]), by=market.buyer)
    await market.do(dispute_order, DisputeOrder(orders[1], f"{SECRET} 异议"), by=market.buyer)
    assert isinstance(database.clock, SetClock)
    database.clock.set(database.clock.now() + timedelta(minutes=1))
    return {
        "order_id": orders[0],
        "quote_id": free.id,
        "instrument_id": market.instrument_id,
        "provider_id": market.manager.organisation_id,
        "organisation_id": market.manager.organisation_id,
        "year": 2025,
        "free_use_id": 1,
    }


# Sums of the whole platform: one order's price shows only where there is one order.
SUMS_OF_ALL = {"GET /ledger/trial-balance"}


def readable(route: ApiRoute, role: Role | None) -> bool:
    if route.method != "GET" or "live" in route.path:
        return False
    if route.roles == "public":
        return True
    return role is not None and (route.roles == "signed-in" or role in route.roles)


LISTS = [
    (route, role)
    for route in api_routes(APP)
    for role in READERS
    if readable(route, role)
    and {each.name for each in route.parameters}
    <= {"order_id", "quote_id", "instrument_id", "provider_id", "organisation_id", "free_use_id"}
]


def texts(answer: httpx.Response) -> str:
    """Everything that an answer says, unpacked where it is a workbook."""
    if answer.content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
            return "".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    if answer.content.startswith(b"%PDF"):
        return "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    return answer.content.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("route", "role"), LISTS, ids=[f"{route} as {role or 'public'}" for route, role in LISTS]
)
async def test_nothing_of_the_order_is_found(secret: Secret, route: ApiRoute, role: Role | None):
    headers = {} if role is None else bearer(secret.services, secret.strangers[role])
    for file_format in ("csv", "xlsx") if "export" in route.path else (None,):
        params = QUERIES.get(str(route), {}) | (
            {} if file_format is None else {"file_format": file_format}
        )
        answer = await secret.client.get(
            route.address({each.name: secret.ids[each.name] for each in route.parameters}),
            headers=headers,
            params=params,
        )

        said = texts(answer)
        assert answer.status_code < 500
        assert SECRET not in said
        if str(route) in SUMS_OF_ALL:
            continue
        found = [total for total in SUMS if str(total) in said or f"{total / 100:.2f}" in said]
        assert not found, said[:2_000]
