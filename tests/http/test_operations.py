"""Running the platform over HTTP: notices, jobs, messages that wait, the audit trail."""

from __future__ import annotations

import httpx
from sqlalchemy import text

from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.events import Event
from marketplace.kernel.http import Services
from marketplace.kernel.jobs import claim, finish
from marketplace.parties.roles import Role
from tests.builders.parties import TEST, an_actor, bearer

NOTICE = {
    "severity": "warning",
    "title_zh": "周六停机维护",
    "title_en": "Maintenance on Saturday",
    "shown_from": "2025-03-03T08:00:00+08:00",
    "shown_until": "2025-03-09T18:00:00+08:00",
    "audience": ["buyer"],
}


async def test_a_notice_is_published_told_to_whom_it_is_for_and_withdrawn(
    database: Database, services: Services, api: httpx.AsyncClient
) -> None:
    administrator = bearer(services, await an_actor(database, Role.ADMINISTRATOR))
    buyer = bearer(services, await an_actor(database, Role.BUYER))

    def key(name: str) -> dict[str, str]:
        return administrator | {"Idempotency-Key": name}

    made = await api.post("/api/v1/notices", json=NOTICE, headers=key("a"))
    refused = await api.post(
        "/api/v1/notices", json=NOTICE | {"text_zh": "只有中文"}, headers=key("b")
    )
    notice_id = made.json()["id"]
    told = await api.get("/api/v1/notices/shown", headers=buyer)
    stranger = await api.get("/api/v1/notices/shown")
    listed = await api.get("/api/v1/notices?state=shown&role=buyer", headers=administrator)
    withdrawn = await api.post(
        f"/api/v1/notices/{notice_id}/withdraw", json={"reason": "改期"}, headers=key("c")
    )
    again = await api.post(
        f"/api/v1/notices/{notice_id}/withdraw", json={"reason": "改期"}, headers=key("d")
    )
    one = await api.get(f"/api/v1/notices/{notice_id}", headers=administrator)

    assert made.status_code == 201
    assert refused.status_code == 422
    assert refused.json()["reasons"][0]["rule"] == "texts"
    assert [each["id"] for each in told.json()] == [notice_id]
    assert stranger.json() == []
    assert listed.json()["total"] == 1
    assert withdrawn.status_code == 200
    assert again.status_code == 409
    assert one.json()["withdrawn_reason"] == "改期"


async def test_jobs_messages_and_the_trail_are_read_by_who_oversees(
    database: Database, services: Services, api: httpx.AsyncClient
) -> None:
    who = await an_actor(database, Role.ADMINISTRATOR)
    administrator = bearer(services, who)
    auditor = bearer(services, await an_actor(database, Role.AUDITOR))
    tick = database.clock.now()
    await claim(database, job="dry_runs", tick=tick, worker="w")
    await finish(database, job="dry_runs", tick=tick, done=None, error="RuntimeError: x")

    async def fail(tx: Tx, _: None) -> int:
        (name, *_rest) = Event.by_name
        insert = text(
            "insert into outbox_event (name, payload, recorded_at, due_at, attempts, last_error)"
            " values (:name, '{}', :now, :now, 20, 'no answer') returning id"
        )
        return int(await tx.scalar(insert, {"name": name, "now": tx.now}))

    message = await atomically(database, fail, None, actor=TEST)

    jobs = (await api.get("/api/v1/jobs", headers=auditor)).json()
    runs = (await api.get("/api/v1/jobs/runs?failed=true", headers=auditor)).json()
    waiting = (await api.get("/api/v1/messages", headers=auditor)).json()
    retried = await api.post(
        f"/api/v1/messages/{message}/retry", headers=administrator | {"Idempotency-Key": "r"}
    )
    trail = (await api.get("/api/v1/audit-trail?action=retry", headers=auditor)).json()
    file = await api.get("/api/v1/audit-trail/file?action=retry", headers=auditor)
    strange = await api.get("/api/v1/audit-trail?first_day=1066-10-14", headers=auditor)

    (dry_runs,) = [each for each in jobs if each["name"] == "dry_runs"]
    assert (dry_runs["state"], dry_runs["failures"]) == ("failed", 1)
    assert dry_runs["next_at"]
    assert runs["total"] == 1
    assert [each["id"] for each in waiting["results"]] == [message]
    assert retried.json()["attempts"] == 0
    assert [each["person_id"] for each in trail["results"]] == [who.person_id]
    assert len(file.text.strip().splitlines()) == 2
    assert strange.status_code == 400
