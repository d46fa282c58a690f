"""Pages and probes: what people and machines see who do not call the API."""

from __future__ import annotations

import io
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
import pytest_asyncio
import structlog
from pydantic import SecretStr
from sqlalchemy import text

from marketplace.app import application
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.kernel.observe import SECURITY_HEADERS, Observed, configure_logging
from marketplace.kernel.settings import Settings, settings
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.builders.catalogue import an_instrument
from tests.builders.owner import become_owner
from tests.builders.parties import (
    PASSWORD,
    a_person,
    an_actor,
    bearer,
)
from tests.conftest import MONDAY_MORNING, TOKEN_SECRET, with_database
from tests.http.routes import an_app_without_database


class Page(HTMLParser):
    """What of a page matters here."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.lang: str | None = None
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.said = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        if tag == "html":
            self.lang = found.get("lang")
        source = found.get("src") or (found.get("href") if tag == "link" else None)
        if source:
            self.loads.append(source)

    def handle_data(self, data: str) -> None:
        self.said += f" {data} "


APP, NOBODYS = an_app_without_database(Settings(token_secret=SecretStr(TOKEN_SECRET)))


@asynccontextmanager
async def a_client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """The application as the server runs it, with what surrounds it, over other services."""
    before, APP.state.services = APP.state.services, services
    transport = httpx.ASGITransport(
        app=Observed(APP),  # type: ignore[arg-type]
        raise_app_exceptions=False,
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://platform.test") as client:
        yield client
    APP.state.services = before


@pytest_asyncio.fixture
async def web(services):
    """Over a database of the test's own."""
    async with a_client(services) as client:
        yield client


@pytest_asyncio.fixture(scope="module")
async def empty(postgres, template, copies):
    """The services of an empty platform that nothing changes."""
    name = "empty_platform"
    await copies.copy(name, of=template)
    database = Database(with_database(postgres, name), clock=SetClock(MONDAY_MORNING))
    yield Services(database, NOBODYS.access_tokens, NOBODYS.refresh_tokens)
    await database.close()
    await copies.drop(name)


@pytest_asyncio.fixture
async def quiet(empty):
    """Over the empty platform."""
    async with a_client(empty) as client:
        yield client


# ── Headers ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/schema", 200),
        ("GET", "/schema/openapi.json", 200),
        ("GET", "/assets/icon.svg", 200),
        ("GET", "/health/live", 200),
        ("GET", "/metrics", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/assets/../pages.py", 404),
        ("GET", "/assets/pages.py", 404),
        ("GET", "/assets/%2e%2e%2fpages.py", 404),
        ("POST", "/", 405),
        ("DELETE", "/assets/icon.svg", 405),
        ("GET", "/api/v1/nowhere", 404),
        ("PATCH", "/api/v1/instruments", 405),
        ("GET", "/api/v1/me", 401),
        ("GET", "/api/v1/instruments?page=0", 400),
    ],
)
async def test_every_answer_has_the_security_headers(quiet, method, path, status):
    answer = await quiet.request(method, path)

    assert status == answer.status_code
    for name, value in SECURITY_HEADERS:
        assert value.decode() == answer.headers[name.decode()]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
    if status >= 400:
        assert "application/problem+json" == answer.headers["content-type"]
        assert answer.headers["x-request-id"] == answer.json()["request_id"]


@pytest.mark.parametrize("path", ["/", "/schema", "/assets/icon.svg", "/api/v1/instruments", "/no"])
async def test_head_answers_like_get_without_a_body(quiet, path):
    got, asked = await quiet.get(path), await quiet.head(path)

    assert (got.status_code, b"") == (asked.status_code, asked.content)
    assert got.headers["content-type"] == asked.headers["content-type"]
    assert len(got.content) == int(asked.headers["content-length"])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("trace-2025.03_01", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("short", False),
        ("with space inside", False),
        ("newline\tand tab", False),
        ('"><script>', False),
    ],
)
async def test_a_decent_request_id_is_kept_and_another_replaced(quiet, given, kept):
    answer = await quiet.get("/api/v1/me", headers={"X-Request-Id": given})

    assert (401, "/problems/unauthenticated") == (answer.status_code, answer.json()["type"])
    assert kept == (answer.headers["x-request-id"] == given)
    assert answer.headers["x-request-id"] == answer.json()["request_id"]


# ── The API's description ─────────────────────────────────────────────────────────────────────────


async def test_the_api_page_loads_its_own_assets_only(quiet):
    page = Page((await quiet.get("/schema")).text)
    sources = [source for source in page.loads if not source.startswith("data:")]
    answers = [await quiet.get(source) for source in sources]

    assert 5 == len(sources)
    assert all(source.startswith("/assets/") for source in sources)
    assert [200] * 5 == [answer.status_code for answer in answers]
    assert {"text/css", "text/javascript", "image/svg+xml"} == {
        answer.headers["content-type"].partition(";")[0] for answer in answers
    }


@pytest_asyncio.fixture(scope="module")
async def document() -> dict[str, Any]:
    """The OpenAPI document."""
    async with a_client(NOBODYS) as client:
        answer: dict[str, Any] = (await client.get("/schema/openapi.json")).json()
    return answer


def operations(found: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "post", "put", "patch", "delete"):
                yield method, path, operation


async def test_the_document_is_openapi_and_names_every_operation(document):
    found = document
    ids = [operation["operationId"] for _, _, operation in operations(found)]

    assert re.fullmatch(r"3\.1\.\d+", found["openapi"])
    assert {"openapi", "info", "paths", "components"} <= found.keys()
    assert len(ids) == len(set(ids)) > 80
    assert [] == [path for path in found["paths"] if not path.startswith("/api/v1/")]
    assert [] == [
        operation["operationId"]
        for _, _, operation in operations(found)
        if not (operation.get("summary") and operation.get("tags"))
    ]


async def test_every_reference_in_the_document_leads_somewhere(document):
    found = document
    dead = []
    for reference in set(re.findall(r'"\$ref": ?"#/([^"]+)"', json.dumps(found))):
        place: Any = found
        for step in reference.split("/"):
            place = place.get(step.replace("~1", "/").replace("~0", "~"), {})
        if not place:
            dead.append(reference)

    assert [] == dead


async def test_every_operation_documents_its_problems(document):
    for method, path, operation in operations(document):
        for status in ("4XX", "5XX"):
            problem = operation["responses"][status]["content"]["application/problem+json"]
            assert {"type", "title", "status"} <= problem["schema"]["properties"].keys(), (
                method,
                path,
            )


async def test_every_post_that_needs_a_key_documents_it(document):
    def keyed(operation: dict[str, Any]) -> bool:
        return any(
            each["name"].lower() == "idempotency-key" and each["required"]
            for each in operation.get("parameters", ())
        )

    found = list(operations(document))

    assert [] == [path for method, path, each in found if method != "post" and keyed(each)]
    unkeyed = {
        path.removeprefix("/api/v1")
        for method, path, operation in found
        if method == "post" and not keyed(operation)
    }
    assert {"/sign-in", "/sign-in/refresh", "/sign-out"} <= unkeyed
    assert len(unkeyed) < 15, unkeyed


async def test_what_needs_a_token_says_so(document):
    bare = {
        f"{method} {path}"
        for method, path, operation in operations(document)
        if not operation.get("security")
    }

    assert "post /api/v1/sign-in" in bare
    assert "get /api/v1/me" not in bare
    assert [] == [each for each in bare if each.startswith(("put", "patch", "delete"))]


# ── Probes ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_process_over_a_migrated_database_is_ready(quiet):
    answer = await quiet.get("/health/ready")

    # It was let in as the owner and gave up that right; `marketplace doctor` says what is better.
    ready = {"status": "ready", "checks": {"database": "ok"}, "database_role": "taken"}
    assert (200, ready) == (answer.status_code, answer.json())


async def test_over_a_database_of_another_release_it_is_not(web, database):
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("update alembic_version set version_num = '0001'"))
    answer = await web.get("/health/ready")

    assert (503, "not-ready") == (answer.status_code, answer.json()["status"])
    assert "at 0001, release needs" in answer.json()["checks"]["database"]


@pytest.mark.parametrize(
    "address", [None, "postgresql://nobody:secret@127.0.0.1:1/nothing"], ids=["dropped", "down"]
)
async def test_without_its_database_it_is_alive_and_not_ready(services, database_url, address):
    gone = Database(address or with_database(database_url, "never_was"))
    left = Services(gone, services.access_tokens, services.refresh_tokens)
    async with a_client(left) as client:
        live, ready, page = [
            await client.get(path) for path in ("/health/live", "/health/ready", "/")
        ]

    assert [200, 503, 503] == [live.status_code, ready.status_code, page.status_code]
    assert "secret" not in ready.text
    assert ("application/problem+json", "/problems/unavailable", "1") == (
        page.headers["content-type"],
        page.json()["type"],
        page.headers["retry-after"],
    )


async def test_requests_are_counted_by_the_routes_template(web, database):
    instrument_id = await an_instrument(database)

    async def counts() -> dict[str, float]:
        lines = (await web.get("/metrics")).text.splitlines()
        return {
            name: float(value)
            for name, _, value in (line.rpartition(" ") for line in lines)
            if name.startswith("marketplace_requests_total")
        }

    before = await counts()
    await web.get(f"/api/v1/instruments/{instrument_id}")
    await web.get("/api/v1/instruments/99999")
    await web.get("/nowhere/at/all")
    changed = {name: n - before.get(name, 0) for name, n in (await counts()).items()}
    route = 'route="/api/v1/instruments/{instrument_id}"'

    assert 1 == changed[f'marketplace_requests_total{{method="GET",{route},status="200"}}']
    assert 1 == changed[f'marketplace_requests_total{{method="GET",{route},status="404"}}']
    assert not [name for name in changed if "99999" in name or "nowhere" in name]


# ── Logs ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def logged(monkeypatch) -> Iterator[io.StringIO]:
    """Everything that is logged, as the JSON that machines get."""
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    configure_logging(log_format="json", level="DEBUG")
    yield log
    structlog.reset_defaults()


async def test_logs_are_json_and_hold_no_secret(web, services, database, logged):
    actor = await an_actor(database, Role.PROVIDER_MANAGER)
    await a_person(
        database,
        organisation_id=actor.organisation_id,
        roles=("technician",),
        email="one@example.com",
    )
    asked = {"email": "one@example.com", "password": PASSWORD}
    signed_in = await web.post("/api/v1/sign-in", json=asked)
    refresh = {"refresh_token": signed_in.json()["refresh_token"]}
    await web.post("/api/v1/sign-in/refresh", json=refresh)
    await web.post("/api/v1/sign-in", json=asked | {"password": "a wrong one of mine"})
    await web.post("/api/v1/sign-in", json=asked | {"pass": PASSWORD})
    await web.get(f"/?text={PASSWORD}")
    headers = bearer(services, actor)
    known = await web.get("/api/v1/me", headers=headers | {"X-Request-Id": "trace-0001"})
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    requests = [line for line in lines if line["event"] == "request"]

    assert 200 == signed_in.status_code == known.status_code
    assert 6 == len(requests)
    assert ("trace-0001", "/api/v1/me", 200, actor.person_id) == (
        requests[-1]["request_id"],
        requests[-1]["route"],
        requests[-1]["status"],
        requests[-1]["person_id"],
    )
    for secret in (
        PASSWORD,
        "a wrong one of mine",
        signed_in.json()["access_token"],
        refresh["refresh_token"],
        headers["Authorization"].split()[1],
    ):
        assert secret not in logged.getvalue()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_bug_is_logged_without_what_was_in_its_variables(monkeypatch, log_format):
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    configure_logging(log_format=log_format, level="INFO")

    def sign_in(password: str) -> float:
        return len(password) / 0

    try:
        sign_in(PASSWORD)
    except ZeroDivisionError:
        structlog.get_logger().exception("request.failed")
    finally:
        structlog.reset_defaults()

    assert "ZeroDivisionError" in log.getvalue()
    assert "in sign_in" in log.getvalue()
    assert PASSWORD not in log.getvalue()


async def test_the_application_of_the_server_is_built_from_the_environment(
    database_url, tmp_path, monkeypatch, logged
):
    for name, value in {
        "DATABASE_URL": database_url,
        "REDIS_URL": "",
        "MARKETPLACE_DATA_FOLDER": str(tmp_path),
        "MARKETPLACE_LOG_FORMAT": "json",
        "MARKETPLACE_TOKEN_SECRET": TOKEN_SECRET,
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    try:
        app: Any = application()
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://platform.test"
        ) as client:
            ready, missing, wrong = [
                await client.request(method, path)
                for method, path in (("GET", "/health/ready"), ("GET", "/no"), ("PUT", "/"))
            ]
        await app.app.state.services.database.close()
    finally:
        settings.cache_clear()

    assert [200, 404, 405] == [each.status_code for each in (ready, missing, wrong)]
    assert all("content-security-policy" in each.headers for each in (ready, missing, wrong))
