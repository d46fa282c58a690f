"""Booking over HTTP: who may, what is said, and in which shape."""

from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.http import Services
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import (
    TEST,
    a_bookable_instrument,
    a_reservation,
    at_hours,
    clock_at,
)
from tests.builders.owner import become_owner
from tests.builders.parties import an_actor, bearer

pytestmark = pytest.mark.asyncio

_keys = count()


class Caller:
    """Somebody with a token and a new idempotency key for each POST."""

    def __init__(self, api: httpx.AsyncClient, services: Services, actor: Actor) -> None:
        self.api, self.actor = api, actor
        self.headers = bearer(services, actor)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        headers = self.headers | {"Idempotency-Key": f"key-{next(_keys)}"}
        return await self.api.post(f"/api/v1{path}", json=body or {}, headers=headers)

    async def put(self, path: str, body: Any) -> httpx.Response:
        return await self.api.put(f"/api/v1{path}", json=body, headers=self.headers)

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.api.get(f"/api/v1{path}", params=params, headers=self.headers)


@pytest.fixture
async def manager(api: httpx.AsyncClient, services: Services, database: Database) -> Caller:
    return Caller(api, services, await an_actor(database, Role.PROVIDER_MANAGER))


async def another(
    manager: Caller, services: Services, database: Database, *roles: Role, same: bool = False
) -> Caller:
    """Somebody else, of the same organisation when `same`."""
    organisation_id = manager.actor.organisation_id if same else None
    actor = await an_actor(database, *roles, organisation_id=organisation_id)
    return Caller(manager.api, services, actor)


async def own_instrument(database: Database, manager: Caller, **terms: Any) -> int:
    return await a_bookable_instrument(database, provider_id=manager.actor.organisation_id, **terms)


def asked(instrument_id: int, day: int, from_hour: float, until_hour: float, **changes: Any):
    during = at_hours(day, from_hour, until_hour)
    return {
        "instrument_id": instrument_id,
        "starts_at": during.starts_at.isoformat(),
        "ends_at": during.ends_at.isoformat(),
        "purpose": "own_research",
    } | changes


RULE = {
    "step_minutes": 15,
    "minimum_minutes": 30,
    "maximum_minutes": 600,
    "notice_minutes": 0,
    "horizon_days": 60,
}


async def test_anybody_sees_when_an_instrument_is_free_and_not_by_whom(
    database: Database, manager: Caller, api: httpx.AsyncClient
):
    instrument_id = await own_instrument(database, manager)
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(2, 9, 11))
    window = at_hours(2, 8, 12)

    answer = await api.get(
        f"/api/v1/instruments/{instrument_id}/availability",
        params={"from": window.starts_at.isoformat(), "until": window.ends_at.isoformat()},
    )

    assert answer.status_code == 200
    assert answer.json()["free"] == [
        {"starts_at": "2025-03-05T00:00:00Z", "ends_at": "2025-03-05T01:00:00Z"},
        {"starts_at": "2025-03-05T03:00:00Z", "ends_at": "2025-03-05T04:00:00Z"},
    ]
    assert answer.json()["busy"] == [
        {
            "starts_at": "2025-03-05T01:00:00Z",
            "ends_at": "2025-03-05T03:00:00Z",
            "reason": "reserved",
            "text": "",
            "remedy": "waitlist",
            "free_at": None,
            "classes": [],
        }
    ]
    assert answer.json()["user_class"] == "enterprise"
    assert [one["seats"] for one in answer.json()["seats_free"]] == [1, 1]
    assert answer.json()["floors"] == []


@pytest.mark.parametrize(
    ("from_", "until", "code"),
    [
        ("2025-03-05T08:00:00+08:00", "2025-03-05T08:00:00+08:00", "window-refused"),
        ("2025-03-06T08:00:00+08:00", "2025-03-05T08:00:00+08:00", "window-refused"),
        ("2025-03-05T08:00:00+08:00", "2025-06-05T08:00:00+08:00", "window-refused"),
        ("0001-01-01T00:00:00+14:00", "2025-03-05T08:00:00+08:00", "window-refused"),
        ("9999-12-31T00:00:00-14:00", "9999-12-31T23:59:59-14:00", "window-refused"),
        ("2025-03-05T08:00:00", "2025-03-05T10:00:00", "window-refused"),
        ("yesterday", "today", "malformed"),
        (None, None, "malformed"),
    ],
)
async def test_a_window_that_makes_no_sense_is_malformed(
    database: Database, manager: Caller, from_: str | None, until: str | None, code: str
):
    instrument_id = await own_instrument(database, manager)
    params = {} if from_ is None else {"from": from_, "until": until}

    answer = await manager.get(f"/instruments/{instrument_id}/availability", **params)

    assert answer.status_code == 400
    assert answer.json()["type"] == f"/problems/{code}"
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_manager_sets_the_rule_of_their_own_instrument_and_all_can_read_it(
    database: Database, services: Services, manager: Caller, api: httpx.AsyncClient
):
    instrument_id = await own_instrument(database, manager)
    path = f"/instruments/{instrument_id}/booking-rule"
    stranger = await another(manager, services, database, Role.PROVIDER_MANAGER)
    technician = await another(manager, services, database, Role.TECHNICIAN, same=True)

    put = await manager.put(path, RULE | {"after_minutes": 15})
    read = await api.get(f"/api/v1{path}")

    assert put.status_code == 200
    assert read.json() == put.json()
    assert read.json()["after_minutes"] == 15
    assert (await stranger.put(path, RULE)).status_code == 404
    assert (await technician.put(path, RULE)).status_code == 403
    refused = await manager.put(path, RULE | {"horizon_days": 3000, "minimum_minutes": 20})
    assert refused.status_code == 422
    assert [reason["rule"] for reason in refused.json()["reasons"]] == [
        "minimum",
        "horizon-province",
    ]


async def test_staff_reserve_their_own_instrument(
    database: Database, services: Services, manager: Caller
):
    instrument_id = await own_instrument(database, manager)
    technician = await another(manager, services, database, Role.TECHNICIAN, same=True)

    placed = await technician.post("/reservations", asked(instrument_id, 2, 9, 11))

    assert placed.status_code == 201
    assert placed.json()["status"] == "confirmed"
    assert placed.json()["organisation_id"] == manager.actor.organisation_id
    detail = await manager.get(f"/reservations/{placed.json()['id']}")
    assert detail.json() == {"reservation": placed.json(), "session": None, "repairs": []}


async def test_a_refusal_says_everything_and_what_would_be_possible(
    database: Database, manager: Caller
):
    instrument_id = await own_instrument(database, manager)
    await manager.post("/reservations", asked(instrument_id, 2, 9, 11))

    taken = await manager.post("/reservations", asked(instrument_id, 2, 10, 12))
    refused = await manager.post("/reservations", asked(instrument_id, 2, 9, 20))

    assert taken.status_code == 409
    assert taken.json()["type"] == "/problems/reservation-overlaps"
    assert len(taken.json()["alternatives"]) == 3
    assert refused.status_code == 422
    assert refused.json()["type"] == "/problems/reservation-refused"
    assert [(one["rule"], one["overridable"]) for one in refused.json()["reasons"]] == [
        ("maximum", True),
        ("busy", False),
    ]
    offer = refused.json()["alternatives"][0]
    again = asked(instrument_id, 2, 9, 11) | {
        "starts_at": offer["starts_at"],
        "ends_at": offer["ends_at"],
    }
    assert (await manager.post("/reservations", again)).status_code == 201


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"purpose": "external"}, 422),
        ({"purpose": "fun"}, 400),
        ({"ends_at": "2025-03-01T00:00:00Z"}, 400),
        ({"starts_at": "0001-01-01T00:00:00Z"}, 400),
        ({"starts_at": "2025-03-05T09:00:00"}, 400),
        ({"instrument_id": 10**12}, 404),
        ({"instrument_id": 0}, 400),
        ({"seat": 2}, 422),
        ({"seat": 1000}, 400),
        ({"override_reason": "x"}, 400),
        ({"override_reason": "nul \x00 byte"}, 400),
        ({"extra": 1}, 400),
    ],
)
async def test_what_cannot_be_reserved_is_refused_in_the_right_shape(
    database: Database, manager: Caller, changes: dict[str, Any], status: int
):
    instrument_id = await own_instrument(database, manager)

    answer = await manager.post("/reservations", asked(instrument_id, 2, 9, 11) | changes)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_buyer_orders_and_does_not_reserve(
    database: Database, services: Services, manager: Caller
):
    instrument_id = await own_instrument(database, manager)
    buyer = await another(manager, services, database, Role.BUYER)

    answer = await buyer.post("/reservations", asked(instrument_id, 2, 9, 11))

    assert answer.status_code == 403


async def test_the_same_request_twice_is_one_reservation(database: Database, manager: Caller):
    instrument_id = await own_instrument(database, manager)
    headers = manager.headers | {"Idempotency-Key": "once"}

    first, second = [
        await manager.api.post(
            "/api/v1/reservations", json=asked(instrument_id, 2, 9, 11), headers=headers
        )
        for _ in range(2)
    ]

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"


async def test_a_request_goes_through_all_its_steps(
    database: Database, services: Services, manager: Caller, clock: SetClock
):
    instrument_id = await own_instrument(database, manager, needs_approval=True)
    technician = await another(manager, services, database, Role.TECHNICIAN, same=True)
    placed = (await technician.post("/reservations", asked(instrument_id, 2, 9, 11))).json()
    path = f"/reservations/{placed['id']}"

    assert placed["status"] == "requested"
    assert (await technician.post(f"{path}/approve")).status_code == 403
    assert (await manager.post(f"{path}/approve")).json()["status"] == "confirmed"
    assert (await manager.post(f"{path}/approve")).status_code == 409
    assert (await technician.post(f"{path}/open-session")).status_code == 422
    clock.set(clock_at(2, 9))
    technician.headers = bearer(services, technician.actor)
    opened = await technician.post(f"{path}/open-session")
    clock.set(clock_at(2, 10))
    closed = await technician.post(f"{path}/close-session", {"preparation_minutes": 20})

    assert opened.status_code == 201
    assert opened.json()["closed_at"] is None
    assert (closed.json()["actual_minutes"], closed.json()["billable_minutes"]) == (60, 60)
    detail = (await manager.get(path)).json()
    assert detail["reservation"]["status"] == "used"
    assert detail["session"] == closed.json()


async def test_a_request_can_be_rejected_and_a_reservation_cancelled(
    database: Database, services: Services, manager: Caller
):
    instrument_id = await own_instrument(database, manager, needs_approval=True)
    technician = await another(manager, services, database, Role.TECHNICIAN, same=True)
    ids = [
        (await technician.post("/reservations", asked(instrument_id, day, 9, 11))).json()["id"]
        for day in (2, 3)
    ]

    rejected = await manager.post(f"/reservations/{ids[0]}/reject", {"reason": "course week"})
    cancelled = await technician.post(f"/reservations/{ids[1]}/cancel", {"reason": "no samples"})

    assert rejected.json()["status"] == "rejected"
    assert cancelled.json()["reservation"]["status"] == "cancelled"
    assert cancelled.json()["fee_basis_points"] == 0


async def test_a_reservation_under_an_order_goes_the_orders_way(
    database: Database, manager: Caller
):
    instrument_id = await own_instrument(database, manager)
    placed = await a_reservation(database, instrument_id=instrument_id)

    async def under_an_order(tx: Tx, _: None) -> None:
        await tx.execute(text("set constraints all deferred"))
        await become_owner(tx)
        driver = await tx.raw()
        for name in await driver.fetch(
            "select conname from pg_constraint where conrelid = 'reservation'::regclass"
            " and contype = 'f' and conname like '%order%'"
        ):
            await driver.execute(f"alter table reservation drop constraint {name['conname']}")
        await driver.execute("update reservation set order_id = 77 where id = $1", placed.id)

    await atomically(database, under_an_order, None, actor=TEST)

    for step, body in {
        "approve": {},
        "reject": {"reason": "no thanks"},
        "cancel": {"reason": "no thanks"},
        "open-session": {},
        "close-session": {},
    }.items():
        answer = await manager.post(f"/reservations/{placed.id}/{step}", body)
        assert answer.status_code == 409, step
        assert answer.json()["type"] == "/problems/reservation-belongs-to-order"
        assert answer.json()["order_id"] == 77


async def test_other_organisations_reservations_do_not_exist(
    database: Database, services: Services, manager: Caller
):
    instrument_id = await own_instrument(database, manager)
    placed = (await manager.post("/reservations", asked(instrument_id, 2, 9, 11))).json()
    path = f"/reservations/{placed['id']}"
    stranger = await another(manager, services, database, Role.PROVIDER_MANAGER)
    buyer = await another(manager, services, database, Role.BUYER)
    auditor = await another(manager, services, database, Role.AUDITOR)

    for nobody in (stranger, buyer):
        assert (await nobody.get(path)).status_code == 404
        assert (await nobody.get("/reservations")).json()["total"] == 0
    assert (await stranger.post(f"{path}/cancel", {"reason": "mine now"})).status_code == 404
    assert (await auditor.get(path)).status_code == 200
    assert (await auditor.get("/reservations")).json()["total"] == 1
    assert (await manager.api.get("/api/v1/reservations")).status_code == 401


async def test_the_list_is_filtered_and_paged(database: Database, manager: Caller):
    first, second = [await own_instrument(database, manager) for _ in range(2)]
    for instrument_id, day in ((first, 2), (first, 3), (second, 2)):
        await manager.post("/reservations", asked(instrument_id, day, 9, 11))
    wednesday = at_hours(2, 0, 24)

    by_instrument = await manager.get("/reservations", instrument_id=first)
    by_day = await manager.get(
        "/reservations",
        **{"from": wednesday.starts_at.isoformat(), "until": wednesday.ends_at.isoformat()},
    )
    by_status = await manager.get("/reservations", status="cancelled")
    page = await manager.get("/reservations", page=2, page_size=2)

    assert by_instrument.json()["total"] == 2
    assert by_day.json()["total"] == 2
    assert by_status.json()["results"] == []
    assert (page.json()["total"], len(page.json()["results"])) == (3, 1)
    assert (await manager.get("/reservations", status="lost")).status_code == 400


async def test_a_session_that_the_platform_closed_is_found_and_repaired(
    database: Database, services: Services, manager: Caller, clock: SetClock
):
    from marketplace.booking.jobs import JOBS

    instrument_id = await own_instrument(database, manager)
    placed = (await manager.post("/reservations", asked(instrument_id, 2, 9, 11))).json()
    clock.set(clock_at(2, 9))
    await manager.post(f"/reservations/{placed['id']}/open-session")
    clock.set(clock_at(2, 11) + timedelta(hours=12))
    for job in JOBS:
        await job.run(database)

    queue = (await manager.get("/reservations", with_problem=True)).json()
    repaired = await manager.post(
        f"/reservations/{placed['id']}/repair-session",
        {"closed_at": clock_at(2, 10).isoformat(), "reason": "read from its own log"},
    )

    assert [one["id"] for one in queue["results"]] == [placed["id"]]
    assert repaired.status_code == 200
    assert (repaired.json()["problem"], repaired.json()["actual_minutes"]) == (None, 60)
    assert (await manager.get("/reservations", with_problem=True)).json()["total"] == 0


async def test_machine_hours_are_seen_by_the_provider_and_by_whoever_evaluates(
    database: Database, services: Services, manager: Caller, clock: SetClock
):
    instrument_id = await own_instrument(database, manager)
    placed = (await manager.post("/reservations", asked(instrument_id, 2, 9, 11))).json()
    clock.set(clock_at(2, 9))
    await manager.post(f"/reservations/{placed['id']}/open-session")
    clock.set(clock_at(2, 10.5))
    await manager.post(f"/reservations/{placed['id']}/close-session")
    stranger = await another(manager, services, database, Role.TECHNICIAN)
    evaluator = await another(manager, services, database, Role.EVALUATOR)
    year = {"from": "2025-01-01", "until": "2026-01-01"}

    own = await manager.get("/machine-hours", **year, group_by="instrument")

    assert [row["keys"] for row in own.json()["results"]] == [{"instrument": instrument_id}]
    assert own.json()["all"]["own_research_minutes"] == 90
    asked_of_all = await evaluator.get("/machine-hours", **year, group_by="instrument")
    assert asked_of_all.json() == own.json()
    assert (await stranger.get("/machine-hours", **year)).json()["all"]["effective_minutes"] == 0
    asked_of_another = year | {"provider_id": manager.actor.organisation_id}
    assert (await stranger.get("/machine-hours", **asked_of_another)).json()["total"] == 0
    for wrong in ("2025-01-01", "2036-01-01", "0001-01-01"):
        answer = await manager.get("/machine-hours", **(year | {"until": wrong}))
        assert answer.status_code == 400
