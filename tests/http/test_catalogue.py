"""The API of the catalogue as a client meets it."""

import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.kernel.settings import settings
from marketplace.parties.roles import Role
from tests.builders.catalogue import a_csv, a_line, an_instrument, an_xlsx, rows_of
from tests.builders.parties import an_actor, an_sme, bearer

API = "/api/v1"
Headers = Callable[..., dict[str, str]]
LINES = [a_line(innerId=f"A-{number}") for number in range(3)]

_keys = itertools.count()


@pytest.fixture
def as_(services: Services) -> Headers:
    """Headers with which an actor sends a new request."""

    def headers(actor: Actor, key: str = "") -> dict[str, str]:
        return bearer(services, actor) | {"Idempotency-Key": key or f"key-{next(_keys)}"}

    return headers


@pytest.fixture
async def manager(database: Database) -> Actor:
    """Somebody who publishes a provider's instruments."""
    return await an_actor(database, Role.PROVIDER_MANAGER)


def a_body(**changes: Any) -> dict[str, Any]:
    """A description as JSON."""
    return {
        "inner_id": "A-1",
        "cname": "激光共聚焦显微镜",
        "ename": "Confocal microscope",
        "category_code": "010801",
        "worth_fen": 320_000_000,
        "funds": "local",
        "customs_supervised": True,
        "kind": "general",
        "share_mode": "external",
        "condition": "normal",
        "accepted_on": "2025-02-28",
        "technical": "405/488/561/640 nm",
    } | changes


async def test_a_manager_registers_and_everybody_finds(
    api: httpx.AsyncClient, manager: Actor, as_: Headers
) -> None:
    made = await api.post(f"{API}/instruments", json=a_body(), headers=as_(manager))
    found = await api.get(f"{API}/instruments", params={"text": "CLSM"})
    shown = await api.get(f"{API}/instruments/{made.json()['id']}")

    assert made.status_code == 201, made.text
    assert made.json()["listing_due_on"] == "2025-04-14"
    assert made.json()["category"]["name"] == "显微镜及图象分析仪器"
    assert shown.json() == made.json()
    assert found.json()["total"] == 1
    assert found.json()["results"][0]["provider_name"]
    assert found.json()["facets"]["kind"] == [
        {"value": "general", "name": "通用", "name_en": "general", "count": 1}
    ]


async def test_the_same_post_twice_registers_once(
    api: httpx.AsyncClient, manager: Actor, as_: Headers
) -> None:
    headers = as_(manager)

    first = await api.post(f"{API}/instruments", json=a_body(), headers=headers)
    again = await api.post(f"{API}/instruments", json=a_body(), headers=headers)

    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    taken = await api.post(f"{API}/instruments", json=a_body(), headers=as_(manager))
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/inner-id-taken")


BAD_DESCRIPTIONS: list[tuple[int, dict[str, Any]]] = [
    (400, {"worth_fen": -1}),
    (400, {"worth_fen": "5"}),
    (400, {"kind": "通用"}),
    (400, {"category_code": "01080"}),
    (400, {"cname": "x" * 201}),
    (400, {"unknown": 1}),
    (400, {"further": {"a": 1}}),
    (400, {"accepted_on": "2025-02-30"}),
    (422, {"cname": "a\u0000b"}),
    (422, {"category_code": "019901"}),
    (422, {"share_mode": "none"}),
    (422, {"accepted_on": "2025-03-04"}),
    (422, {"technical": "=1+1"}),
    (422, {"further": {"colour": "red"}}),
]


async def test_a_bad_description_is_refused_with_its_reasons(
    api: httpx.AsyncClient, manager: Actor, as_: Headers
) -> None:
    for status, changes in BAD_DESCRIPTIONS:
        refused = await api.post(f"{API}/instruments", json=a_body(**changes), headers=as_(manager))
        assert refused.status_code == status, (changes, refused.text)
        assert refused.json()["reasons"]


async def test_an_instrument_is_described_anew_opened_closed_and_withdrawn(
    api: httpx.AsyncClient, manager: Actor, as_: Headers
) -> None:
    made = await api.post(f"{API}/instruments", json=a_body(listed=False), headers=as_(manager))
    one = f"{API}/instruments/{made.json()['id']}"
    week = {"hours": [{"weekday": 0, "opens_minute": 480, "closes_minute": 1080}]}
    closure = {
        "starts_at": "2025-03-10T08:00:00+08:00",
        "ends_at": "2025-03-10T12:00:00+08:00",
        "reason": "检修",
    }

    assert (await api.get(one)).status_code == 404
    assert (await api.get(one, headers=as_(manager))).json()["status"] == "unlisted"
    listed = await api.post(f"{one}/list", headers=as_(manager))
    assert (listed.status_code, listed.json()["status"]) == (201, "listed")
    changed = await api.put(one, json=a_body(phone="110"), headers=as_(manager))
    assert (changed.status_code, changed.json()["phone"]) == (200, "110")
    stored = await api.put(f"{one}/opening-hours", json=week, headers=as_(manager))
    assert (stored.status_code, stored.json()) == (200, week)
    assert (await api.get(f"{one}/opening-hours")).json() == week
    closed = await api.post(f"{one}/closures", json=closure, headers=as_(manager))
    assert closed.json()["starts_at"] == "2025-03-10T00:00:00Z"
    kept = await api.post(f"{one}/withdraw", json={"reason": "停用"}, headers=as_(manager))
    assert (kept.status_code, kept.json()["type"]) == (422, "/problems/must-stay-open")
    gone = await api.post(
        f"{one}/withdraw", json={"reason": "报废", "disposed": True}, headers=as_(manager)
    )
    assert (gone.status_code, gone.json()["status"]) == (201, "disposed")
    own = await api.get(f"{API}/instruments/own", headers=as_(manager))
    assert [found["status"] for found in own.json()["results"]] == ["disposed"]


async def test_a_week_that_does_not_fit_is_refused(
    api: httpx.AsyncClient, database: Database, manager: Actor, as_: Headers
) -> None:
    one = await an_instrument(database, provider_id=manager.organisation_id)
    empty = [{"weekday": 0, "opens_minute": 600, "closes_minute": 600}]
    twice = [{"weekday": 0, "opens_minute": 0, "closes_minute": 60}] * 2

    for hours in (empty, twice):
        refused = await api.put(
            f"{API}/instruments/{one}/opening-hours", json={"hours": hours}, headers=as_(manager)
        )
        assert refused.status_code == 422
        assert refused.json()["type"] == "/problems/opening-hours-refused"


async def test_what_belongs_to_another_provider_does_not_exist(
    api: httpx.AsyncClient, database: Database, manager: Actor, as_: Headers
) -> None:
    one = f"{API}/instruments/{await an_instrument(database)}"
    closure = {"starts_at": "2025-03-10T08:00:00Z", "ends_at": "2025-03-10T09:00:00Z"}

    answers = [
        await api.put(one, json=a_body(), headers=as_(manager)),
        await api.put(f"{one}/opening-hours", json={"hours": []}, headers=as_(manager)),
        await api.post(f"{one}/closures", json=closure | {"reason": "x"}, headers=as_(manager)),
        await api.post(f"{one}/withdraw", json={"reason": "x"}, headers=as_(manager)),
        await api.post(f"{one}/list", headers=as_(manager)),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["type"] for answer in answers} == {"/problems/instrument-not-found"}


async def test_a_closure_ends_after_it_starts(
    api: httpx.AsyncClient, database: Database, manager: Actor, as_: Headers
) -> None:
    one = await an_instrument(database, provider_id=manager.organisation_id)
    empty = {
        "starts_at": "2025-03-10T08:00:00Z",
        "ends_at": "2025-03-10T08:00:00Z",
        "reason": "检修",
    }

    refused = await api.post(f"{API}/instruments/{one}/closures", json=empty, headers=as_(manager))

    assert (refused.status_code, refused.json()["field"]) == (400, "ends_at")


async def test_a_malformed_search_is_400(api: httpx.AsyncClient) -> None:
    for name, value in {
        "category": "01a",
        "region": "1234567",
        "kind": "both",
        "page": 0,
        "page_size": 201,
        "worth_fen_min": -1,
        "text": "x" * 201,
        "provider_id": 2**63,
    }.items():
        found = await api.get(f"{API}/instruments", params={name: str(value)})
        assert found.status_code == 400, (name, found.text)


async def test_no_search_text_breaks_the_search(api: httpx.AsyncClient) -> None:
    for text in ("'", "\\", "a:*", "!", "\x00", "%_", "<->", "\ufeff质", "''''", "\ud7ff", "()"):
        found = await api.get(f"{API}/instruments", params={"text": text})
        assert found.status_code == 200, (text, found.text)


async def send(
    api: httpx.AsyncClient, content: bytes, headers: dict[str, str], **asked: Any
) -> httpx.Response:
    return await api.post(
        f"{API}/instruments/imports", content=content, headers=headers, params=asked
    )


async def test_a_file_is_sent_as_the_body_first_dry_then_for_good(
    api: httpx.AsyncClient, manager: Actor, as_: Headers
) -> None:
    content = a_csv([*LINES, a_line(worth="x")], encoding="gb18030")

    dry = await send(api, content, as_(manager), file_name="仪器.csv", dry_run="true")
    landed = await send(api, content, as_(manager), file_name="仪器.csv")
    again = await send(api, content, as_(manager), file_name="仪器.csv")

    assert (dry.status_code, dry.json()["batch_id"], dry.json()["added"]) == (200, None, 3)
    assert landed.status_code == 201, landed.text
    report = landed.json()
    assert (report["lines"], report["added"], report["refused"]) == (4, 3, 1)
    assert report["errors"][0] == {
        "line": 5,
        "column": "原值",
        "value": "x",
        "rule": "amount",
        "message": "不是有效的金额：应为数字，最多精确到分",
        "message_en": "not an amount: digits, at most to the fen",
    }
    assert (again.json()["added"], again.json()["unchanged"]) == (0, 3)
    batches = await api.get(f"{API}/instruments/imports", headers=as_(manager))
    assert [batch["added"] for batch in batches.json()["results"]] == [0, 3]
    one = await api.get(f"{API}/instruments/imports/{report['batch_id']}", headers=as_(manager))
    assert one.json()["errors"] == report["errors"]


async def test_a_file_is_sent_as_a_form(
    api: httpx.AsyncClient, manager: Actor, as_: Headers
) -> None:
    files = {"file": ("清单.xlsx", an_xlsx(rows_of(LINES)), "application/octet-stream")}

    landed = await api.post(f"{API}/instruments/imports", files=files, headers=as_(manager))

    assert landed.status_code == 201, landed.text
    assert (landed.json()["file_name"], landed.json()["added"]) == ("清单.xlsx", 3)


async def test_a_retried_upload_lands_once_and_gets_the_same_answer(
    api: httpx.AsyncClient, manager: Actor, as_: Headers
) -> None:
    headers = as_(manager, "import-1")

    first = await send(api, a_csv(LINES), headers)
    again = await send(api, a_csv(LINES), headers)
    other = await send(api, a_csv(LINES[:1]), headers)

    assert first.json() == again.json()
    assert other.status_code == 422


BAD_FILES = [
    b"",
    b"\x00" * 1000,
    bytes(range(256)) * 50,
    "编号,名称\n1,电镜\n".encode("gbk"),
    an_xlsx(rows_of(LINES))[:700],
    b"PK\x03\x04",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b'"' * 10_001,
    b"," * 100_000,
]


async def test_a_bad_file_is_400(api: httpx.AsyncClient, manager: Actor, as_: Headers) -> None:
    for content in BAD_FILES:
        refused = await send(api, content, as_(manager))
        assert refused.status_code == 400, (content[:20], refused.text)
        assert refused.headers["content-type"] == "application/problem+json"


A_PART = b'--x\r\nContent-Disposition: form-data; name="f"'
BAD_FORMS = [
    ("multipart/form-data", b"no boundary"),
    ("multipart/form-data; boundary=x", b"no parts"),
    ("multipart/form-data; boundary=x", A_PART),
    ("multipart/form-data; boundary=x", A_PART + b"\r\n\r\n1\r\n--x--\r\n"),
    (
        "multipart/form-data; boundary=x",
        (A_PART + b'; filename="f"\r\n\r\na\r\n') * 2 + b"--x--\r\n",
    ),
]


async def test_a_bad_form_is_400(api: httpx.AsyncClient, manager: Actor, as_: Headers) -> None:
    for content_type, body in BAD_FORMS:
        refused = await send(api, body, as_(manager) | {"Content-Type": content_type})
        assert refused.status_code == 400, (body, refused.text)


async def test_a_file_that_is_too_large_is_413(
    api: httpx.AsyncClient, manager: Actor, as_: Headers
) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(settings().upload_bytes_max // 1_000_000 + 1):
            yield b"x" * 1_000_000

    told = as_(manager) | {"Content-Length": str(settings().upload_bytes_max + 1)}
    at_once = await send(api, b"x", told)
    streamed = await api.post(f"{API}/instruments/imports", content=stream(), headers=as_(manager))

    assert (at_once.status_code, streamed.status_code) == (413, 413)


async def test_only_managers_import(
    api: httpx.AsyncClient, database: Database, as_: Headers
) -> None:
    buyer = await an_actor(database, Role.BUYER, organisation_id=await an_sme(database))
    technician = await an_actor(database, Role.TECHNICIAN)

    assert (await send(api, a_csv(LINES), as_(buyer))).status_code == 403
    assert (await send(api, a_csv(LINES), as_(technician))).status_code == 403
    assert (await send(api, a_csv(LINES), {})).status_code == 401


async def test_an_import_of_another_provider_does_not_exist(
    api: httpx.AsyncClient, database: Database, manager: Actor, as_: Headers
) -> None:
    landed = await send(api, a_csv(LINES), as_(manager))
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    officer = await an_actor(database, Role.ADMINISTRATOR)
    one = f"{API}/instruments/imports/{landed.json()['batch_id']}"

    assert (await api.get(one, headers=as_(stranger))).status_code == 404
    assert (await api.get(one, headers=as_(officer))).status_code == 200
    others = await api.get(f"{API}/instruments/imports", headers=as_(stranger))
    assert others.json()["total"] == 0


async def test_an_export_can_be_imported_again(
    api: httpx.AsyncClient, manager: Actor, as_: Headers
) -> None:
    await send(api, a_csv(LINES), as_(manager))

    exported = await api.get(f"{API}/instruments/export", headers=as_(manager))
    again = await send(api, exported.content, as_(manager))

    assert exported.headers["content-type"].startswith("text/csv")
    assert (again.json()["lines"], again.json()["unchanged"]) == (3, 3)


async def test_late_listings_are_seen_by_their_provider_and_the_regulator(
    api: httpx.AsyncClient, database: Database, manager: Actor, as_: Headers
) -> None:
    late = a_body(accepted_on="2024-06-03")
    await api.post(f"{API}/instruments", json=late, headers=as_(manager))
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    regulator = await an_actor(database, Role.REGULATOR)

    for actor, seen in ((manager, 1), (regulator, 1), (stranger, 0)):
        found = await api.get(f"{API}/instruments/late", headers=as_(actor))
        assert [one["listed_late"] for one in found.json()] == [True] * seen


async def test_every_middle_class_is_published(api: httpx.AsyncClient) -> None:
    found = await api.get(f"{API}/instrument-categories")

    assert len(found.json()) > 70
    assert {"code": "0102", "name": "质谱仪器", "name_en": "Mass spectrometers"} in found.json()
