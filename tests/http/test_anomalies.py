"""Anomalies and ownership over HTTP."""

import httpx
import pytest

from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.parties.roles import Role
from marketplace.parties.rules.shareholding import Shareholding
from marketplace.vouchers.controllers import anomalies as controllers
from marketplace.vouchers.jobs import run_guards
from marketplace.vouchers.rules.anomalies import Subject, SubjectKind
from tests.builders.anomalies import a_finding, found
from tests.builders.parties import a_legal_entity, an_actor, bearer


async def test_an_officer_reads_assigns_and_decides_and_the_provider_answers(
    database: Database,
    services: Services,
    api: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    officer = await an_actor(database, Role.VOUCHER_OFFICER)
    provider = await an_actor(database, Role.PROVIDER_MANAGER)
    about = Subject(SubjectKind.ORGANISATION, provider.organisation_id)
    (one,) = await found(database, a_finding(about))
    staff = bearer(services, officer)

    listed = (
        await api.get("/api/v1/anomalies?kind=duplicate-contract&status=open", headers=staff)
    ).json()
    assert [each["id"] for each in listed["results"]] == [one.id]
    file = await api.get("/api/v1/anomalies/file?file_format=csv", headers=staff)
    assert file.text.count("\r\n") == 2
    monkeypatch.setattr(controllers, "FILE_ROWS_MAX", 0)
    refused = await api.get("/api/v1/anomalies/file", headers=staff)
    assert "anomalies-too-many" in refused.text
    page = (await api.get(f"/api/v1/anomalies/{one.id}", headers=staff)).json()
    assert page["subjects"] == [
        {
            "kind": "organisation",
            "id": provider.organisation_id,
            "href": f"/api/v1/organisations/{provider.organisation_id}",
        }
    ]

    assigned = await api.post(
        f"/api/v1/anomalies/{one.id}/assign",
        json={"person_id": officer.person_id},
        headers=staff | {"Idempotency-Key": "a"},
    )
    assert assigned.json()["anomaly"]["status"] == "in_review"
    decided = await api.post(
        f"/api/v1/anomalies/{one.id}/decide",
        json={"outcome": "confirmed", "reason": "One contract twice."},
        headers=staff | {"Idempotency-Key": "b"},
    )
    assert decided.json()["anomaly"]["status"] == "confirmed"
    answered = await api.post(
        f"/api/v1/findings/{one.id}/statements",
        json={"statement": "It was one contract for the year."},
        headers=bearer(services, provider) | {"Idempotency-Key": "c"},
    )
    assert answered.status_code == 201
    assert len(answered.json()["statements"]) == 1

    await run_guards(database)
    again = await api.post(
        "/api/v1/anomaly-runs", json={"everything": True}, headers=staff | {"Idempotency-Key": "d"}
    )
    assert again.json()["found"] == 0
    assert (await api.get("/api/v1/anomaly-runs", headers=staff)).json()["total"] == 2


async def test_staff_read_who_holds_a_legal_entity_and_whose_group_it_is_in(
    database: Database, services: Services, api: httpx.AsyncClient
) -> None:
    staff = bearer(services, await an_actor(database, Role.ADMINISTRATOR))
    top = await a_legal_entity(database, name="甲公司")
    held = (Shareholding("甲公司", 6_000),)
    firm = await a_legal_entity(database, name="乙公司", shareholdings=held)

    owned = (await api.get(f"/api/v1/legal-entities/{firm}/ownership", headers=staff)).json()
    assert [(each["holder"], each["controls"]) for each in owned["holdings"]] == [("甲公司", True)]
    group = (await api.get(f"/api/v1/legal-entities/{top}/controlling-group", headers=staff)).json()
    assert group["legal_entity_ids"] == [top, firm]
    history = (
        await api.get(f"/api/v1/legal-entities/{firm}/shareholding-history", headers=staff)
    ).json()
    assert history[0]["holder_legal_entity_id"] == top
    moved = await api.put(
        f"/api/v1/legal-entities/{firm}/contact",
        json={"address": "中山路1号", "phone": "025-1"},
        headers=staff | {"Idempotency-Key": "a"},
    )
    assert moved.json()["address"] == "中山路1号"
