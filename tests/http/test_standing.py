"""Quotas, training, operators over HTTP: what is said, in which shape, and what is bounded."""

from typing import Any

import httpx
import pytest

from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.parties.roles import Role
from tests.builders.booking import a_bookable_instrument, at_hours, clock_at
from tests.builders.parties import an_actor
from tests.http.refusals import refused
from tests.http.test_booking import Caller, another

pytestmark = pytest.mark.asyncio


@pytest.fixture
async def manager(api: httpx.AsyncClient, services: Services, database: Database) -> Caller:
    return Caller(api, services, await an_actor(database, Role.PROVIDER_MANAGER))


@pytest.fixture
async def buyer(api: httpx.AsyncClient, services: Services, database: Database) -> Caller:
    return Caller(api, services, await an_actor(database, Role.BUYER))


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


async def test_a_quota_from_its_setting_to_its_end(
    manager: Caller, services: Services, database: Database
):
    instrument_id = await own_instrument(database, manager)
    quota = {
        "instrument_id": instrument_id,
        "subject": "person",
        "period": "week",
        "measure": "minutes",
        "at_most": 120,
    }

    made = await manager.post("/quotas", quota)
    assert made.status_code == 201, made.text
    quota_id = made.json()["id"]
    refused(await manager.post("/quotas", quota), 409, "quota-exists")
    wrong = quota | {"period": "open", "peak_only": True}
    assert ["measure", "peak"] == [
        one["rule"]
        for one in refused(await manager.post("/quotas", wrong), 422, "quota-refused")["reasons"]
    ]
    assert (await manager.post("/reservations", asked(instrument_id, 2, 9, 11))).status_code == 201
    problem = refused(
        await manager.post("/reservations", asked(instrument_id, 3, 9, 10)),
        422,
        "reservation-refused",
    )
    (reason,) = problem["reasons"]
    assert (120, 120, 60) == (reason["limit"], reason["asked"]["used"], reason["asked"]["asked"])
    use = await manager.get(f"/quotas/{quota_id}/use", day="2025-03-05")
    assert [(manager.actor.person_id, 120, 0)] == [
        (one["subject_id"], one["used"], one["left"]) for one in use.json()["uses"]["results"]
    ]
    assert (
        0
        == (await manager.get(f"/quotas/{quota_id}/use", day="2025-03-12")).json()["uses"]["total"]
    )
    refused(await manager.get(f"/quotas/{quota_id}/use", day="0001-01-01"), 400, "window-refused")
    mine = (await manager.get("/me/quotas")).json()
    assert ("2025-03-09", 0) == (
        mine["results"][0]["quota"]["ends_on"],
        mine["results"][0]["quota"]["left"],
    )
    changed = await manager.put(f"/quotas/{quota_id}", {"at_most": 240})
    assert 240 == changed.json()["at_most"]
    assert (await manager.post("/reservations", asked(instrument_id, 3, 9, 10))).status_code == 201
    ended = await manager.post(f"/quotas/{quota_id}/end")
    assert ended.json()["ended_at"] is not None
    refused(await manager.put(f"/quotas/{quota_id}", {"at_most": 1}), 409, "quota-ended")
    assert 0 == (await manager.get("/quotas", instrument_id=instrument_id)).json()["total"]
    everything = await manager.get("/quotas", with_ended=True, subject="person")
    assert [quota_id] == [one["id"] for one in everything.json()["results"]]


async def test_a_buyer_reads_what_stops_them_and_learns(
    manager: Caller, buyer: Caller, database: Database
):
    instrument_id = await own_instrument(database, manager, qualification="always")
    address = f"/instruments/{instrument_id}/standing"

    before = (await buyer.get(address)).json()
    assert ("enterprise", False, "always") == (
        before["user_class"],
        before["may_reserve"],
        before["qualification"]["needed"],
    )
    (reason,) = before["reasons"]
    assert "qualification" == reason["rule"]
    assert f"POST /instruments/{instrument_id}/training-requests" in reason["message"]
    made = await buyer.post(f"/instruments/{instrument_id}/training-requests", {"note": "粉末"})
    assert made.status_code == 201, made.text
    request = f"/training-requests/{made.json()['id']}"
    refused(
        await buyer.post(f"/instruments/{instrument_id}/training-requests", {}),
        409,
        "training-open",
    )
    refused(await manager.post(f"{request}/pass", {"answer": "fine"}), 409, "training-state")
    date = {
        "held_at": clock_at(2, 9).isoformat(),
        "trainer_id": manager.actor.person_id,
        "place": "204",
    }
    assert "scheduled" == (await manager.post(f"{request}/schedule", date)).json()["status"]
    refused(
        await manager.post(f"{request}/schedule", date | {"held_at": "2025-01-01T00:00:00Z"}),
        422,
        "training-refused",
    )
    refused(
        await manager.post(f"{request}/schedule", date | {"trainer_id": buyer.actor.person_id}),
        403,
        "training-of-oneself",
    )
    far = {"answer": "fine", "valid_until": "9999-12-31T23:59:59Z"}
    refused(await manager.post(f"{request}/pass", far), 400, "window-refused")
    passed = await manager.post(f"{request}/pass", {"answer": "fine"})
    assert "passed" == passed.json()["status"]
    assert "passed" == (await buyer.get(request)).json()["status"]
    after = (await buyer.get(address)).json()
    assert (True, True, None) == (
        after["may_reserve"],
        after["qualification"]["qualified"],
        after["qualification"]["training"],
    )
    (held,) = (await buyer.get("/qualifications", in_force=True)).json()["results"]
    qualification = f"/qualifications/{held['id']}"
    refused(
        await manager.post(f"{qualification}/extend", {"reason": "longer"}),
        422,
        "qualification-refused",
    )
    grant = {"person_id": buyer.actor.person_id, "reason": "trained"}
    refused(
        await manager.post(f"/instruments/{instrument_id}/qualifications", grant),
        409,
        "qualification-stands",
    )
    revoked = await manager.post(f"{qualification}/revoke", {"reason": "broke a lens"})
    assert [] == revoked.json()["reservations"]
    refused(
        await manager.post(f"{qualification}/extend", {"reason": "sorry"}),
        409,
        "qualification-ended",
    )
    refused(
        await manager.post(
            f"/instruments/{instrument_id}/qualifications",
            {"person_id": manager.actor.person_id, "reason": "myself"},
        ),
        403,
        "qualification-to-oneself",
    )
    again = await buyer.post(f"/instruments/{instrument_id}/training-requests", {})
    withdrawn = await buyer.post(f"/training-requests/{again.json()['id']}/withdraw")
    assert "withdrawn" == withdrawn.json()["status"]
    listed = (await manager.get("/training-requests", instrument_id=instrument_id)).json()
    assert ["withdrawn", "passed"] == [one["status"] for one in listed["results"]]


async def test_operators_from_their_names_to_their_calendar(
    manager: Caller, services: Services, database: Database
):
    instrument_id = await own_instrument(database, manager, operation="operator")
    one, other = [
        await another(manager, services, database, Role.TECHNICIAN, same=True) for _ in range(2)
    ]
    week = {"hours": [{"weekday": 2, "opens_minute": 540, "closes_minute": 1020}]}
    names = f"/instruments/{instrument_id}/operators"

    stops = (await manager.get(f"/instruments/{instrument_id}/standing")).json()
    assert ["operator"] == [reason["rule"] for reason in stops["reasons"]]
    everybody = {"person_ids": [one.actor.person_id, other.actor.person_id]}
    assert 2 == len((await manager.put(names, everybody)).json())
    refused(await manager.put(names, {"person_ids": [1]}), 422, "operator-refused")
    for each in (one, other):
        hours = f"/operators/{each.actor.person_id}/hours"
        assert week["hours"] == (await manager.put(hours, week)).json()
        assert week["hours"] == (await each.get(hours)).json()
        night = {"hours": [{"weekday": 2, "opens_minute": 1200, "closes_minute": 300}]}
        refused(await manager.put(hours, night), 422, "operator-refused")
        twice = {"hours": week["hours"] * 2}
        refused(await manager.put(hours, twice), 409, "operator-hours-overlap")
    assert (await manager.get(f"/instruments/{instrument_id}/standing")).json()["may_reserve"]
    placed = (await manager.post("/reservations", asked(instrument_id, 2, 9, 11))).json()
    chosen, spare = (one, other) if placed["operator_id"] == one.actor.person_id else (other, one)
    problem = refused(
        await manager.post("/reservations", asked(instrument_id, 1, 9, 11)),
        422,
        "reservation-refused",
    )
    assert "the next one is free from 2025-03-05 09:00" in problem["detail"]
    calendar = {"from": clock_at(0, 0).isoformat(), "until": clock_at(7, 0).isoformat()}
    mine = f"/operators/{chosen.actor.person_id}"
    found = (await chosen.get(f"{mine}/calendar", **calendar)).json()
    assert [placed["id"]] == [row["id"] for row in found["reservations"]]
    assert 1 == len(found["at_work"])
    away = {"starts_at": calendar["from"], "ends_at": calendar["until"], "reason": "leave"}
    noted = (await chosen.post(f"{mine}/absences", away)).json()
    assert [placed["id"]] == [row["id"] for row in noted["reservations"]]
    refused(await spare.post(f"{mine}/absences", away), 403, "forbidden")
    seat = f"/reservations/{placed['id']}/operator"
    refused(await manager.post(seat, {}), 422, "operator-refused")
    moved = await manager.post(seat, {"operator_id": spare.actor.person_id})
    assert spare.actor.person_id == moved.json()["operator_id"]
    assert 1 == (await chosen.get(f"{mine}/absences", **calendar)).json()["total"]
    absence = f"/operator-absences/{noted['absence']['id']}/withdraw"
    assert (await chosen.post(absence)).json()["withdrawn_at"] is not None
    refused(await chosen.post(absence), 409, "absence-withdrawn")
    second = await own_instrument(database, manager, operation="either")
    await manager.put(f"/instruments/{second}/operators", everybody)
    alone = (await manager.post("/reservations", asked(second, 2, 9, 11))).json()
    assert alone["operator_id"] is None
    busy = {"operator_id": spare.actor.person_id}
    refused(await manager.post(f"/reservations/{alone['id']}/operator", busy), 409, "operator-busy")
    attended = await manager.post("/reservations", asked(second, 2, 9, 11, seat=None))
    assert attended.status_code == 409
    assisted = asked(second, 2, 11, 12, assisted=True)
    assert (await manager.post("/reservations", assisted)).json()["operator_id"] is not None
