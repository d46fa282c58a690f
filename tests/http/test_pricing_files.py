"""Cost sheets as files, and the public list of price notices, over HTTP."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import pytest_asyncio

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.kernel.time import SetClock, shanghai_instant
from marketplace.parties.roles import Role
from tests.builders.catalogue import an_instrument, an_xlsx
from tests.builders.parties import a_provider, an_actor, an_sme, bearer
from tests.builders.pricing import a_cost_sheet, a_price, a_price_list
from tests.http.refusals import nothing_changes

API = "/api/v1"
_keys = itertools.count()
ROWS: list[list[Any]] = [
    ["某大学 2025 年仪器成本核算"],
    ["仪器编号", "年度", "年机时", "人工费（元）", "折旧费（万元）", "项目", "备注"],
    ["A-1", 2025, 1400, 222_000, 10, "op:人工:操作员:hour:80", "x"],
    ["A-2", 2025, 1400.5, 0.1 + 0.2, None, None, None],
    ["A-9", 2025, 1400, 1, None, None, None],
]


class Sender:
    """A provider's manager who sends files, each under a new key."""

    def __init__(self, api: httpx.AsyncClient, services: Services, actor: Actor) -> None:
        self.api, self.services, self.actor = api, services, actor

    async def __call__(
        self, content: bytes, *, to: str = "cost-sheets", **params: Any
    ) -> httpx.Response:
        headers = bearer(self.services, self.actor) | {"Idempotency-Key": f"file-{next(_keys)}"}
        where = f"{API}/{to}/imports"
        return await self.api.post(where, params=params, content=content, headers=headers)

    async def file(self, of: str = "cost-sheets", **params: Any) -> httpx.Response:
        headers = bearer(self.services, self.actor)
        return await self.api.get(f"{API}/{of}/file", params=params, headers=headers)


@pytest_asyncio.fixture
async def manager(api: httpx.AsyncClient, services: Services, database: Database) -> Sender:
    sender = Sender(api, services, await an_actor(database, Role.PROVIDER_MANAGER))
    for number in ("A-1", "A-2"):
        provider_id = sender.actor.organisation_id
        await an_instrument(database, provider_id=provider_id, inner_id=number, funds="own")
    return sender


async def test_a_workbook_is_tried_filed_taken_out_and_sent_again(
    manager: Sender, database: Database
) -> None:
    book = an_xlsx(ROWS)

    async with nothing_changes(database, but=frozenset({"idempotency_key"})):
        dry = await manager(book, file_name="成本.xlsx", dry_run=True)
    filed = await manager(book, file_name="成本.xlsx")

    assert (200, 201) == (dry.status_code, filed.status_code), filed.text
    report = filed.json()
    assert dry.json() | {"dry_run": False} == report
    assert (3, 2, 0, 1) == tuple(
        report[name] for name in ("lines", "filed", "unchanged", "refused")
    )
    assert ["备注"] == report["ignored_columns"]
    assert [(5, "仪器编号", "A-9", "instrument-unknown")] == [
        (one["line"], one["column"], one["value"], one["rule"]) for one in report["errors"]
    ]

    for file_format in ("csv", "xlsx"):
        taken = await manager.file(format=file_format)
        assert 200 == taken.status_code, taken.text
        assert f"cost-sheets.{file_format}" in taken.headers["content-disposition"]
        again = await manager(taken.content)
        assert (2, 0, 2) == tuple(again.json()[name] for name in ("lines", "filed", "unchanged"))
    assert "A-2,2025,planned,1400.5,,,0.30,,," in (await manager.file(year=2025)).text
    assert 1 == len((await manager.file(year=2024)).text.splitlines())


async def test_files_that_cannot_be_read_are_refused_whole(
    manager: Sender, database: Database
) -> None:
    book = an_xlsx(ROWS)
    bad = {
        "empty": (b"", 400, "malformed"),
        "cut off": (book[:2_000], 400, "file-unreadable"),
        "an image": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, 400, "file-unreadable"),
        "a web page": (b"<!doctype html><title>Sign in</title>", 400, "file-header-missing"),
        "no hours": ("仪器编号,年度,人工费,折旧费\n".encode(), 400, "file-header-missing"),
        "twice": ("仪器编号,年度,机时,年份\n".encode(), 400, "file-header-missing"),
        "too many lines": (
            "仪器编号,年度,机时\n".encode() + b"A-1,2025,1\n" * 20_001,
            413,
            "file-too-long",
        ),
        "too large": (b"x" * 20_000_001, 413, ""),
    }
    async with nothing_changes(database):
        for why, (content, status, code) in bad.items():
            answer = await manager(content)
            assert status == answer.status_code, (why, answer.text[:300])
            assert answer.json()["type"].endswith(code), why
            if why not in ("too many lines", "too large"):
                answer = await manager(content, to="price-lists")
                assert status == answer.status_code, (why, answer.text[:300])


async def test_an_open_quote_spoils_its_line_and_no_other(manager: Sender) -> None:
    content = '仪器编号,年度,机时,人工费\nA-1,2025,1,"1\n2"\nA-2,2025,1,1\n'.encode()

    report = (await manager(content)).json()

    assert (2, 1, 1) == (report["lines"], report["filed"], report["refused"])
    assert [(2, "人工费", "amount")] == [
        (one["line"], one["column"], one["rule"]) for one in report["errors"]
    ]


async def test_a_workbook_of_prices_is_tried_filed_taken_out_and_sent_again(
    manager: Sender, database: Database
) -> None:
    await manager(an_xlsx(ROWS))
    book = an_xlsx(
        [
            ["仪器编号", "收费对象", "计价单位", "单价（元）", "每单位用时（分钟）", "阶梯价"],
            ["A-1", "中小企业", "小时", 230, None, "5:200"],
            ["A-1", "企业", "样品", 115, 30, None],
            ["A-2", "企业", "小时", 0.5, None, None],
        ]
    )

    async with nothing_changes(database, but=frozenset({"idempotency_key"})):
        dry = await manager(book, to="price-lists", dry_run=True)
    filed = await manager(book, to="price-lists")

    assert (200, 201) == (dry.status_code, filed.status_code), filed.text
    report = filed.json()
    assert dry.json() | {"dry_run": False} == report
    assert (3, 2, 1) == tuple(report[name] for name in ("lines", "filed", "refused"))
    assert [(4, "单价（元）", "0.50", "above-cost")] == [
        (one["line"], one["column"], one["value"], one["rule"]) for one in report["errors"]
    ]
    for file_format in ("csv", "xlsx"):
        taken = await manager.file("price-lists", format=file_format)
        assert 200 == taken.status_code, taken.text
        again = (await manager(taken.content, to="price-lists")).json()
        assert (2, 0, 2) == tuple(again[name] for name in ("lines", "filed", "unchanged"))


async def test_running_price_notices_are_public_with_their_objections(
    api: httpx.AsyncClient, services: Services, database: Database, clock: SetClock
) -> None:
    provider_id, other_id = await a_provider(database), await a_provider(database)
    filed = {}
    for number, (whose, category) in enumerate(
        [(provider_id, "010101"), (provider_id, "020101"), (other_id, "010102")]
    ):
        instrument_id = await an_instrument(
            database, provider_id=whose, category_code=category, inner_id=f"N-{number}"
        )
        await a_cost_sheet(database, instrument_id=instrument_id)
        filed[number] = await a_price_list(
            database, instrument_id=instrument_id, prices=[a_price()]
        )
    unlisted = await an_instrument(database, provider_id=provider_id, listed=False)
    await a_cost_sheet(database, instrument_id=unlisted)
    await a_price_list(database, instrument_id=unlisted)
    buyer = await an_actor(database, Role.BUYER, organisation_id=await an_sme(database))
    manager = await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=other_id)

    async def post(path: str, body: object, by: Actor) -> None:
        headers = bearer(services, by) | {"Idempotency-Key": f"notice-{next(_keys)}"}
        answer = await api.post(f"{API}{path}", json=body, headers=headers)
        assert answer.status_code < 300, answer.text

    await post(f"/price-lists/{filed[2].id}/objections", {"text": "偏高"}, buyer)
    await post(f"/price-lists/{filed[0].id}/objections", {"text": "偏高"}, manager)

    async def listed(**params: Any) -> list[tuple[int, int]]:
        answer = await api.get(f"{API}/price-notices", params=params)
        assert answer.status_code == 200, answer.text
        rows = answer.json()["results"]
        return [(row["price_list_id"], row["open_objections"]) for row in rows]

    every = [(filed[0].id, 1), (filed[1].id, 0), (filed[2].id, 1)]
    assert every == await listed()
    assert every[:2] == await listed(provider_id=provider_id)
    assert [every[0], every[2]] == await listed(category="0101")
    assert every[1:2] == await listed(page=2, page_size=1)
    first = (await api.get(f"{API}/price-notices")).json()
    assert 3 == first["total"]
    assert (1, "2025-03-10", "2025-03-11") == tuple(
        first["results"][0][name] for name in ("objections", "notice_ends_on", "in_force_from")
    )

    clock.set(shanghai_instant(filed[0].notice_ends_on, 23 * 60))
    assert every == await listed()
    clock.set(shanghai_instant(filed[0].in_force_from, 0))
    assert [] == await listed()
    for wrong in ({"category": "x"}, {"provider_id": 0}, {"page": 0}):
        assert 400 == (await api.get(f"{API}/price-notices", params=wrong)).status_code
