"""Objecting to a claim without signing in, and reports as files, over HTTP."""

import httpx

from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.parties.roles import Role
from tests.builders.parties import an_actor, bearer
from tests.builders.vouchers import a_claim, orders_are_numbers

V1 = "/api/v1"


async def test_anybody_reads_a_notice_and_objects_and_an_officer_answers(
    api: httpx.AsyncClient, database: Database, services: Services
):
    await orders_are_numbers(database)
    made = await a_claim(database, status="in_notice")
    there = f"{V1}/claim-notices/{made.claim_id}"
    notice = await api.get(there)
    assert len(notice.json()["lines"]) == 3
    body = {
        "name": "王敏",
        "contact": "wang@example.cn",
        "statement": "Never done.",
        "redemption_id": made.redemption_ids[0],
    }
    filed = await api.post(
        f"{there}/objections", json=body, headers={"Idempotency-Key": "objection-1"}
    )
    assert filed.status_code == 201, filed.text
    number = filed.json()["objection_id"]
    answer = await api.post(
        f"{V1}/claim-objections/{number}/answer",
        json={"upheld": True, "answer": "It was not."},
        headers=bearer(services, made.officer) | {"Idempotency-Key": "answer-1"},
    )
    assert answer.json()["status"] == "upheld"
    listed = await api.get(
        f"{V1}/claim-objections?claim_id={made.claim_id}", headers=bearer(services, made.provider)
    )
    assert listed.json()["total"] == 1
    lines = await api.get(
        f"{V1}/claims/{made.claim_id}/lines", headers=bearer(services, made.provider)
    )
    assert sum(line["claimed_fen"] for line in lines.json()["results"]) == 150_000


async def test_reports_and_open_data_come_as_files(
    api: httpx.AsyncClient, database: Database, services: Services
):
    await orders_are_numbers(database)
    made = await a_claim(database, status="submitted")
    auditor = await an_actor(database, Role.AUDITOR)
    provider_id = made.provider.organisation_id

    narrow = {
        of: await api.get(
            f"{V1}/voucher-report/file?by=sme&format=csv&provider_id={of}",
            headers=bearer(services, auditor),
        )
        for of in (provider_id, provider_id + 1_000)
    }
    report = await api.get(
        f"{V1}/voucher-report/file?by=programme&by=month&format=xlsx",
        headers=bearer(services, auditor),
    )
    published = await api.get(f"{V1}/open-data/vouchers/2025/file")
    figures = await api.get(f"{V1}/open-data/vouchers/2025")

    assert (report.status_code, report.content[:2]) == (200, b"PK")
    assert [len(each.text.splitlines()) for each in narrow.values()] == [2, 1]
    assert published.text.lstrip("\ufeff").startswith("year,programme_id")
    assert figures.json()["suppressed_below"] == 3
    twice = await api.get(f"{V1}/voucher-report?by=sme&by=sme", headers=bearer(services, auditor))
    assert twice.status_code == 422
