"""Whatever is sent: a 4xx in the one shape, with every reason, and not a row has changed."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import pytest
import pytest_asyncio

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.kernel.settings import Settings
from marketplace.kernel.tokens import AccessTokens
from marketplace.parties.roles import Role
from tests.builders.booking import a_bookable_instrument
from tests.builders.parties import PASSWORD, a_person, a_uscc, an_actor, bearer
from tests.conftest import TOKEN_SECRET
from tests.http.refusals import SIGN_IN_BOOKKEEPING, nothing_changes, refused

API = "/api/v1"
_keys = itertools.count()


@dataclass(frozen=True)
class Desk:
    """Somebody with a provider's, a buyer's and the centre's roles, to get past every guard."""

    api: httpx.AsyncClient
    database: Database
    services: Services
    actor: Actor
    instrument_id: int

    async def send(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **what: Any
    ) -> httpx.Response:
        """Send as this somebody, under a new key."""
        own = bearer(self.services, self.actor) | {"Idempotency-Key": f"key-{next(_keys)}"}
        return await self.api.request(method, f"{API}{path}", headers=own | (headers or {}), **what)

    def a_reservation(self, **changes: Any) -> dict[str, Any]:
        """A body with which one is placed."""
        return {
            "instrument_id": self.instrument_id,
            "starts_at": "2025-03-05T09:00:00+08:00",
            "ends_at": "2025-03-05T11:00:00+08:00",
            "purpose": "own_research",
        } | changes


@pytest_asyncio.fixture
async def desk(
    api: httpx.AsyncClient, services: Services, database: Database
) -> AsyncIterator[Desk]:
    actor = await an_actor(database, Role.PROVIDER_MANAGER, Role.TECHNICIAN)
    everything = Actor(
        actor.person_id, actor.organisation_id, actor.organisation_kind, frozenset(map(str, Role))
    )
    instrument_id = await a_bookable_instrument(database, provider_id=actor.organisation_id)
    yield Desk(api, database, services, everything, instrument_id)


def an_instrument(**changes: Any) -> dict[str, Any]:
    return {
        "inner_id": "A-1",
        "cname": "激光共聚焦显微镜",
        "category_code": "010801",
        "worth_fen": 320_000_000,
        "funds": "local",
        "kind": "general",
        "share_mode": "external",
        "condition": "normal",
        "customs_supervised": False,
    } | changes


def a_legal_entity(uscc: str, **changes: Any) -> dict[str, Any]:
    return {
        "uscc": uscc,
        "name": "南京某某有限公司",
        "region_code": "320100",
        "kind": "company",
        "capital": "social",
    } | changes


async def test_the_same_requests_without_a_mistake_are_taken(desk: Desk) -> None:
    """The control: without it, a platform that refuses everything would pass every test below."""
    for path, body in (
        ("/reservations", desk.a_reservation()),
        ("/instruments", an_instrument()),
        ("/legal-entities", a_legal_entity(a_uscc())),
    ):
        answer = await desk.send("POST", path, json=body)
        assert answer.status_code == 201, answer.text


NOT_OBJECTS = {
    "nothing": b"",
    "half an object": b'{"instrument_id": 1',
    "a comma too many": b'{"instrument_id": 1,}',
    "single quotes": b"{'instrument_id': 1}",
    "null": b"null",
    "a list": b"[]",
    "a text": b'"x"',
    "no number": b'{"instrument_id": NaN}',
    "two objects": b"{}{}",
    "UTF-16": '{"instrument_id": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"instrument_id": 1}',
    "bytes that are no text": b'{"instrument_id": "\xff\xfe"}',
    "a raw control character": b'{"purpose": "a\x01b"}',
    "a form": b"instrument_id=1",
    "deep nesting": b"[" * 400_000,
    "deep nesting that ends": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
}


async def test_what_is_no_object_of_json_is_malformed(desk: Desk) -> None:
    async with nothing_changes(desk.database):
        for why, content in NOT_OBJECTS.items():
            for method, path in (
                ("POST", "/reservations"),
                ("POST", "/instruments"),
                ("PUT", f"/instruments/{desk.instrument_id}/opening-hours"),
                ("POST", "/sign-in"),
            ):
                answer = await desk.send(method, path, content=content)
                assert refused(answer, 400, "malformed")["reasons"], why


SURROGATE = "\\ud800"
DEEP = b"[" * 200_000 + b"]" * 200_000
RAW_VALUES = {
    "a lone surrogate": f'"{SURROGATE}"'.encode(),
    "surrogates the wrong way round": b'"\\udc00\\ud800"',
    "an escape that is none": b'"\\x41"',
    "a nested list": DEEP,
    "a number of a thousand digits": b"9" * 1000,
    "a number beyond floats": b"1e999",
}


async def test_values_that_no_text_and_no_number_can_hold_are_malformed(desk: Desk) -> None:
    fields = ("cname", "technical", "worth_fen", "listed", "accepted_on", "further")
    async with nothing_changes(desk.database):
        for why, raw in RAW_VALUES.items():
            for field in fields:
                whole = json.dumps(an_instrument() | {field: "THERE"}).encode()
                content = whole.replace(b'"THERE"', raw)
                answer = await desk.send("POST", "/instruments", content=content)
                assert refused(answer, 400, "malformed")["reasons"], (why, field)
            content = b'{"inner_id": "A-2", "further": {"a": %b, %b: 1}}' % (raw, raw)
            answer = await desk.send("POST", "/instruments", content=content)
            refused(answer, 400, "malformed")


OUT_OF_RANGE: tuple[dict[str, Any], ...] = (
    {"worth_fen": -1},
    {"worth_fen": 10**16},
    {"worth_fen": 2**63},
    {"worth_fen": 2**64},
    {"worth_fen": -(2**63) - 1},
    {"worth_fen": 1.5},
    {"worth_fen": "5"},
    {"worth_fen": True},
    {"worth_fen": None},
    {"worth_fen": [1]},
    {"inner_id": ""},
    {"inner_id": 7},
    {"cname": "很" * 201},
    {"kind": "通用"},
    {"category_code": "01080"},
    {"accepted_on": "2025-02-30"},
    {"accepted_on": "0000-01-01"},
    {"accepted_on": 20250228},
    {"listed": "yes"},
    {"further": {"a": 1}},
    {"further": {f"a{number}": "b" for number in range(1000)}},
    {"unknown": 1},
    {"cname\x00": "x"},
)


async def test_a_value_of_a_wrong_type_or_out_of_range_is_malformed(desk: Desk) -> None:
    async with nothing_changes(desk.database):
        for changes in OUT_OF_RANGE:
            answer = await desk.send("POST", "/instruments", json=an_instrument(**changes))
            problem = refused(answer, 400, "malformed")
            assert [reason["rule"] for reason in problem["reasons"]] == list(changes), changes


@pytest.mark.parametrize("sign", ["\x00", "\x01", "\x08", "\x1b", "\x1f"])
async def test_control_characters_land_nowhere(desk: Desk, sign: str) -> None:
    bad = f"a{sign}b"
    async with nothing_changes(desk.database):
        for path, body in (
            ("/instruments", an_instrument(cname=bad)),
            ("/instruments", an_instrument(technical=bad)),
            ("/reservations", desk.a_reservation(override_reason=bad)),
            ("/legal-entities", a_legal_entity(a_uscc(), name=bad)),
            ("/legal-entities", a_legal_entity(bad)),
        ):
            answer = await desk.send("POST", path, json=body)
            assert answer.status_code in (400, 422), (path, body)
            refused(answer, answer.status_code)


async def test_every_field_that_is_wrong_is_named_at_once(desk: Desk) -> None:
    body = an_instrument(worth_fen=-1, kind="x", unknown=1, inner_id="") | {"further": [1]}
    del body["cname"]

    async with nothing_changes(desk.database):
        problem = refused(await desk.send("POST", "/instruments", json=body), 400, "malformed")

    assert {reason["rule"] for reason in problem["reasons"]} == {
        *("worth_fen", "kind", "unknown", "inner_id", "further", "cname")
    }
    assert all(reason["message"] for reason in problem["reasons"])


GOOD_CODE = a_uscc(12345)
WRONG_CODES = {
    "19 characters": GOOD_CODE + "0",
    "17 characters": GOOD_CODE[:-1],
    "a wrong check digit": GOOD_CODE[:-1] + ("1" if GOOD_CODE[-1] == "0" else "0"),
    "two digits changed places": GOOD_CODE[:15] + GOOD_CODE[16] + GOOD_CODE[15] + GOOD_CODE[17],
    "a letter that no code has": GOOD_CODE[:10] + "I" + GOOD_CODE[11:],
    "a NUL": GOOD_CODE[:17] + "\x00",
}


async def test_a_credit_code_that_cannot_be_one_is_refused(desk: Desk) -> None:
    async with nothing_changes(desk.database):
        for why, code in WRONG_CODES.items():
            answer = await desk.send("POST", "/legal-entities", json=a_legal_entity(code))
            assert refused(answer, 422, "uscc-invalid")["detail"], why


WINDOWS: dict[str, tuple[str, str, int, str]] = {
    "ends first": ("2025-03-05T11:00:00Z", "2025-03-05T09:00:00Z", 400, "window-refused"),
    "no time at all": ("2025-03-05T09:00:00Z", "2025-03-05T09:00:00Z", 400, "window-refused"),
    "without a zone": ("2025-03-05T09:00:00", "2025-03-05T11:00:00", 400, ""),
    "the year 9999": ("9999-12-31T22:00:00Z", "9999-12-31T23:59:59Z", 400, "window-refused"),
    "9999, west of here": ("9999-12-31T23:00:00-12:00", "9999-12-31T23:59:00-12:00", 400, ""),
    "the year 1": ("0001-01-01T00:00:00+14:00", "0001-01-02T00:00:00Z", 400, "window-refused"),
    "the year 10000": ("10000-01-01T00:00:00Z", "10000-01-02T00:00:00Z", 400, "malformed"),
    "no days": ("2025-02-30T09:00:00Z", "2025-02-30T11:00:00Z", 400, "malformed"),
    "words": ("tomorrow", "later", 400, "malformed"),
    "a leap second": ("2025-03-05T23:59:60Z", "2025-03-06T01:00:00Z", 400, "malformed"),
}
CENTURY = ("2025-03-05T09:00:00Z", "2100-03-05T09:00:00Z")


async def test_a_time_that_cannot_be_meant_is_refused_everywhere(desk: Desk) -> None:
    instrument = f"/instruments/{desk.instrument_id}"
    async with nothing_changes(desk.database):
        for why, (starts_at, ends_at, status, code) in WINDOWS.items():
            times = {"starts_at": starts_at, "ends_at": ends_at}
            reserved = await desk.send("POST", "/reservations", json=desk.a_reservation(**times))
            refused(reserved, status, code)
            looked = await desk.send(
                "GET", f"{instrument}/availability", params={"from": starts_at, "until": ends_at}
            )
            refused(looked, status)
            free = {"free_from": starts_at, "free_until": ends_at, "minutes": "60"}
            refused(await desk.send("GET", "/offers", params=free), 400)
            quoted = await desk.send(
                "POST",
                "/quotes",
                json={"instrument_id": desk.instrument_id, "mode": "machine_time"} | times,
            )
            assert quoted.status_code in (400, 409, 422), (why, quoted.text)
            refused(quoted, quoted.status_code)
            closed = await desk.send(
                "POST", f"{instrument}/closures", json=times | {"reason": "检修"}
            )
            assert closed.status_code in (400, 422), (why, closed.text)
            refused(closed, closed.status_code)


async def test_a_century_is_too_long_for_anything(desk: Desk) -> None:
    instrument = f"/instruments/{desk.instrument_id}"
    starts_at, ends_at = CENTURY
    times = {"starts_at": starts_at, "ends_at": ends_at}
    async with nothing_changes(desk.database):
        placed = await desk.send("POST", "/reservations", json=desk.a_reservation(**times))
        rules = {reason["rule"] for reason in refused(placed, 422)["reasons"]}
        assert "maximum" in rules
        window = {"from": starts_at, "until": ends_at}
        refused(
            await desk.send("GET", f"{instrument}/availability", params=window),
            400,
            "window-refused",
        )
        closure = times | {"reason": "检修"}
        refused(
            await desk.send("POST", f"{instrument}/closures", json=closure), 422, "closure-refused"
        )
        free = {"free_from": starts_at, "free_until": ends_at, "minutes": 60}
        refused(await desk.send("GET", "/offers", params=free), 400)


QUERIES = (
    "/instruments?page=0",
    "/instruments?page=-1",
    f"/instruments?page={10**30}",
    "/instruments?page=1.5",
    "/instruments?page=x",
    "/instruments?page_size=201",
    f"/instruments?text={'x' * 5_000}",
    "/instruments?kind=huge",
    f"/instruments/{2**53}",
    f"/instruments/{2**63}",
    f"/instruments/{10**40}",
    "/instruments/0",
    "/instruments/-1",
    "/legal-entities?region_code=32",
    "/legal-entities?text=%1b",
)


async def test_a_parameter_out_of_bounds_is_malformed_and_named(desk: Desk) -> None:
    async with nothing_changes(desk.database):
        for path in QUERIES:
            problem = refused(await desk.send("GET", path), 400, "malformed")
            assert problem["reasons"], path


async def test_bytes_that_are_no_text_do_no_harm_in_an_address(desk: Desk) -> None:
    for path in ("/instruments?text=%ff%fe", "/instruments?text=%ed%a0%80", "/instruments?%ff=1"):
        answer = await desk.send("GET", path)
        assert answer.status_code in (200, 400), answer.text


class Counted:
    """A body of many pieces that knows how many of them somebody took."""

    def __init__(self, pieces: int) -> None:
        self.pieces, self.taken = pieces, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self.pieces):
            self.taken += 1
            yield b" " * 65_536


async def test_a_body_that_says_it_is_too_large_is_refused_unread(
    desk: Desk, test_settings: Settings
) -> None:
    for path, length in (
        ("/reservations", test_settings.request_bytes_max + 1),
        ("/sign-in", 10**12),
        ("/bank-statements?account_number=3200000000000000001", 10**9),
        ("/instruments/imports", 10**9),
    ):
        body = Counted(1_000)
        async with nothing_changes(desk.database):
            answer = await desk.send(
                "POST", path, content=body, headers={"Content-Length": str(length)}
            )
        refused(answer, 413, "too-large")
        assert body.taken == 0, path


async def test_a_body_that_hides_its_length_is_read_to_the_limit_only(
    desk: Desk, test_settings: Settings
) -> None:
    body = Counted(1_000)
    async with nothing_changes(desk.database):
        answer = await desk.send("POST", "/reservations", content=body)

    refused(answer, 413, "too-large")
    assert body.taken <= test_settings.request_bytes_max // 65_536 + 2


async def test_an_address_a_method_or_a_media_type_that_is_not_there_says_so(desk: Desk) -> None:
    good = json.dumps(desk.a_reservation())
    async with nothing_changes(desk.database):
        for path in ("/nowhere", "/instruments/x", "/instruments/1/2/3", "/%00"):
            refused(await desk.send("GET", path), 404, "not-found")
        for method, path in (("DELETE", "/reservations"), ("PATCH", "/me"), ("PUT", "/quotes")):
            wrong = await desk.send(method, path, content=good)
            refused(wrong, 405, "method-not-allowed")
            assert {"GET", "POST"} & set(wrong.headers["allow"].split(", "))
        for media_type in (
            *("text/plain", "application/xml", "application/x-www-form-urlencoded"),
            *("multipart/form-data", "application/msgpack", "json", "application/json-patch+json"),
        ):
            answer = await desk.send(
                "POST", "/reservations", content=good, headers={"Content-Type": media_type}
            )
            refused(answer, 415, "media-type")


async def test_what_a_client_says_it_accepts_changes_no_answer(desk: Desk) -> None:
    """The API speaks JSON to everybody, as HTTP allows; a refusal keeps its one shape."""
    for accept in ("text/html", "application/xml", "image/png;q=1, */*;q=0", "nonsense", ""):
        found = await desk.send("GET", "/instruments", headers={"Accept": accept})
        assert found.headers["content-type"].startswith("application/json")
        wrong = await desk.send("POST", "/reservations", json={}, headers={"Accept": accept})
        refused(wrong, 400, "malformed")


BAD_KEYS = ("", "k" * 201, "a\x01b", "a\x7fb", "a\tb", "a\x00b", "a\x85b")


async def test_an_idempotency_key_is_needed_and_has_bounds(desk: Desk) -> None:
    body = desk.a_reservation()
    own = bearer(desk.services, desk.actor)
    async with nothing_changes(desk.database):
        for key in BAD_KEYS:
            sent = httpx.Headers(
                [
                    *((k.encode(), v.encode()) for k, v in own.items()),
                    (b"Idempotency-Key", key.encode("latin-1")),
                ]
            )
            answer = await desk.api.post(f"{API}/reservations", json=body, headers=sent)
            assert refused(answer, 400, "idempotency-key-missing")["limit"] == 200, repr(key)
        answer = await desk.api.post(f"{API}/reservations", json=body, headers=own)
        refused(answer, 400, "idempotency-key-missing")

    longest = await desk.send(
        "POST", "/reservations", json=body, headers={"Idempotency-Key": "k" * 200}
    )
    assert longest.status_code == 201


async def test_a_key_used_for_another_request_is_refused(desk: Desk) -> None:
    key = {"Idempotency-Key": "the-same"}
    first = await desk.send("POST", "/reservations", json=desk.a_reservation(), headers=key)
    assert first.status_code == 201
    later = desk.a_reservation(
        starts_at="2025-03-06T09:00:00+08:00", ends_at="2025-03-06T11:00:00+08:00"
    )

    async with nothing_changes(desk.database):
        other_body = await desk.send("POST", "/reservations", json=later, headers=key)
        other_path = await desk.send("POST", "/instruments", json=an_instrument(), headers=key)
        again = await desk.send("POST", "/reservations", json=desk.a_reservation(), headers=key)

    refused(other_body, 422, "idempotency-key-reused")
    refused(other_path, 422, "idempotency-key-reused")
    assert (again.status_code, again.json()) == (201, first.json())


def bad_tokens(actor: Actor) -> dict[str, str]:
    good = AccessTokens(TOKEN_SECRET, minutes=10).issue(actor)
    claims = jwt.decode(good, options={"verify_signature": False})
    head, middle, signature = good.split(".")
    return {
        "expired": AccessTokens(TOKEN_SECRET, minutes=-1).issue(actor),
        "another key": AccessTokens(TOKEN_SECRET[::-1], minutes=10).issue(actor),
        "alg none": jwt.encode(claims, "", algorithm="none"),
        "another algorithm": jwt.encode(claims, TOKEN_SECRET * 2, algorithm="HS512"),
        "no signature": f"{head}.{middle}.",
        "another's signature": f"{head}.{middle}.{signature[::-1]}",
        "a sub that is no number": jwt.encode(
            claims | {"sub": "one"}, TOKEN_SECRET, algorithm="HS256"
        ),
        "without roles": jwt.encode(
            {key: value for key, value in claims.items() if key != "roles"},
            TOKEN_SECRET,
            algorithm="HS256",
        ),
        "roles that are no list": jwt.encode(
            claims | {"roles": 7}, TOKEN_SECRET, algorithm="HS256"
        ),
        "nonsense": "a.b.c",
        "very long": "x" * 60_000,
    }


async def test_a_token_that_is_not_good_opens_nothing(desk: Desk) -> None:
    async with nothing_changes(desk.database):
        for why, token in bad_tokens(desk.actor).items():
            answer = await desk.send(
                "POST",
                "/reservations",
                json=desk.a_reservation(),
                headers={"Authorization": f"Bearer {token}"},
            )
            assert refused(answer, 401, "token-refused")["detail"], why
            assert answer.headers["www-authenticate"] == "Bearer"
        for scheme in ("", "Basic YTpi", "Bearer", "Bearer "):
            answer = await desk.send("GET", "/me", headers={"Authorization": scheme})
            refused(answer, 401, "unauthenticated")


async def test_a_refresh_token_that_comes_twice_ends_its_whole_family(desk: Desk) -> None:
    organisation_id = desk.actor.organisation_id
    email = "zhao@lab.cn"
    await a_person(
        desk.database, email=email, organisation_id=organisation_id, roles=(Role.TECHNICIAN,)
    )

    async def sign_in() -> str:
        answer = await desk.api.post(f"{API}/sign-in", json={"email": email, "password": PASSWORD})
        token: str = answer.raise_for_status().json()["refresh_token"]
        return token

    async def refresh(token: str) -> httpx.Response:
        return await desk.api.post(f"{API}/sign-in/refresh", json={"refresh_token": token})

    first, elsewhere = await sign_in(), await sign_in()
    second = (await refresh(first)).json()["refresh_token"]
    third = (await refresh(second)).json()["refresh_token"]

    async with nothing_changes(desk.database, but=SIGN_IN_BOOKKEEPING):
        refused(await refresh(first), 401, "refresh-token-reused")
        for dead in (first, second, third):
            refused(await refresh(dead), 401, "token-refused")
        for nonsense in (".", "a.b", third[:-1], third.partition(".")[0], "令.牌", "x" * 200):
            refused(await refresh(nonsense), 401, "token-refused")
        refused(await refresh(""), 400, "malformed")
        refused(await refresh("x" * 201), 400, "malformed")

    assert (await refresh(elsewhere)).status_code == 200
