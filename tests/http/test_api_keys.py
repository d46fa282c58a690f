"""Keys of systems over HTTP: made once, shown once, good for their scopes, refused when not."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from marketplace.app import create_app
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.http import Services
from marketplace.kernel.settings import Settings
from marketplace.kernel.time import SetClock
from marketplace.parties.errors import SignInRefused
from marketplace.parties.roles import Role, Scope
from marketplace.parties.use_cases import (
    SignIn,
    SuspendOrganisation,
    act_by_key,
    sign_in,
    suspend_organisation,
)
from tests.builders.api_keys import an_api_key, by_key
from tests.builders.parties import TEST, an_actor, bearer
from tests.conftest import TOKEN_SECRET

pytestmark = pytest.mark.asyncio

ASKED: dict[str, Any] = {
    "name": "校级平台",
    "scopes": ["readings:write", "reservations:read"],
    "expires_at": "2026-03-03T00:00:00+08:00",
}
READS = frozenset({Scope.RESERVATIONS_READ.value})


@pytest.fixture
async def manager(database: Database) -> Actor:
    return await an_actor(database, Role.PROVIDER_MANAGER)


async def trail(database: Database) -> list[tuple[str, int]]:
    """What the audit trail says of keys: who did what."""

    async def ask(tx: Tx, _: None) -> list[tuple[str, int]]:
        rows = await tx.execute(
            text("select action, person_id from audit_event where subject = 'api_key' order by id")
        )
        return [(row.action, row.person_id) for row in rows]

    return await atomically(database, ask, None, actor=TEST)


async def test_a_key_is_shown_once_and_listed_by_its_prefix(
    api: httpx.AsyncClient, services: Services, database: Database, manager: Actor
):
    sent = bearer(services, manager)

    made = await api.post("/api/v1/api-keys", headers=sent, json=ASKED)
    again = await api.post("/api/v1/api-keys", headers=sent, json=ASKED)
    listed = (await api.get("/api/v1/api-keys", headers=sent)).json()

    assert made.status_code == 201
    token, key = made.json()["token"], made.json()["key"]
    assert token.startswith(f"scm_{key['prefix']}_")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/api-key-name-used")
    assert listed["results"] == [key]
    assert token.rpartition("_")[2] not in str(listed)

    async def kept(tx: Tx, _: None) -> str:
        return str((await tx.execute(text("select * from api_key"))).mappings().all())

    assert token[15:] not in await atomically(database, kept, None, actor=TEST)
    assert await trail(database) == [("make", manager.person_id)]


async def test_a_key_is_good_for_its_scopes_and_its_own_organisation(
    api: httpx.AsyncClient, database: Database, manager: Actor
):
    reads = await an_api_key(database, by=manager, scopes=READS)
    writes = await an_api_key(database, by=manager)

    allowed = await api.get("/api/v1/reservations", headers=by_key(reads))
    refused = await api.get("/api/v1/reservations", headers=by_key(writes))
    not_at_all = [
        await api.get(address, headers=by_key(reads))
        for address in ("/api/v1/me", "/api/v1/api-keys", "/api/v1/machine-hours")
    ]

    assert (allowed.status_code, allowed.json()["total"]) == (200, 0)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/key-not-taken")
    assert refused.json()["needed"] == "reservations:read"
    assert {answer.status_code for answer in not_at_all} == {403}


async def test_a_key_that_is_wrong_expired_revoked_or_of_a_suspended_organisation_gets_one_answer(
    api: httpx.AsyncClient,
    services: Services,
    database: Database,
    clock: SetClock,
    manager: Actor,
):
    made = await an_api_key(database, by=manager, scopes=READS)
    other = await an_api_key(database, by=manager, scopes=READS)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    theirs = await an_api_key(database, by=stranger, scopes=READS)

    async def ask(token: str) -> httpx.Response:
        sent = {"Authorization": f"Bearer {token}"}
        return await api.get("/api/v1/reservations", headers=sent)

    assert (await ask(made.text)).status_code == 200
    answers = [
        await ask(made.text[:-1] + ("A" if made.text[-1] != "A" else "B")),
        await ask(made.text.replace(made.key.prefix, "zzzzzzzzzz")),
        await ask(other.text[:14] + made.text[14:]),
        await ask("scm_nonsense"),
    ]
    # Nobody revokes another organisation's key.
    by_stranger = await api.delete(
        f"/api/v1/api-keys/{made.key.id}", headers=bearer(services, stranger)
    )
    assert by_stranger.json()["type"] == "/problems/api-key-not-found"
    assert (await ask(made.text)).status_code == 200
    for _ in range(2):
        revoked = await api.delete(
            f"/api/v1/api-keys/{made.key.id}", headers=bearer(services, manager)
        )
        assert revoked.status_code == 200
    answers.append(await ask(made.text))
    suspend = SuspendOrganisation(stranger.organisation_id, "audit")
    await atomically(database, suspend_organisation, suspend, actor=TEST)
    answers.append(await ask(theirs.text))
    clock.set(clock.now() + timedelta(days=365))
    answers.append(await ask(other.text))

    assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {
        (401, "/problems/token-refused")
    }
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert [action for action, _ in await trail(database)] == ["make", "make", "make", "revoke"]


async def test_a_key_that_cannot_be_made_is_refused_with_every_reason(
    api: httpx.AsyncClient, services: Services, manager: Actor
):
    sent = bearer(services, manager)

    late = await api.post(
        "/api/v1/api-keys",
        headers=sent,
        json=ASKED | {"name": " ", "expires_at": "2027-03-06T00:00:00Z"},
    )
    unknown = await api.post("/api/v1/api-keys", headers=sent, json=ASKED | {"scopes": ["all"]})
    far = await api.post(
        "/api/v1/api-keys", headers=sent, json=ASKED | {"expires_at": "9999-12-31T23:59:59Z"}
    )

    assert late.status_code == 422
    assert [reason["rule"] for reason in late.json()["reasons"]] == ["key-name", "key-lifetime"]
    assert unknown.status_code == far.status_code == 400


async def test_a_buyer_makes_no_keys_and_an_administrator_sees_and_revokes_all(
    api: httpx.AsyncClient, services: Services, database: Database, manager: Actor
):
    made = await an_api_key(database, by=manager)
    buyer = bearer(services, await an_actor(database, Role.BUYER))
    administrator = bearer(services, await an_actor(database, Role.ADMINISTRATOR))

    assert (await api.post("/api/v1/api-keys", headers=buyer, json=ASKED)).status_code == 403
    seen = await api.get(
        "/api/v1/api-keys",
        headers=administrator,
        params={"organisation_id": manager.organisation_id, "good": "true"},
    )
    await api.delete(f"/api/v1/api-keys/{made.key.id}", headers=administrator)
    left = await api.get("/api/v1/api-keys", headers=administrator, params={"good": "true"})

    assert [row["prefix"] for row in seen.json()["results"]] == [made.key.prefix]
    assert left.json()["total"] == 0


async def test_a_system_acts_as_a_person_of_its_own_who_cannot_sign_in(
    database: Database, manager: Actor, clock: SetClock
):
    made = await an_api_key(database, by=manager)

    actor = await act_by_key(database, made.text)

    assert actor.person_id not in (manager.person_id, 0)
    assert (actor.organisation_id, actor.roles) == (manager.organisation_id, frozenset())
    assert actor.scopes == {"readings:write"}
    assert actor.label == f"key:{made.key.prefix}"
    for password in ("", made.text):
        with pytest.raises(SignInRefused):
            await sign_in(database, SignIn(f"{made.key.prefix}@keys.invalid", password))


async def test_when_a_key_was_used_is_known_to_the_hour(
    api: httpx.AsyncClient,
    services: Services,
    database: Database,
    clock: SetClock,
    manager: Actor,
):
    made = await an_api_key(database, by=manager)
    began = clock.now()
    used = []
    for minutes in (0, 59, 61):
        clock.set(began + timedelta(minutes=minutes))
        await act_by_key(database, made.text)
        (row,) = (await api.get("/api/v1/api-keys", headers=bearer(services, manager))).json()[
            "results"
        ]
        used.append(row["last_used_at"])

    assert used[0] == used[1] != used[2]


async def test_a_keys_requests_count_for_it_and_made_up_keys_for_their_address(
    database: Database, services: Services, manager: Actor
):
    settings = Settings(token_secret=SecretStr(TOKEN_SECRET), requests_per_minute=2)
    made = await an_api_key(database, by=manager, scopes=READS)
    app: Any = create_app(services, settings)
    transport = httpx.ASGITransport(app=app)

    async with httpx.AsyncClient(transport=transport, base_url="http://platform.test") as api:

        async def ask(token: str) -> int:
            sent = {"Authorization": f"Bearer {token}"}
            return (await api.get("/api/v1/reservations", headers=sent)).status_code

        # The first counts for the address, because nobody knows yet that the key is good.
        assert [await ask(made.text) for _ in range(4)] == [200, 200, 200, 429]
        assert [await ask(f"scm_{number:010}_x") for number in range(2)] == [401, 429]
