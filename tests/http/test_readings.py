"""What campus systems push over HTTP with their keys, and what staff make of it."""

from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role, Scope
from tests.builders.api_keys import an_api_key, by_key
from tests.builders.booking import a_bookable_instrument, a_reservation, clock_at
from tests.builders.parties import an_actor, bearer

pytestmark = pytest.mark.asyncio

_keys = count()


class System:
    """A campus system with its key, and the manager who looks after the instruments."""

    def __init__(
        self, api: httpx.AsyncClient, services: Services, manager: Actor, key: dict[str, str]
    ) -> None:
        self.api, self.key, self.manager = api, key, manager
        self.staff = bearer(services, manager)

    async def push(self, *readings: dict[str, Any], source: str = "lims") -> httpx.Response:
        body = {"source": source, "readings": readings}
        return await self.api.post("/api/v1/readings", json=body, headers=self.key)

    async def by_staff(self, path: str, **body: Any) -> httpx.Response:
        headers = self.staff | {"Idempotency-Key": f"log-{next(_keys)}"}
        return await self.api.post(f"/api/v1{path}", json=body, headers=headers)

    async def listed(self, **asked: Any) -> Any:
        answer = await self.api.get("/api/v1/readings", params=asked, headers=self.staff)
        return answer.json()


@pytest.fixture
async def system(api: httpx.AsyncClient, services: Services, database: Database) -> System:
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    made = await an_api_key(database, by=manager)
    return System(api, services, manager, by_key(made))


@pytest.fixture
async def instrument_id(database: Database, system: System, services: Services) -> int:
    """An instrument whose log opens and closes its sessions."""
    made = await a_bookable_instrument(
        database, provider_id=system.manager.organisation_id, notice_minutes=0
    )
    trusted = {"source": "lims", "opens_sessions": True, "tolerance_minutes": 10}
    answer = await system.api.put(
        f"/api/v1/instruments/{made}/reading-sources", json=trusted, headers=system.staff
    )
    assert [one["source"] for one in answer.json()] == ["lims"]
    return made


def moment(hour: float) -> str:
    return clock_at(2, hour).isoformat()


async def test_a_campus_system_pushes_starts_and_stops_and_sessions_follow(
    system: System, instrument_id: int, database: Database, clock: SetClock
):
    placed = await a_reservation(database, instrument_id=instrument_id, actor=system.manager)
    clock.set(clock_at(2, 9.5))
    start = {"instrument_id": instrument_id, "external_id": "7", "started_at": moment(9)}
    started = await system.push(start, start | {"external_id": "8", "started_at": moment(12)})
    clock.set(clock_at(2, 11))
    stop = {"instrument_id": instrument_id, "external_id": "7", "stopped_at": moment(10.5)}
    stopped = await system.push(stop, stop, start)

    assert started.status_code == 200
    assert [started.json()[name] for name in ("landed", "known", "refused")] == [1, 0, 1]
    (landed, refused) = started.json()["lines"]
    assert (landed["state"], landed["reservation_id"]) == ("running", placed.id)
    assert [reason["rule"] for reason in refused["reasons"]] == ["clock-ahead"]
    assert [stopped.json()[name] for name in ("landed", "known", "refused")] == [1, 2, 0]
    detail = await system.api.get(f"/api/v1/reservations/{placed.id}", headers=system.staff)
    session = detail.json()["session"]
    assert (session["actual_minutes"], session["closed_how"]) == (90, "log")
    assert (await system.listed(state="matched", reservation_id=placed.id))["total"] == 1


async def test_a_run_that_nobody_booked_is_listed_until_staff_say_what_it_was(
    system: System, instrument_id: int, database: Database, clock: SetClock
):
    clock.set(clock_at(2, 20))
    run = {
        "instrument_id": instrument_id,
        "external_id": "a",
        "started_at": moment(9),
        "stopped_at": moment(10),
        "user_reference": "工号 0042",
        "samples": 3,
    }
    later = run | {"external_id": "b", "started_at": moment(12), "stopped_at": moment(13)}
    await system.push(run, later)
    window = {"from": moment(8), "until": moment(11)}
    (found,) = (await system.listed(state="unbooked", **window))["results"]
    (other,) = (await system.listed(state="unbooked", **{"from": moment(11), "until": moment(14)}))[
        "results"
    ]

    external = await system.by_staff(
        f"/readings/{found['id']}/record", purpose="external", reason="a customer"
    )
    recorded = await system.by_staff(
        f"/readings/{found['id']}/record", purpose="maintenance", reason="new filament"
    )
    again = await system.by_staff(
        f"/readings/{found['id']}/record", purpose="maintenance", reason="new filament"
    )
    unfit = await system.by_staff(
        f"/readings/{other['id']}/attach",
        reservation_id=recorded.json()["reservation_id"],
        reason="the same work",
    )
    dismissed = await system.by_staff(f"/readings/{other['id']}/dismiss", reason="a demo")

    assert found["user_reference"] == "工号 0042"
    assert external.json()["type"] == "/problems/external-time-is-ordered"
    assert (recorded.json()["state"], recorded.json()["resolution"]) == ("upkeep", "new filament")
    assert again.json()["type"] == "/problems/reading-resolved"
    assert unfit.status_code == 200
    assert dismissed.json()["type"] == "/problems/reading-resolved"
    assert (await system.listed(state="unbooked"))["total"] == 0


async def test_a_key_without_the_scope_and_one_of_another_organisation_land_nothing(
    system: System, instrument_id: int, database: Database, clock: SetClock
):
    clock.set(clock_at(2, 20))
    line = {"instrument_id": instrument_id, "external_id": "a", "started_at": moment(9)}
    reads = await an_api_key(
        database, by=system.manager, scopes=frozenset({Scope.RESERVATIONS_READ.value})
    )
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    theirs = await an_api_key(database, by=stranger)
    body = {"source": "lims", "readings": [line]}

    without = await system.api.post("/api/v1/readings", json=body, headers=by_key(reads))
    foreign = await system.api.post("/api/v1/readings", json=body, headers=by_key(theirs))

    assert without.status_code == 403
    assert (foreign.status_code, foreign.json()["refused"]) == (200, 1)
    assert foreign.json()["lines"][0]["reading_id"] is None
    assert (await system.listed())["total"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"source": "lims", "readings": []},
        {"source": "lims", "readings": [{}] * 501},
        {"source": "LIMS!", "readings": [{"instrument_id": 1, "external_id": "a"}]},
        {"source": "lims", "readings": [{"instrument_id": 0, "external_id": "a"}]},
        {"source": "lims", "readings": [{"instrument_id": 1, "external_id": "\n"}]},
        {"source": "lims", "readings": [{"instrument_id": 1, "external_id": "x" * 201}]},
        {
            "source": "lims",
            "readings": [
                {"instrument_id": 1, "external_id": "a", "started_at": "2025-03-05T09:00:00"}
            ],
        },
        {
            "source": "lims",
            "readings": [
                {"instrument_id": 1, "external_id": "a", "started_at": "9999-12-31T23:59:59-08:00"}
            ],
        },
        {
            "source": "lims",
            "readings": [{"instrument_id": 1, "external_id": "a", "samples": 10**7}],
        },
    ],
)
async def test_a_batch_that_cannot_be_read_is_refused_whole(system: System, body: dict[str, Any]):
    answer = await system.api.post("/api/v1/readings", json=body, headers=system.key)

    assert answer.status_code == 400, answer.text


async def test_a_run_that_goes_on_is_not_put_anywhere(
    system: System, instrument_id: int, clock: SetClock
):
    clock.set(clock_at(2, 9) + timedelta(minutes=1))
    await system.push({"instrument_id": instrument_id, "external_id": "a", "started_at": moment(9)})
    (run,) = (await system.listed())["results"]

    answer = await system.by_staff(
        f"/readings/{run['id']}/record", purpose="test_run", reason="calibration"
    )

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/reading-incomplete")
