"""Outside calendars over HTTP: what systems send, and what bad input is told."""

from __future__ import annotations

from itertools import count
from typing import Any

import httpx
import pytest_asyncio

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.parties.roles import Role
from tests.builders.api_keys import an_api_key, by_key
from tests.builders.booking import a_bookable_instrument, a_reservation, at_hours
from tests.builders.parties import an_actor, bearer
from tests.http.refusals import nothing_changes, refused

_keys = count()
FILE = (
    b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nSUMMARY:\xe5\xb9\xb4\xe4\xbc\x9a\r\n"
    b"DTSTART:20250305T010000Z\r\nDURATION:PT2H\r\nRRULE:FREQ=DAILY;COUNT=3\r\nEND:VEVENT\r\n"
    b"END:VCALENDAR\r\n"
)


class Staff:
    """Somebody of the provider with a token."""

    def __init__(
        self, api: httpx.AsyncClient, services: Services, actor: Actor, instrument_id: int
    ) -> None:
        self.api, self.actor, self.instrument_id = api, actor, instrument_id
        self.token = bearer(services, actor)

    async def ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        headers = self.token | {"Idempotency-Key": f"key-{next(_keys)}"}
        return await self.api.request(method, f"/api/v1{path}", headers=headers, **sent)

    async def source(self, kind: str, **more: Any) -> int:
        body = {"kind": kind, "name": f"our {kind}"} | more
        path = f"/instruments/{self.instrument_id}/busy-sources"
        answer = await self.ask("POST", path, json=body)
        assert answer.status_code == 201, answer.text
        found: int = answer.json()["id"]
        return found


@pytest_asyncio.fixture
async def staff(api: httpx.AsyncClient, services: Services, database: Database) -> Staff:
    actor = await an_actor(database, Role.TECHNICIAN)
    made = await a_bookable_instrument(database, provider_id=actor.organisation_id)
    return Staff(api, services, actor, made)


async def test_a_file_is_uploaded_as_the_body_or_in_a_form_and_its_times_are_listed(staff: Staff):
    source_id = await staff.source("upload")
    path = f"/busy-sources/{source_id}"
    first = await staff.ask("POST", f"{path}/file", content=FILE)
    again = await staff.ask("POST", f"{path}/file", files={"file": ("a.ics", FILE)})
    window = {"from": "2025-03-06T00:00:00+08:00", "until": "2025-03-07T00:00:00+08:00"}
    times = await staff.ask("GET", f"{path}/times", params=window)
    listed = await staff.ask("GET", "/busy-sources", params={"kind": "upload", "stale": False})

    assert first.json() == {"times": 3, "added": 3, "changed": 0, "removed": 0, "conflicts": 0}
    assert again.json() == {"times": 3, "added": 0, "changed": 0, "removed": 0, "conflicts": 0}
    (time,) = times.json()["results"]
    assert (time["uid"], time["recurrence_id"]) == ("a", "20250306T010000Z")
    assert time["summary"] == "年会"
    (found,) = listed.json()["results"]
    assert (found["id"], found["times"], found["stale"]) == (source_id, 3, False)


async def test_what_is_wrong_with_a_file_is_told_by_line_and_changes_nothing(
    staff: Staff, database: Database
):
    path = f"/busy-sources/{await staff.source('upload')}/file"
    pushed = f"/busy-sources/{await staff.source('push')}/file"
    bad = FILE.replace(b"FREQ=DAILY", b"FREQ=SECONDLY").replace(b"20250305", b"20250230")
    async with nothing_changes(database):
        body = refused(await staff.ask("POST", path, content=bad), 400, "calendar-file-unreadable")
        refused(await staff.ask("POST", path, content=b""), 400)
        html = b"<html>Sign in first</html>"
        refused(await staff.ask("POST", path, content=html), 400, "calendar-file-unreadable")
        refused(await staff.ask("POST", pushed, content=FILE), 409, "busy-source-kind")
        refused(await staff.ask("POST", path, content=b" " * 2_100_000), 413)

    assert [(each["rule"], each["asked"]) for each in body["reasons"]] == [("instant", 5)]
    assert body["reasons"][0]["message"].startswith("line 5: '20250230T010000Z'")


async def test_a_campus_system_pushes_its_times_and_hears_of_conflicts(
    staff: Staff, database: Database
):
    placed = await a_reservation(
        database, instrument_id=staff.instrument_id, during=at_hours(2, 9, 11)
    )
    path = f"/busy-sources/{await staff.source('push')}/times"
    time = {
        "uid": "课表-7",
        "starts_at": "2025-03-05T10:00:00+08:00",
        "ends_at": "2025-03-05T12:00:00+08:00",
        "summary": "本科生实验课",
    }
    first = await staff.ask("PUT", path, json={"mode": "replace", "times": [time]})
    again = await staff.ask("PUT", path, json={"mode": "upsert", "times": [time]})
    found = await staff.ask("GET", "/busy-conflicts")
    public = await staff.api.get(
        f"/api/v1/instruments/{staff.instrument_id}/availability",
        params={"from": "2025-03-05T00:00:00+08:00", "until": "2025-03-06T00:00:00+08:00"},
    )

    assert first.json() == {"times": 1, "added": 1, "changed": 0, "removed": 0, "conflicts": 1}
    assert again.json() == first.json() | {"added": 0}
    (conflict,) = found.json()["results"]
    assert conflict["reservation_id"] == placed.id
    assert conflict["summary"] == "本科生实验课"
    # Everybody learns that it is busy, and nobody what with.
    assert "本科生" not in public.text
    assert "课表" not in public.text
    busy = {each["reason"] for each in public.json()["busy"]}
    assert len(busy) > 1


async def test_pushed_times_that_cannot_be_are_told_by_place(staff: Staff, database: Database):
    path = f"/busy-sources/{await staff.source('push')}/times"

    def time(starts: str, ends: str, **more: Any) -> dict[str, Any]:
        return {"uid": "a", "starts_at": starts, "ends_at": ends} | more

    day = "2025-03-05T10:00:00+08:00"
    async with nothing_changes(database):
        backwards = [
            time(day, day),
            time("1899-01-01T00:00:00Z", day),
            time(day, "2030-01-01T00:00:00Z"),
        ]
        body = refused(
            await staff.ask("PUT", path, json={"mode": "replace", "times": backwards}), 400
        )
        assert [each["message"][:8] for each in body["reasons"]] == [
            "times[0]",
            "times[1]",
            "times[2]",
        ]
        for wrong in (
            {"mode": "merge", "times": []},
            {"mode": "replace", "times": [time(day, "2025-03-05T10:00:00")]},
            {"mode": "replace", "times": [time(day, day, uid="x" * 251)]},
            {"mode": "replace", "times": [time(day, day, uid="a\u0000b")]},
            {"mode": "replace", "times": [time(day, day)] * 2001},
        ):
            refused(await staff.ask("PUT", path, json=wrong), 400)


async def test_an_outside_calendar_is_added_changed_refreshed_and_removed(staff: Staff):
    path = f"/instruments/{staff.instrument_id}/busy-sources"
    for url in (
        "http://calendar.example/a.ics",
        "https://169.254.169.254/",
        "https://a:b@c.example/",
    ):
        body = {"kind": "url", "name": "x", "url": url}
        refused(await staff.ask("POST", path, json=body), 422, "busy-source-refused")
    source_id = await staff.source("url", url="https://calendar.example/secret.ics")
    address = f"/busy-sources/{source_id}"
    same_name = {"kind": "url", "name": "our url", "url": "https://calendar.example/b.ics"}
    refused(await staff.ask("POST", path, json=same_name), 409, "busy-source-name")
    found = (await staff.ask("GET", address)).json()
    paused = await staff.ask("PUT", address, json={"paused": True})
    not_now = await staff.ask("POST", f"{address}/refresh")
    resumed = await staff.ask("PUT", address, json={"paused": False, "name": "新名"})
    refreshed = await staff.ask("POST", f"{address}/refresh")
    removed = await staff.ask("DELETE", address)

    assert (found["kind"], found["stale"], found["fetched_at"]) == ("url", True, None)
    assert paused.json()["due_at"] is None
    refused(not_now, 409, "busy-source-kind")
    assert resumed.json()["name"] == "新名"
    assert refreshed.json()["due_at"] is not None
    assert removed.status_code == 200
    refused(await staff.ask("GET", address), 404, "busy-source-missing")


async def test_a_system_pushes_with_a_key_to_its_own_providers_instruments_only(
    staff: Staff, database: Database
):
    source_id = await staff.source("push")
    path = f"/api/v1/busy-sources/{source_id}/times"
    manager = await an_actor(
        database, Role.PROVIDER_MANAGER, organisation_id=staff.actor.organisation_id
    )
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)

    async def push(by: Actor, scope: str) -> httpx.Response:
        key = await an_api_key(database, by=by, scopes=frozenset({scope}))
        nothing = {"mode": "replace", "times": []}
        return await staff.api.put(path, headers=by_key(key), json=nothing)

    assert (await push(manager, "calendar:write")).status_code == 200
    refused(await push(manager, "readings:write"), 403, "key-not-taken")
    refused(await push(stranger, "calendar:write"), 404, "busy-source-missing")
