"""The edge of the platform: one transaction, one answer per key, one problem shape."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, cast

import httpx
import msgspec
import pytest
import pytest_asyncio
from litestar import Litestar, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy import select, text

from marketplace.app import api_router
from marketplace.kernel import outbox
from marketplace.kernel.actors import Actor, system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import Conflict, Reasons, Refused
from marketplace.kernel.events import Event
from marketplace.kernel.http import ApiRequest, Services, allow, perform
from marketplace.kernel.problems import EXCEPTION_HANDLERS
from marketplace.kernel.settings import Settings
from marketplace.kernel.tables import audit_event, outbox_event
from marketplace.kernel.wire import Id, In, Out, PageNumber, Word
from tests.builders.owner import become_owner


class TooHeavy(Conflict):
    """For these tests: a constraint with a name."""

    code = "too-heavy"
    title = "Too heavy"
    constraint: ClassVar[str | None] = "parcel_weight_limit"


class NotToday(Refused):
    """For these tests: a refusal with reasons."""

    code = "not-today"
    title = "Not today"


@dataclass(frozen=True, slots=True)
class ParcelWeighed(Event):
    """For these tests."""

    parcel_id: int


class ParcelIn(In):
    weight: Annotated[int, msgspec.Meta(ge=0)]
    name: Annotated[str, msgspec.Meta(max_length=10)] = "parcel"


class ParcelOut(Out):
    id: int


async def weigh(tx: Tx, command: ParcelIn) -> int:
    if command.name == "refused":
        reasons = Reasons()
        reasons.add("first", "too early", limit=1, asked=0, source="J.16a")
        reasons.add("second", "too long")
        reasons.raise_as(NotToday)
    if command.name == "slow":
        await asyncio.sleep(0.5)
    made = await tx.scalar(
        text("insert into parcel (weight) values (:weight) returning id"),
        {"weight": command.weight},
    )
    tx.record(ParcelWeighed(parcel_id=made))
    tx.audit("weigh", subject="parcel", subject_id=made, weight=command.weight)
    return made


@post("/parcels", **allow("weigher"))
async def post_parcel(request: ApiRequest, data: JSONBody[ParcelIn]) -> Response[ParcelOut]:
    return await perform(request, weigh, data, present=lambda made: ParcelOut(id=made))


@get("/parcels/{parcel_id:int}", **allow("weigher"))
async def get_parcel(
    parcel_id: FromPath[Id], word: FromQuery[Word | None] = None, page: FromQuery[PageNumber] = 1
) -> ParcelOut:
    if parcel_id == 7:
        raise RuntimeError("a bug with a secret in it")
    return ParcelOut(id=parcel_id)


ACTOR = Actor(5, 6, "sme", frozenset({"weigher"}))


@pytest_asyncio.fixture
async def client(services: Services, database: Database, test_settings: Settings):
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(
            text(
                "create table parcel (id bigint generated always as identity primary key,"
                " weight bigint constraint parcel_weight_limit check (weight <= 100))"
            )
        )
        await connection.execute(text("grant update on parcel to public"))
    app = Litestar(
        [api_router([post_parcel, get_parcel], test_settings)],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    app.state.services = services
    transport = httpx.ASGITransport(app=cast(Any, app), raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {services.access_tokens.issue(ACTOR)}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://t", headers=headers) as made:
        yield made


async def count(database: Database, table: str) -> int:
    async with database.engine.connect() as connection:
        return (await connection.execute(text(f"select count(*) from {table}"))).scalar_one()


def key(value: str = "") -> dict[str, str]:
    return {"Idempotency-Key": value or uuid.uuid4().hex}


async def send(client, body, **headers):
    return await client.post("/api/v1/parcels", json=body, headers=headers or key())


async def test_a_command_its_event_and_its_audit_line_land_together(client, database):
    answer = await send(client, {"weight": 5})

    assert answer.status_code == 201
    async with database.engine.connect() as connection:
        event = (await connection.execute(select(outbox_event))).one()
        line = (await connection.execute(select(audit_event))).one()
    assert event.payload == {"parcel_id": answer.json()["id"]}
    assert (line.action, line.person_id, line.facts) == ("weigh", 5, {"weight": 5})


async def test_a_named_constraint_becomes_its_refusal_and_leaves_nothing(client, database):
    answer = await send(client, {"weight": 101})

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/too-heavy"
    assert [await count(database, t) for t in ("parcel", "outbox_event", "audit_event")] == [0] * 3


async def test_a_refusal_tells_every_reason_with_its_source(client):
    answer = await send(client, {"weight": 1, "name": "refused"})

    assert answer.status_code == 422
    first, second = answer.json()["reasons"]
    assert (first["rule"], first["limit"], first["source"]) == ("first", 1, "J.16a")
    assert second["message"] == "too long"


async def test_a_replay_gets_the_stored_answer_and_changes_nothing(client, database):
    first = await send(client, {"weight": 5}, **key("k-1"))
    again = await send(client, {"weight": 5}, **key("k-1"))

    assert again.json() == first.json()
    assert again.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    assert await count(database, "parcel") == 1


async def test_another_body_under_the_same_key_is_refused(client, database):
    await send(client, {"weight": 5}, **key("k-1"))
    other = await send(client, {"weight": 6}, **key("k-1"))

    assert other.status_code == 422
    assert other.json()["type"] == "/problems/idempotency-key-reused"
    assert await count(database, "parcel") == 1


async def test_a_concurrent_twin_is_told_at_once(client, database):
    body = {"weight": 5, "name": "slow"}
    answers = await asyncio.gather(*(send(client, body, **key("k-1")) for _ in range(5)))

    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409, 409]
    assert await count(database, "parcel") == 1


async def test_a_refusal_is_not_stored_so_the_same_key_may_succeed_later(client):
    assert (await send(client, {"weight": 101}, **key("k-1"))).status_code == 409

    assert (await send(client, {"weight": 101}, **key("k-1"))).status_code == 409
    assert (await send(client, {"weight": 100}, **key("k-1"))).status_code == 201


async def test_a_post_without_a_key_is_refused(client):
    answer = await client.post("/api/v1/parcels", json={"weight": 1})

    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/idempotency-key-missing"


async def test_everything_wrong_with_a_body_is_said_at_once(client):
    answer = await send(client, {"weight": "5", "name": "x" * 11, "colour": "red"})

    assert answer.status_code == 400
    assert {reason["rule"] for reason in answer.json()["reasons"]} == {"weight", "name", "colour"}


async def test_a_missing_field_is_named(client):
    answer = await send(client, {})

    assert answer.json()["reasons"][0]["rule"] == "weight"


async def test_malformed_json_is_a_400_and_another_media_type_a_415(client):
    for content in (b"{bad", b"", b"\xff", b"[" * 20_000, b'{"weight": 1e999}', b'"\\ud800"'):
        answer = await client.post("/api/v1/parcels", content=content, headers=key())
        assert answer.status_code == 400, content[:20]
    answer = await client.post(
        "/api/v1/parcels", content=b"<a/>", headers={"content-type": "text/xml", **key()}
    )
    assert answer.status_code == 415


async def test_a_huge_body_is_refused_unread(client, test_settings):
    content = b'{"weight": 1, "name": "' + b"x" * test_settings.request_bytes_max + b'"}'
    answer = await client.post("/api/v1/parcels", content=content, headers=key())

    assert answer.status_code == 413


async def test_nobody_and_the_wrong_role_are_refused_before_the_body_is_read(client, services):
    nobody = await client.post("/api/v1/parcels", content=b"{bad", headers={"Authorization": ""})
    token = services.access_tokens.issue(Actor(5, 6, "sme", frozenset({"buyer"})))
    wrong = await client.post(
        "/api/v1/parcels", content=b"{bad", headers={"Authorization": f"Bearer {token}"}
    )

    assert (nobody.status_code, wrong.status_code) == (401, 403)
    assert nobody.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", [str(10**30), "0", "1?page=0", "1?word=", f"1?word={'x' * 101}"])
async def test_parameters_keep_the_bounds_of_their_types(client, path):
    answer = await client.get(f"/api/v1/parcels/{path}")

    assert answer.status_code == 400
    assert answer.json()["reasons"]


async def test_a_bug_is_a_500_that_tells_nothing_of_its_insides(client):
    answer = await client.get("/api/v1/parcels/7")

    assert answer.status_code == 500
    assert "secret" not in answer.text


async def test_an_address_or_method_that_is_not_there_is_a_problem_too(client):
    for answer, status in (
        (await client.get("/api/v1/nowhere"), 404),
        (await client.delete("/api/v1/parcels"), 405),
    ):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


async def test_an_event_is_delivered_until_its_handler_succeeds_and_then_once(
    client, database, clock
):
    await send(client, {"weight": 5})
    heard: list[int] = []

    async def hear(tx: Tx, event: ParcelWeighed) -> None:
        heard.append(event.parcel_id)
        if len(heard) == 1:
            raise ValueError("the first time fails")

    handlers: outbox.Handlers = {ParcelWeighed: [hear]}
    await outbox.deliver_due(database, handlers)
    await outbox.deliver_due(database, handlers)
    assert len(heard) == 1

    clock.set(clock.now().replace(hour=23))
    await outbox.deliver_due(database, handlers)
    await outbox.deliver_due(database, handlers)

    assert len(heard) == 2


async def test_two_workers_deliver_each_event_once(client, database):
    for weight in range(10):
        await send(client, {"weight": weight})
    heard: list[int] = []

    async def hear(tx: Tx, event: ParcelWeighed) -> None:
        await asyncio.sleep(0.01)
        heard.append(event.parcel_id)

    handlers: outbox.Handlers = {ParcelWeighed: [hear]}
    await asyncio.gather(*(outbox.deliver_due(database, handlers) for _ in range(4)))

    assert len(heard) == len(set(heard)) == 10


async def test_a_deadlock_is_retried_and_both_commands_succeed(client, database):
    async with database.engine.begin() as connection:
        await connection.execute(text("insert into parcel (weight) values (1), (2)"))
    both_hold_one = asyncio.Barrier(2)
    attempts: list[int] = []

    async def add_one(tx: Tx, order: tuple[int, int]) -> None:
        attempts.append(order[0])
        statement = text("update parcel set weight = weight + 1 where id = :id")
        await tx.execute(statement, {"id": order[0]})
        if len(attempts) <= 2:
            await both_hold_one.wait()
        await tx.execute(statement, {"id": order[1]})

    actor = system_actor("test")
    await asyncio.gather(
        atomically(database, add_one, (1, 2), actor=actor),
        atomically(database, add_one, (2, 1), actor=actor),
    )

    assert len(attempts) == 3
    async with database.engine.connect() as connection:
        weights = (await connection.execute(text("select weight from parcel order by id"))).all()
    assert [row.weight for row in weights] == [3, 4]
