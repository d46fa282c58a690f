"""The API of programmes as data: files, versions, dry runs."""

import itertools
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.kernel.spreadsheets.reading import row_batches
from marketplace.vouchers.controllers import versions
from marketplace.vouchers.jobs import work_dry_runs
from marketplace.vouchers.rules.programme_file import shipped_programme
from tests.builders.parties import a_provider, bearer
from tests.builders.vouchers import (
    a_grant,
    a_programme,
    a_redemption,
    an_officer,
    orders_are_numbers,
    the_layers,
)

API = "/api/v1"
_keys = itertools.count()

Call = Callable[..., Awaitable[httpx.Response]]
CHANGES = {"cap_per_order_fen": {"value": 20_000, "source": "苏科机发〔2025〕1号"}}


@pytest.fixture
def call(api: httpx.AsyncClient, services: Services) -> Call:
    """Send a request as an actor, with a key of its own."""

    async def send(actor: Actor, method: str, path: str, **more: Any) -> httpx.Response:
        headers = bearer(services, actor) | {"Idempotency-Key": f"key-{next(_keys)}"}
        return await api.request(method, f"{API}{path}", headers=headers, **more)

    return send


async def test_a_programme_comes_from_its_file_or_is_refused_with_every_fault(
    call: Call, database: Database
):
    officer = await an_officer(database)
    content = shipped_programme("sichuan-2025").read_bytes()

    drafted = await call(officer, "POST", "/voucher-programmes/imports", content=content)
    refused = await call(
        officer, "POST", "/voucher-programmes/imports", content=b"code = 'x'\nyear = 1"
    )

    assert drafted.status_code == 201, drafted.text
    assert (drafted.json()["code"], drafted.json()["version"]) == ("sichuan-2025", 1)
    assert refused.status_code == 422
    assert {"name", "year", "layers"} <= {each["rule"] for each in refused.json()["reasons"]}


async def test_a_version_is_drafted_approved_listed_and_compared(
    call: Call, api: httpx.AsyncClient, database: Database
):
    granted = await a_grant(database)
    officer, second = await an_officer(database), await an_officer(database)
    address = f"/voucher-programmes/{granted.programme_id}/versions"
    version = {"starts_on": "2025-04-01", "reason": "Less money", "changes": CHANGES}

    drafted = await call(officer, "POST", address, json=version)
    assert (drafted.status_code, drafted.json()["version"]) == (201, 2)
    assert (await api.get(API + address)).json()["total"] == 0
    assert (await call(officer, "POST", f"{address}/2/approve")).status_code == 403
    assert (await call(second, "POST", f"{address}/2/approve")).json()["status"] == "approved"
    assert (await call(second, "POST", f"{address}/2/discard")).status_code == 409

    assert (await api.get(API + address)).json()["total"] == 1
    compared = await api.get(f"{API}{address}/compare", params={"first": 1, "second": 2})
    assert [each["term"] for each in compared.json()] == ["cap_per_order_fen"]


async def test_the_budget_of_a_layer_changes_by_a_version_that_is_public_once_approved(
    call: Call, api: httpx.AsyncClient, database: Database
):
    officer, second = await an_officer(database), await an_officer(database)
    programme_id = await a_programme(database)
    province, city = await the_layers(database, programme_id)
    address = f"/voucher-programmes/{programme_id}"
    version: dict[str, Any] = {"starts_on": "2025-04-01", "reason": "财政追加"}
    nothing = await call(officer, "POST", f"{address}/versions", json=version)
    assert nothing.status_code == 422
    assert nothing.json()["reasons"][0]["rule"] == "changes"
    version |= {
        "layers": [
            {"layer_id": province, "budget_fen": 120_000_000},
            {"layer_id": city, "ratio_basis_points": 2_000},
        ],
        "new_layers": [
            {
                "funder": "zone",
                "region_code": "320115",
                "ratio_basis_points": 1_000,
                "budget_fen": 5_000_000,
                "name": "江宁区",
            }
        ],
    }
    drafted = await call(officer, "POST", f"{address}/versions", json=version)
    assert drafted.status_code == 201
    assert (await api.get(f"{API}{address}/versions/2/layers")).status_code == 404
    assert (await call(second, "POST", f"{address}/versions/2/approve")).status_code == 200

    changed = (await api.get(f"{API}{address}/versions/2/layers")).json()
    assert [
        (each["is_new"], each["budget_before_fen"], each["budget_fen"])
        for each in reversed(changed["results"])
    ] == [(False, 100_000_000, 120_000_000), (False, None, None), (True, 0, 5_000_000)]
    seen = (await api.get(API + address)).json()["layers"]
    assert [(each["budget_fen"], each["starts_on"]) for each in seen] == [
        (120_000_000, None),
        (100_000_000, None),
        (5_000_000, "2025-04-01"),
    ]


async def test_a_change_is_tried_on_past_orders_and_read_as_a_table(
    call: Call, database: Database, monkeypatch: pytest.MonkeyPatch
):
    await orders_are_numbers(database)
    granted = await a_grant(database)
    await a_redemption(database, granted=granted, provider_id=await a_provider(database))
    officer = await an_officer(database)
    address = f"/voucher-programmes/{granted.programme_id}/dry-runs"

    asked = await call(officer, "POST", address, json={"changes": CHANGES})
    assert (asked.status_code, asked.json()["status"]) == (202, "waiting")
    assert await work_dry_runs(database) == 1
    run = f"/voucher-dry-runs/{asked.json()['id']}"

    found = (await call(officer, "GET", run)).json()
    assert (found["status"], found["done"], found["summary"]["after_fen"]) == ("done", 1, 20_000)
    listed = await call(officer, "GET", address, params={"status": "done"})
    assert listed.json()["total"] == 1
    rows = await call(officer, "GET", f"{run}/rows", params={"dimension": "service_kind"})
    assert [(row["before_fen"], row["after_fen"]) for row in rows.json()["results"]] == [
        (50_000, 20_000)
    ]
    file = await call(officer, "GET", f"{run}/file")
    assert file.text.splitlines()[1].endswith("-300")
    # However few rows are read at a time, the file holds all of them and its head once.
    monkeypatch.setattr(versions, "ROWS_AT_ONCE", 2)
    parted = await call(officer, "GET", f"{run}/file")
    assert parted.content == file.content
    assert parted.headers["Total-Rows"] == str(len(file.text.splitlines()) - 1)
    book = await call(officer, "GET", f"{run}/file", params={"format": "xlsx"})
    assert book.content.startswith(b"PK")
    monkeypatch.setattr(versions, "SHEET_MAX", 3)
    cut = await call(officer, "GET", f"{run}/file", params={"format": "xlsx"})
    [*_, note] = [row.cells async for batch in row_batches(cut.content) for row in batch]
    assert note[0].startswith("3 of 6 rows: a sheet holds no more. Ask for CSV")
    assert (await call(officer, "GET", "/voucher-dry-runs/999999")).status_code == 404
    wrong = await call(officer, "POST", address, content=json.dumps({"changes": {}}))
    assert wrong.status_code == 400
