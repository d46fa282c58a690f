"""Every list of claims and vouchers is a file with the same filters, which says where it is cut."""

import csv
import io

import httpx
import pytest

from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.parties.roles import Role
from marketplace.vouchers.controllers import files
from marketplace.vouchers.queries import PageAsked
from tests.builders.parties import an_actor, bearer
from tests.builders.vouchers import AClaim, a_claim, a_grant, a_hold, orders_are_numbers

V1 = "/api/v1"


async def table_at(
    api: httpx.AsyncClient, address: str, headers: dict[str, str]
) -> list[dict[str, str]]:
    answer = await api.get(f"{V1}{address}", headers=headers)
    assert answer.status_code == 200, (address, answer.text)
    assert "attachment" in answer.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def test_every_list_is_a_file_of_the_same_rows(
    api: httpx.AsyncClient, database: Database, services: Services
):
    await orders_are_numbers(database)
    granted = await a_grant(database)
    made = await a_claim(database, granted=granted, status="in_notice")
    await a_hold(database, granted=granted, provider_id=made.provider.organisation_id)
    auditor = bearer(services, await an_actor(database, Role.AUDITOR))
    claim, grant = f"/claims/{made.claim_id}", f"/voucher-grants/{granted.grant_id}"

    for address in (
        "/claims",
        "/redemptions",
        f"{claim}/lines",
        f"{claim}/evidence",
        "/claim-objections",
        "/clawbacks",
        "/sanctions",
        "/audit-paths",
        "/voucher-grant-changes",
        "/beneficiary-facts",
        f"{grant}/movements",
        f"{grant}/holds",
    ):
        listed = (await api.get(f"{V1}{address}", headers=auditor)).json()
        rows = await table_at(api, f"{address}/file", auditor)
        assert len(rows) == listed["total"], address
        for row, told in zip(rows, listed["results"], strict=True):
            assert {name: row[name] for name in row.keys() & {"id", "amount_fen"}} == {
                name: str(told[name]) for name in row.keys() & {"id", "amount_fen"}
            }
    as_workbook = await api.get(f"{V1}{claim}/lines/file?format=xlsx", headers=auditor)
    assert as_workbook.content[:2] == b"PK"


async def test_a_file_that_does_not_hold_everything_says_so(
    api: httpx.AsyncClient,
    database: Database,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
):
    await orders_are_numbers(database)
    made = await a_claim(database, status="submitted")
    monkeypatch.setattr(files, "WHOLE", PageAsked(1, 2))

    answer = await api.get(
        f"{V1}/claims/{made.claim_id}/lines/file", headers=bearer(services, made.provider)
    )

    assert answer.headers["Total-Rows"] == "3"
    rows = answer.content.decode("utf-8-sig").splitlines()
    assert len(rows) == 4
    assert rows[-1].startswith("2 of 3 rows")


@pytest.fixture
async def two_claims(database: Database) -> tuple[AClaim, AClaim]:
    await orders_are_numbers(database)
    return await a_claim(database, status="submitted"), await a_claim(database, status="submitted")


async def test_claims_are_found_by_claimant_paper_and_invoice(
    api: httpx.AsyncClient,
    database: Database,
    services: Services,
    two_claims: tuple[AClaim, AClaim],
):
    made, other = two_claims
    officer = bearer(services, made.officer)
    provider = bearer(services, made.provider)
    evidence = await api.get(f"{V1}/claims/{made.claim_id}/evidence", headers=provider)
    [number, *_] = [
        each["invoice_number"] for each in evidence.json()["results"] if each["invoice_number"]
    ]
    organisation = await api.get(
        f"{V1}/organisations/{made.provider.organisation_id}", headers=officer
    )

    async def found(text: str, headers: dict[str, str]) -> list[int]:
        answer = await api.get(f"{V1}/claims", params={"text": text}, headers=headers)
        assert answer.status_code == 200, answer.text
        rows = await table_at(api, f"/claims/file?text={text}", headers)
        assert [int(row["id"]) for row in rows] == [each["id"] for each in answer.json()["results"]]
        return [each["id"] for each in answer.json()["results"]]

    assert await found(number, officer) == [made.claim_id]
    assert await found("contract.pdf", officer) == [other.claim_id, made.claim_id]
    assert await found("contract.pdf", provider) == [made.claim_id]
    assert made.claim_id in await found(organisation.json()["name"], officer)
    assert await found("nowhere", officer) == []
