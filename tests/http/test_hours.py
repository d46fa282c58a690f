"""Booking rules, classes of user and hours over HTTP: set by the provider, read by everybody."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from marketplace.booking.queries import Purpose
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.parties.roles import Role
from tests.builders.booking import a_bookable_instrument, a_reservation, at_hours, clock_at
from tests.builders.parties import an_actor, bearer

pytestmark = pytest.mark.asyncio


class Desk:
    """The provider's manager at one instrument of theirs; `public` is anybody."""

    def __init__(
        self, api: httpx.AsyncClient, headers: dict[str, str], instrument_id: int, provider_id: int
    ) -> None:
        self.public, self.headers = api, headers
        self.instrument_id, self.provider_id = instrument_id, provider_id
        self.path = f"/api/v1/instruments/{instrument_id}"

    async def put(self, what: str, body: Any) -> httpx.Response:
        return await self.public.put(f"{self.path}/{what}", json=body, headers=self.headers)

    async def get(self, what: str, **params: Any) -> Any:
        answer = await self.public.get(f"{self.path}/{what}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def preview(self, body: Any, **params: Any) -> httpx.Response:
        return await self.public.post(
            f"{self.path}/hours-preview", json=body, params=params, headers=self.headers
        )


@pytest_asyncio.fixture
async def desk(
    api: httpx.AsyncClient, services: Services, database: Database
) -> AsyncIterator[Desk]:
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    provider_id = manager.organisation_id
    instrument_id = await a_bookable_instrument(database, provider_id=provider_id)
    yield Desk(api, bearer(services, manager), instrument_id, provider_id)


RULE = {
    "step_minutes": 15,
    "minimum_minutes": 30,
    "maximum_minutes": 600,
    "notice_minutes": 0,
    "horizon_days": 60,
}


async def test_the_whole_booking_rule_is_set_and_read(desk: Desk, database: Database):
    other = await a_bookable_instrument(database, provider_id=desk.provider_id, seats=2)
    rule = RULE | {
        "before_minutes": 5,
        "after_minutes": 10,
        "seats": 2,
        "needs_approval": True,
        "open_on_holidays": True,
        "makeup_days": "as_weekday",
        "calendar_id": other,
        "operation": "either",
        "qualification": "self_operated",
        "answer_minutes": 720,
        "outside_floor_minutes": 1200,
        "outside_floor_lapses_minutes": 1440,
    }

    put = await desk.put("booking-rule", rule)

    assert (put.status_code, put.json()) == (200, rule)
    assert await desk.get("booking-rule") == rule
    own = await desk.put("booking-rule", RULE | {"seats": 2, "calendar_id": desk.instrument_id})
    assert own.json()["reasons"][0]["rule"] == "calendar-itself"


async def test_a_calendar_with_reservations_is_not_left(desk: Desk, database: Database):
    other = await a_bookable_instrument(database, provider_id=desk.provider_id)
    await a_reservation(database, instrument_id=desk.instrument_id)

    refused = await desk.put("booking-rule", RULE | {"calendar_id": other})

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/calendar-in-use")
    assert refused.json()["standing"] == 1


async def test_classes_have_their_own_terms_and_hours_and_everybody_reads_them(desk: Desk):
    terms = {
        "user_class": "enterprise",
        "may_book": True,
        "notice_minutes": 2880,
        "horizon_days": None,
        "maximum_minutes": 120,
        "needs_approval": True,
    }
    hours = {"kind": "class", "user_class": "enterprise"}
    stretch = {"weekday": 2, "opens_minute": 780, "closes_minute": 1020}
    kept = {"weekday": 3, "opens_minute": 480, "closes_minute": 720, "lapses_minutes": 1440}

    put = await desk.put("class-terms", {"classes": [terms]})
    of_class = await desk.put("weekly-hours", hours | {"hours": [stretch]})
    priority = await desk.put("weekly-hours", {"kind": "priority", "hours": [kept]})

    assert (put.status_code, put.json()) == (200, {"classes": [terms]})
    assert of_class.status_code == priority.status_code == 200
    assert await desk.get("class-terms") == {"classes": [terms]}
    assert await desk.get("weekly-hours") == {
        "hours": [
            hours | stretch | {"lapses_minutes": None},
            {"kind": "priority", "user_class": None} | kept,
        ]
    }
    day = at_hours(2, 0, 24)
    window = {"from": day.starts_at.isoformat(), "until": day.ends_at.isoformat()}
    company = await desk.get("availability", **window)
    academic = await desk.get("availability", **window, user_class="academic")
    assert company["user_class"] == "enterprise"
    assert company["rule"]["maximum_minutes"] == 120
    assert [one["reason"] for one in company["busy"]] == ["other-class"] * 2
    assert company["busy"][0]["classes"] == ["own_unit", "academic"]
    assert len(academic["free"]) == 1


@pytest.mark.parametrize(
    ("what", "body", "status"),
    [
        ("class-terms", {"classes": [{"user_class": "academic", "horizon_days": 3000}]}, 422),
        ("class-terms", {"classes": [{"user_class": "friends"}]}, 400),
        ("class-terms", {"classes": [{"user_class": "academic", "maximum_minutes": 0}]}, 400),
        ("weekly-hours", {"kind": "class", "hours": []}, 422),
        ("weekly-hours", {"kind": "peak", "user_class": "academic", "hours": []}, 422),
        ("weekly-hours", {"kind": "tea", "hours": []}, 400),
        (
            "weekly-hours",
            {"kind": "peak", "hours": [{"weekday": 1, "opens_minute": 60, "closes_minute": 60}]},
            422,
        ),
        (
            "weekly-hours",
            {"kind": "peak", "hours": [{"weekday": 7, "opens_minute": 0, "closes_minute": 60}]},
            400,
        ),
        ("dated-hours", {"day": "2025-04-04", "hours": []}, 400),
        (
            "dated-hours",
            {"day": "1999-04-04", "hours": [{"opens_minute": 0, "closes_minute": 60}]},
            400,
        ),
        (
            "dated-hours",
            {"day": "2025-04-04", "hours": [{"opens_minute": 60, "closes_minute": 0}]},
            422,
        ),
        ("booking-rule", RULE | {"makeup_days": "never"}, 400),
        ("booking-rule", RULE | {"answer_minutes": 1}, 400),
        ("booking-rule", RULE | {"calendar_id": 2**53}, 400),
        ("booking-rule", RULE | {"calendar_id": 10**12}, 422),
    ],
)
async def test_what_cannot_be_set_is_refused_in_the_right_shape(
    desk: Desk, what: str, body: dict[str, Any], status: int
):
    answer = await desk.put(what, body)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if status == 422:
        assert answer.json()["reasons"]


async def test_a_day_gets_hours_of_its_own_and_loses_them(desk: Desk):
    body = {
        "day": "2025-04-04",
        "hours": [{"opens_minute": 540, "closes_minute": 720}],
        "note": "开放日",
    }

    put = await desk.put("dated-hours", body)
    listed = await desk.get("dated-hours", **{"from": "2025-04-01", "until": "2025-04-04"})
    before = await desk.get("dated-hours", until="2025-04-03")
    deleted = [
        await desk.public.delete(
            f"{desk.path}/dated-hours", params={"day": "2025-04-04"}, headers=desk.headers
        )
        for _ in range(2)
    ]

    assert put.json() == [
        {
            "day": "2025-04-04",
            "opens_minute": 540,
            "closes_minute": 720,
            "note": "开放日",
            "set_at": "2025-03-03T01:00:00Z",
        }
    ]
    assert (listed["results"], listed["total"]) == (put.json(), 1)
    assert before["total"] == 0
    assert [(one.status_code, one.json()) for one in deleted[:1]] == [(200, [])]
    assert deleted[1].json()["type"] == "/problems/dated-hours-not-found"
    far = await desk.public.get(f"{desk.path}/dated-hours", params={"from": "2999-01-01"})
    assert far.status_code == 400


async def test_a_preview_names_whom_a_change_would_hit_and_changes_nothing(
    desk: Desk, database: Database
):
    own = await a_reservation(database, instrument_id=desk.instrument_id, during=at_hours(2, 9, 11))
    company = await a_reservation(
        database,
        instrument_id=desk.instrument_id,
        during=at_hours(2, 14, 16),
        purpose=Purpose.EXTERNAL,
    )
    morning = {"opens_minute": 480, "closes_minute": 720}
    wednesday = {"weekday": 2, **morning}

    async def hit(body: dict[str, Any], **params: Any) -> list[int]:
        answer = await desk.preview(body, **params)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["results"]]

    closure = {
        "starts_at": clock_at(2, 10).isoformat(),
        "ends_at": clock_at(2, 15).isoformat(),
    }
    assert await hit({}) == []
    assert await hit({"opening_hours": []}) == [own.id, company.id]
    assert await hit({"opening_hours": [wednesday]}) == [company.id]
    assert await hit({"days": [{"day": "2025-03-05", "hours": [morning]}]}) == [company.id]
    assert await hit({"closure": closure}) == [own.id, company.id]
    assert await hit({"closure": closure}, page=2, page_size=1) == [company.id]
    assert (
        await hit({"weekly_hours": [{"kind": "class", "user_class": "own_unit", "hours": []}]})
        == []
    )
    assert (await desk.get("opening-hours"))["hours"] != [wednesday]
    empty = await desk.preview({"closure": closure | {"ends_at": closure["starts_at"]}})
    assert (empty.status_code, empty.json()["type"]) == (400, "/problems/window-refused")
