"""Holding, moving, walking up, answering, groups and series over HTTP."""

from itertools import count
from typing import Any

import httpx
import pytest

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import a_bookable_instrument, a_reservation, at_hours, clock_at
from tests.builders.parties import an_actor, bearer

pytestmark = pytest.mark.asyncio

_keys = count()


class Caller:
    """Somebody with a token and a new idempotency key for each POST."""

    def __init__(self, api: httpx.AsyncClient, services: Services, actor: Actor) -> None:
        self.api, self.actor = api, actor
        self.headers = bearer(services, actor)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        headers = self.headers | {"Idempotency-Key": f"reserving-{next(_keys)}"}
        return await self.api.post(f"/api/v1{path}", json=body or {}, headers=headers)

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.api.get(f"/api/v1{path}", params=params, headers=self.headers)


@pytest.fixture
async def manager(api: httpx.AsyncClient, services: Services, database: Database) -> Caller:
    return Caller(api, services, await an_actor(database, Role.PROVIDER_MANAGER))


async def colleague_of(manager: Caller, services: Services, database: Database) -> Caller:
    actor = await an_actor(
        database, Role.PROVIDER_MANAGER, organisation_id=manager.actor.organisation_id
    )
    return Caller(manager.api, services, actor)


async def own_instrument(database: Database, manager: Caller, **terms: Any) -> int:
    return await a_bookable_instrument(database, provider_id=manager.actor.organisation_id, **terms)


def times(day: int, from_hour: float, until_hour: float) -> dict[str, str]:
    during = at_hours(day, from_hour, until_hour)
    return {
        "starts_at": during.starts_at.isoformat(),
        "ends_at": during.ends_at.isoformat(),
    }


async def test_time_is_held_moved_extended_shortened_and_taken(database: Database, manager: Caller):
    instrument_id = await own_instrument(database, manager)
    hold = {"instrument_id": instrument_id, "purpose": "teaching", "reason": "a course"}

    held = await manager.post("/holds", hold | times(2, 9, 11) | {"lapses_minutes": 120})
    path = f"/reservations/{held.json()['id']}"
    preview = await manager.get(f"{path}/move-preview", **times(3, 9, 11))
    moved = await manager.post(f"{path}/move", times(3, 9, 11) | {"expected_revision": 0})
    stale = await manager.post(f"{path}/move", times(4, 9, 11) | {"expected_revision": 0})
    end = times(3, 9, 12)["ends_at"]
    further = await manager.get(f"{path}/extension-preview", ends_at=end)
    extended = await manager.post(f"{path}/extend", {"ends_at": end})
    too_far = await manager.post(f"{path}/extend", {"ends_at": times(3, 9, 23)["ends_at"]})
    earlier = {"ends_at": times(3, 9, 10)["ends_at"]}
    shortened = await manager.post(f"{path}/shorten", earlier)
    taken = await manager.post(f"{path}/take-hold")
    again = await manager.post(f"{path}/release-hold", {"reason": "too late"})

    assert (held.status_code, held.json()["status"]) == (201, "held")
    assert held.json()["held_until"] == "2025-03-04T23:00:00Z"
    assert preview.json() | {"alternatives": []} == {
        "reservation_id": held.json()["id"],
        "revision": 0,
        "starts_at": "2025-03-06T01:00:00Z",
        "ends_at": "2025-03-06T03:00:00Z",
        "allowed": True,
        "status": "held",
        "fee_basis_points": 0,
        "fee_why": "The provider asks for it.",
        "reasons": [],
        "alternatives": [],
    }
    assert (moved.status_code, moved.json()["revision"]) == (200, 1)
    assert (stale.status_code, stale.json()["type"]) == (409, "/problems/reservation-changed")
    assert further.json()["allowed"]
    assert extended.json()["ends_at"] == "2025-03-06T04:00:00Z"
    assert (too_far.status_code, too_far.json()["type"]) == (
        422,
        "/problems/reservation-end-refused",
    )
    assert too_far.json()["possible_until"] == "2025-03-06T09:00:00Z"
    assert [reason["rule"] for reason in too_far.json()["reasons"]] == ["maximum"]
    assert shortened.json()["ends_at"] == "2025-03-06T02:00:00Z"
    assert (taken.json()["status"], taken.json()["held_until"]) == ("confirmed", None)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/reservation-state")
    bad = await manager.post("/holds", hold | times(2, 9, 11) | {"lapses_minutes": 10_000})
    assert (bad.status_code, bad.json()["type"]) == (422, "/problems/hold-refused")


async def test_an_instrument_is_used_from_this_minute_on(
    database: Database, manager: Caller, clock: SetClock
):
    instrument_id = await own_instrument(database, manager, notice_minutes=1440)
    clock.set(clock_at(0, 9.26))

    offers = await manager.get(f"/instruments/{instrument_id}/walk-up")
    body = {"minutes": 60, "purpose": "own_research"}
    walked = await manager.post(f"/instruments/{instrument_id}/walk-up", body)
    after = await manager.get(f"/instruments/{instrument_id}/walk-up", purpose="maintenance")
    refused = await manager.post(f"/instruments/{instrument_id}/walk-up", body)

    assert offers.json()["minutes"] == [30, 60, 120, 180, 240, 360, 480]
    assert walked.status_code == 201
    assert walked.json()["reservation"]["status"] == "in_use"
    assert walked.json()["session"]["closed_at"] is None
    assert [reason["rule"] for reason in after.json()["reasons"]] == ["busy"]
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/walk-up-refused")


async def test_the_inbox_shows_the_most_urgent_first_and_answers_many_at_once(
    database: Database, services: Services, manager: Caller, clock: SetClock
):
    instrument_id = await own_instrument(database, manager, needs_approval=True, seats=5)
    other_id = await own_instrument(database, manager, needs_approval=True)
    clock.set(clock_at(0, 9))
    first = await a_reservation(database, instrument_id=instrument_id)
    clock.set(clock_at(0, 9.25))
    second = await a_reservation(database, instrument_id=instrument_id)
    mine = await a_reservation(database, instrument_id=other_id, actor=manager.actor)
    colleague = await colleague_of(manager, services, database)

    inbox = (await colleague.get("/reservation-requests")).json()
    of_one = await manager.get("/reservation-requests", instrument_id=other_id)
    urgent = await manager.get(
        "/reservation-requests", before=clock_at(0, 9.6).isoformat(), page_size=1
    )
    ids = [second.id, mine.id, first.id, 10**9, second.id]
    approved = await manager.post("/reservation-requests/approve", {"reservation_ids": ids})
    rejected = await colleague.post(
        "/reservation-requests/reject",
        {"reservation_ids": [mine.id, first.id], "reason": "no operator"},
    )

    waiting = [row["reservation"]["id"] for row in inbox["results"]]
    assert (inbox["total"], waiting) == (3, [first.id, second.id, mine.id])
    assert inbox["results"][0]["minutes_left"] == 15
    assert {"instrument", "organisation", "person"} <= inbox["results"][0].keys()
    assert of_one.json()["total"] == 1
    assert urgent.json()["total"] == 1
    assert approved.status_code == 200
    assert (approved.json()["answered"], approved.json()["refused"]) == (2, 2)
    assert [
        (one["reservation_id"], one["answered"], (one["problem"] or {}).get("code"))
        for one in approved.json()["results"]
    ] == [
        (second.id, True, None),
        (mine.id, False, "reservation-second-person"),
        (first.id, True, None),
        (10**9, False, "not-found"),
    ]
    assert [
        one["reservation"] and one["reservation"]["status"] for one in rejected.json()["results"]
    ] == [
        "rejected",
        "confirmed",
    ]
    assert (await manager.get("/reservation-requests")).json()["total"] == 0
    too_many = {"reservation_ids": list(range(1, 102))}
    assert (await manager.post("/reservation-requests/approve", too_many)).status_code == 400


async def test_several_instruments_are_one_booking(database: Database, manager: Caller):
    first, second = [await own_instrument(database, manager) for _ in range(2)]
    item = {"purpose": "own_research"} | times(2, 9, 11)
    body = {
        "items": [
            item | {"instrument_ids": [first]},
            item | {"instrument_ids": [first, second]},
        ],
        "note": "a recipe",
    }

    made = await manager.post("/reservation-groups", body)
    refused = await manager.post("/reservation-groups", body)
    path = f"/reservation-groups/{made.json()['id']}"
    listed = await manager.get("/reservation-groups", instrument_id=second)
    cancelled = await manager.post(f"{path}/cancel", {"reason": "no sample"})

    assert made.status_code == 201
    assert [one["instrument_id"] for one in made.json()["reservations"]] == [first, second]
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/group-refused")
    assert [one["instrument_id"] for one in refused.json()["items"]] == [first, first, second]
    assert refused.json()["alternatives"][0]["kind"] == "group"
    assert listed.json()["results"] == [made.json()]
    assert {one["status"] for one in cancelled.json()["reservations"]} == {"cancelled"}
    assert (await manager.get(path)).json() == cancelled.json()
    nothing = await manager.post("/reservation-groups", {"items": []})
    assert nothing.status_code == 400


async def test_what_recurs_is_looked_at_reserved_changed_and_cancelled(
    database: Database, manager: Caller
):
    instrument_id = await own_instrument(database, manager)
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(9, 10, 12))
    asked: dict[str, Any] = {
        "instrument_id": instrument_id,
        "starts_at": clock_at(2, 9).isoformat(),
        "minutes": 120,
        "rule": "FREQ=WEEKLY;COUNT=3",
        "purpose": "teaching",
    }

    preview = await manager.get("/reservation-series/preview", **asked)
    refused = await manager.post("/reservation-series", asked)
    made = await manager.post("/reservation-series", asked | {"skip_conflicts": True})
    path = f"/reservation-series/{made.json()['series']['id']}"
    skipped = made.json()["occurrences"][1]
    retried = await manager.post(f"{path}/retry", {"starts_at": skipped["starts_at"]})
    later = {"scope": "following", "occurrence": clock_at(16, 9).isoformat(), "minutes": 60}
    changed = await manager.post(f"{path}/change", later)
    follows = f"/reservation-series/{changed.json()['series']['id']}"
    cancelled = await manager.post(f"{follows}/cancel", {"scope": "all", "reason": "no course"})
    listed = await manager.get("/reservation-series", instrument_id=instrument_id, running=True)

    assert [one["free"] for one in preview.json()["dates"]] == [True, False, True]
    assert preview.json()["dates"][1]["reasons"][0]["rule"] == "busy"
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/series-refused")
    assert refused.json()["dates"][0]["starts_at"] == "2025-03-12T01:00:00Z"
    assert made.status_code == 201
    assert skipped["reservation"] is None
    assert skipped["skipped_because"][0]["rule"] == "busy"
    assert (retried.status_code, retried.json()["type"]) == (
        409,
        "/problems/reservation-overlaps",
    )
    assert changed.json()["series"]["follows_id"] == made.json()["series"]["id"]
    assert cancelled.json()["occurrences"][0]["reservation"]["status"] == "cancelled"
    assert (await manager.get(follows)).json() == cancelled.json()
    assert listed.json()["total"] == 0
    malformed = await manager.post("/reservation-series", asked | {"rule": "FREQ=SECONDLY"})
    assert (malformed.status_code, malformed.json()["type"]) == (400, "/problems/recurrence-rule")
    unzoned = await manager.get(
        "/reservation-series/preview", **(asked | {"starts_at": "2025-03-05T09:00:00"})
    )
    assert unzoned.status_code == 400


async def test_reservations_are_found_by_who_when_and_what_and_sent_as_a_file(
    database: Database, manager: Caller
):
    instrument_id = await own_instrument(database, manager)
    later = await a_reservation(
        database, instrument_id=instrument_id, during=at_hours(4, 9, 11), actor=manager.actor
    )
    sooner = await a_reservation(database, instrument_id=instrument_id)

    async def found(**params: Any) -> list[int]:
        answer = await manager.get("/reservations", **params)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["results"]]

    assert await found() == [sooner.id, later.id]
    assert await found(order="starts") == [sooner.id, later.id]
    assert await found(order="starts-last") == [later.id, sooner.id]
    assert await found(order="oldest") == [later.id, sooner.id]
    assert await found(mine=True) == [later.id]
    assert await found(person_id=sooner.person_id) == [sooner.id]
    assert await found(starts_from=clock_at(3, 0).isoformat()) == [later.id]
    assert await found(starts_before=clock_at(3, 0).isoformat()) == [sooner.id]
    assert await found(until=clock_at(2, 10).isoformat()) == [sooner.id]
    assert await found(status=["held", "confirmed"], user_class="own_unit") == [
        sooner.id,
        later.id,
    ]
    assert await found(user_class="academic") == []
    assert await found(series_id=1) == await found(group_id=1) == []
    assert (
        await manager.get("/reservations", starts_from="2025-03-05T09:00:00")
    ).status_code == 400

    table = await manager.get("/reservations/file", order="starts")
    workbook = await manager.get("/reservations/file", format="xlsx")

    lines = table.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("id,instrument_id,")
    assert [line.split(",")[0] for line in lines[1:]] == [str(sooner.id), str(later.id)]
    assert workbook.content[:2] == b"PK"
