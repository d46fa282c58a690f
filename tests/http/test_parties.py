"""The API of parties as a client meets it."""

from typing import Any

import httpx
import pytest

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.http import Services
from marketplace.parties.roles import Role
from marketplace.parties.use_cases import (
    GrantRole,
    RevokeRole,
    SuspendOrganisation,
    grant_role,
    revoke_role,
    suspend_organisation,
)
from tests.builders.parties import (
    PASSWORD,
    TEST,
    a_person,
    a_provider,
    a_uscc,
    an_actor,
    an_sme,
    bearer,
)

API = "/api/v1"
LI = "li@lab.cn"


@pytest.fixture
def as_(services: Services) -> Any:
    """Headers with which an actor sends a request for the first time."""

    def headers(actor: Actor, key: str = "key-1") -> dict[str, str]:
        return bearer(services, actor) | {"Idempotency-Key": key}

    return headers


async def a_technician(database: Database) -> tuple[int, int]:
    lab = await a_provider(database)
    return lab, await a_person(database, email=LI, organisation_id=lab, roles=(Role.TECHNICIAN,))


async def sign_in(api: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    return await api.post(f"{API}/sign-in", json={"email": LI, "password": PASSWORD, **changes})


def code(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    return str(response.json()["type"])


async def test_a_person_signs_in_and_is_who_they_are(
    api: httpx.AsyncClient, database: Database
) -> None:
    lab, person_id = await a_technician(database)

    tokens = (await sign_in(api)).raise_for_status().json()
    me = await api.get(f"{API}/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})

    assert me.status_code == 200
    assert me.json() == tokens["me"]
    assert me.json()["person"] | {"registered_at": ""} == {
        "id": person_id,
        "name": me.json()["person"]["name"],
        "email": LI,
        "phone": "13800000000",
        "disabled": False,
        "registered_at": "",
    }
    assert me.json()["organisation"]["id"] == lab
    assert me.json()["roles"] == ["technician"]


async def test_a_wrong_password_is_a_401_problem(
    api: httpx.AsyncClient, database: Database
) -> None:
    await a_technician(database)

    refused = await sign_in(api, password="a wrong password")

    assert refused.status_code == 401
    assert code(refused) == "/problems/sign-in-refused"
    assert refused.headers["www-authenticate"] == "Bearer"


async def refresh(api: httpx.AsyncClient, token: str, **more: Any) -> httpx.Response:
    return await api.post(f"{API}/sign-in/refresh", json={"refresh_token": token, **more})


async def test_a_refresh_token_is_good_once_and_a_copy_ends_the_family(
    api: httpx.AsyncClient, database: Database
) -> None:
    await a_technician(database)
    first = (await sign_in(api)).json()["refresh_token"]

    second = await refresh(api, first)
    assert second.status_code == 200
    again = await refresh(api, first)
    assert again.status_code == 401
    assert code(again) == "/problems/refresh-token-reused"
    family = await refresh(api, second.json()["refresh_token"])
    assert family.status_code == 401
    assert code(family) == "/problems/token-refused"


@pytest.mark.parametrize("token", ["x", ".", "a.b", "a.b.c", "💥", "x" * 200])
async def test_a_made_up_refresh_token_is_refused(api: httpx.AsyncClient, token: str) -> None:
    assert (await refresh(api, token)).status_code == 401


async def test_signing_out_ends_the_sign_in(api: httpx.AsyncClient, database: Database) -> None:
    await a_technician(database)
    token = (await sign_in(api)).json()["refresh_token"]

    out = await api.post(f"{API}/sign-out", json={"refresh_token": token})

    assert out.status_code == 204
    assert (await refresh(api, token)).status_code == 401


async def test_a_refresh_may_go_on_in_another_organisation(
    api: httpx.AsyncClient, database: Database
) -> None:
    _, person_id = await a_technician(database)
    sme = await an_sme(database)
    await atomically(database, grant_role, GrantRole(person_id, sme, Role.BUYER), actor=TEST)
    signed_in = (await sign_in(api)).json()
    (other,) = signed_in["me"]["others"]

    switched = await refresh(
        api, signed_in["refresh_token"], organisation_id=other["organisation"]["id"]
    )
    stayed = await refresh(api, switched.json()["refresh_token"])

    assert switched.json()["me"]["organisation"]["id"] == sme
    assert stayed.json()["me"]["organisation"]["id"] == sme
    assert stayed.json()["me"]["roles"] == ["buyer"]


async def test_a_sign_in_does_not_outlive_what_it_stood_on(
    api: httpx.AsyncClient, database: Database
) -> None:
    lab, person_id = await a_technician(database)
    first, second = [(await sign_in(api)).json()["refresh_token"] for _ in range(2)]

    await atomically(database, suspend_organisation, SuspendOrganisation(lab, "欠费"), actor=TEST)
    assert code(await refresh(api, first)) == "/problems/organisation-suspended"
    await atomically(database, revoke_role, RevokeRole(person_id, lab, Role.TECHNICIAN), actor=TEST)
    assert code(await refresh(api, second)) == "/problems/not-a-member"
    assert code(await refresh(api, second)) == "/problems/token-refused"


async def test_a_changed_password_is_the_only_one(
    api: httpx.AsyncClient, database: Database, services: Services
) -> None:
    await a_technician(database)
    tokens = (await sign_in(api)).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}

    wrong = await api.post(
        f"{API}/me/password",
        json={"present": "a wrong password", "new": "another long phrase"},
        headers=headers,
    )
    assert wrong.status_code == 422
    changed = await api.post(
        f"{API}/me/password",
        json={"present": PASSWORD, "new": "another long phrase"},
        headers=headers,
    )

    assert changed.status_code == 204
    assert (await sign_in(api)).status_code == 401
    assert (await sign_in(api, password="another long phrase")).status_code == 200


def a_legal_entity_body(**changes: Any) -> dict[str, Any]:
    return {
        "uscc": a_uscc(),
        "name": "南京精测有限公司",
        "region_code": "320100",
        "kind": "company",
        "capital": "social",
        "legal_representative": "李四",
    } | changes


@pytest.mark.parametrize(
    ("uscc", "status"),
    [("91320000000000001X0", 422), ("9132", 422), ("", 400), ("9" * 41, 400), (18, 400)],
)
async def test_a_bad_code_is_refused_and_never_breaks(
    api: httpx.AsyncClient, database: Database, as_: Any, uscc: object, status: int
) -> None:
    administrator = await an_actor(database, Role.ADMINISTRATOR)

    refused = await api.post(
        f"{API}/legal-entities",
        json=a_legal_entity_body(uscc=uscc),
        headers=as_(administrator),
    )

    assert refused.status_code == status
    assert code(refused) in ("/problems/uscc-invalid", "/problems/malformed")


async def test_a_party_is_registered_verified_and_suspended(
    api: httpx.AsyncClient, database: Database, as_: Any
) -> None:
    one = await an_actor(database, Role.ADMINISTRATOR)
    other = await an_actor(database, Role.ADMINISTRATOR, organisation_id=one.organisation_id)
    body = a_legal_entity_body(shareholdings=[{"holder": "李四", "basis_points": 10_000}])

    made = await api.post(f"{API}/legal-entities", json=body, headers=as_(one))
    assert made.status_code == 201, made.text
    entity = f"{API}/legal-entities/{made.json()['id']}"
    replay = await api.post(f"{API}/legal-entities", json=body, headers=as_(one))
    assert replay.json() == made.json()
    twice = await api.post(f"{API}/legal-entities", json=body, headers=as_(one, "key-2"))
    assert twice.status_code == 409
    own = await api.post(f"{entity}/verify", headers=as_(one, "key-3"))
    assert code(own) == "/problems/verified-by-registrar"
    verified = await api.post(f"{entity}/verify", headers=as_(other))
    assert verified.json()["verified_at"]
    held = await api.get(f"{entity}/shareholdings", headers=as_(one))
    assert held.json() == {"shareholdings": body["shareholdings"]}

    sme = await api.post(
        f"{API}/organisations",
        json={
            "legal_entity_id": made.json()["id"],
            "kind": "sme",
            "name": "南京精测",
            "region_code": "320100",
        },
        headers=as_(one, "key-4"),
    )
    assert sme.status_code == 201, sme.text
    suspended = await api.post(
        f"{API}/organisations/{sme.json()['id']}/suspend",
        json={"reason": "欠费"},
        headers=as_(one, "key-5"),
    )
    assert suspended.json()["suspended"] is True
    resumed = await api.post(
        f"{API}/organisations/{sme.json()['id']}/resume", headers=as_(one, "key-6")
    )
    assert resumed.json()["suspended"] is False


async def test_holders_are_set_and_affiliation_is_told(
    api: httpx.AsyncClient, database: Database, as_: Any
) -> None:
    one = await an_actor(database, Role.ADMINISTRATOR)
    ids = []
    for number in range(2):
        made = await api.post(
            f"{API}/legal-entities",
            json=a_legal_entity_body(legal_representative=f"张{number}"),
            headers=as_(one, f"key-{number}"),
        )
        ids.append(made.json()["id"])
    question = f"{API}/legal-entities/{ids[0]}/affiliation"

    before = await api.get(question, params={"other_id": ids[1]}, headers=as_(one))
    for each in ids:
        holders = [{"holder": "某控股公司", "basis_points": 5_000}]
        put = await api.put(
            f"{API}/legal-entities/{each}/shareholdings",
            json={"shareholdings": holders},
            headers=as_(one),
        )
        assert put.status_code == 200
    after = await api.get(question, params={"other_id": ids[1]}, headers=as_(one))

    assert before.json()["affiliated"] is False
    assert after.json()["kind"] == "common-control"


async def test_people_are_found_masked_and_shown_whole_one_at_a_time(
    api: httpx.AsyncClient, database: Database, as_: Any
) -> None:
    administrator = await an_actor(database, Role.ADMINISTRATOR)
    made = await api.post(
        f"{API}/people",
        json={"email": LI, "name": "李明", "password": PASSWORD, "phone": "13812345678"},
        headers=as_(administrator),
    )
    assert made.status_code == 201, made.text

    found = await api.get(f"{API}/people", params={"text": LI}, headers=as_(administrator))
    whole = await api.get(f"{API}/people/{made.json()['id']}", headers=as_(administrator))

    assert [row["email"] for row in found.json()["results"]] == ["l***@lab.cn"]
    assert [row["phone"] for row in found.json()["results"]] == ["138****5678"]
    assert whole.json()["person"]["email"] == LI
    assert whole.json()["places"] == []


async def test_a_weak_first_password_says_everything_that_is_wrong(
    api: httpx.AsyncClient, database: Database, as_: Any
) -> None:
    administrator = await an_actor(database, Role.ADMINISTRATOR)

    refused = await api.post(
        f"{API}/people",
        json={"email": LI, "name": "李明", "password": "aaa"},
        headers=as_(administrator),
    )

    assert refused.status_code == 422
    rules = {reason["rule"] for reason in refused.json()["reasons"]}
    assert rules == {"password-length", "password-characters"}


async def test_a_keeper_adds_grants_revokes_and_sees_the_own_members(
    api: httpx.AsyncClient, database: Database, as_: Any
) -> None:
    keeper = await an_actor(database, Role.SME_ADMINISTRATOR)
    members = f"{API}/organisations/{keeper.organisation_id}/members"

    added = await api.post(
        members,
        json={"role": "buyer", "email": LI, "name": "李明", "password": PASSWORD},
        headers=as_(keeper),
    )
    assert added.status_code == 201, added.text
    role = f"{members}/{added.json()['id']}/roles/sme_administrator"
    assert (await api.put(role, headers=as_(keeper))).status_code == 200
    listed = (await api.get(members, headers=as_(keeper))).json()
    assert (LI, "sme_administrator") in {(row["email"], row["role"]) for row in listed}
    assert (await api.delete(role, headers=as_(keeper))).status_code == 200
    assert (await api.delete(role, headers=as_(keeper))).status_code == 404
    unknown = await api.put(f"{members}/{added.json()['id']}/roles/king", headers=as_(keeper))
    assert unknown.status_code in (400, 404)
    of_the_centre = await api.put(
        f"{members}/{added.json()['id']}/roles/auditor", headers=as_(keeper)
    )
    assert of_the_centre.status_code == 422


async def test_an_auditor_sees_members_masked(
    api: httpx.AsyncClient, database: Database, as_: Any
) -> None:
    keeper = await an_actor(database, Role.SME_ADMINISTRATOR)
    auditor = await an_actor(database, Role.AUDITOR)

    listed = await api.get(
        f"{API}/organisations/{keeper.organisation_id}/members", headers=as_(auditor)
    )

    assert listed.status_code == 200
    assert all("***" in row["email"] for row in listed.json())


async def test_a_person_is_disabled_at_once_for_new_sign_ins(
    api: httpx.AsyncClient, database: Database, as_: Any
) -> None:
    _, person_id = await a_technician(database)
    administrator = await an_actor(database, Role.ADMINISTRATOR)

    await api.post(f"{API}/people/{person_id}/disable", headers=as_(administrator))
    assert code(await sign_in(api)) == "/problems/person-disabled"
    await api.post(f"{API}/people/{person_id}/enable", headers=as_(administrator, "key-2"))
    assert (await sign_in(api)).status_code == 200


async def test_a_profile_is_filed_by_the_sme_and_read_by_the_officer(
    api: httpx.AsyncClient, database: Database, as_: Any
) -> None:
    mine = await an_sme(database, profile_year=None)
    me = await an_actor(database, Role.SME_ADMINISTRATOR, organisation_id=mine)
    officer = await an_actor(database, Role.VOUCHER_OFFICER)
    stranger = await an_actor(database, Role.SME_ADMINISTRATOR)
    body = {"staff": 12, "sales_fen": 500_00, "assets_fen": 600_00}
    profiles = f"{API}/organisations/{mine}/profiles"

    assert (await api.put(f"{profiles}/2025", json=body, headers=as_(me))).status_code == 200
    refused = await api.put(f"{profiles}/2025", json=body, headers=as_(stranger))
    assert refused.status_code == 404
    assert (await api.get(profiles, headers=as_(stranger))).status_code == 404
    read = await api.get(profiles, headers=as_(officer))
    assert [row["staff"] for row in read.json()] == [12]


async def test_a_provider_has_a_public_page_and_an_sme_one_for_those_signed_in(
    api: httpx.AsyncClient, database: Database, as_: Any
) -> None:
    provider, sme = await a_provider(database), await an_sme(database)
    buyer = await an_actor(database, Role.BUYER)

    assert (await api.get(f"{API}/organisations/{provider}")).status_code == 200
    assert (await api.get(f"{API}/organisations/{sme}")).status_code == 404
    seen = await api.get(f"{API}/organisations/{sme}", headers=as_(buyer))
    assert seen.status_code == 200
    assert (await api.get(f"{API}/organisations/999999")).status_code == 404
    assert (await api.get(f"{API}/organisations/{2**63}")).status_code == 400


async def test_lists_are_paged_and_filtered(
    api: httpx.AsyncClient, database: Database, as_: Any
) -> None:
    auditor = await an_actor(database, Role.AUDITOR)
    for _ in range(3):
        await a_provider(database)

    page = await api.get(
        f"{API}/organisations",
        params={"kind": "provider", "page_size": 2, "page": 2},
        headers=as_(auditor),
    )
    assert page.json()["total"] == 3
    assert len(page.json()["results"]) == 1
    entities = await api.get(
        f"{API}/legal-entities", params={"kind": "university"}, headers=as_(auditor)
    )
    assert entities.json()["total"] == 3
    for wrong in ({"page_size": 201}, {"page": 0}, {"kind": "king"}, {"region_code": "32"}):
        refused = await api.get(f"{API}/organisations", params=wrong, headers=as_(auditor))
        assert refused.status_code == 400, wrong
