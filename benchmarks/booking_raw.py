"""The endpoint that the real one is measured against: the same SQL through bare asyncpg.

It checks the same token, reads the same body and runs the same statements in the same order, by
hand and without one rule: no reasons, no events beyond the row, no typed answer.
"""

import hashlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
from litestar import Litestar, Request, Response, get, post

from marketplace.kernel.tokens import AccessTokens

LOCK = "select pg_try_advisory_xact_lock(hashtextextended($1, 0))"
STORED = """
select method, path, body_sha256, status, body from idempotency_key
 where person_id = $1 and organisation_id = $2 and key = $3"""
SCHEDULE = """
select i.id, i.provider_id, i.status, i.share_mode,
       coalesce((select json_agg(json_build_array(weekday, opens_minute, closes_minute))
                   from opening_hours where instrument_id = i.id), json_build_array()) as hours,
       coalesce((select json_agg(json_build_array(lower(during), upper(during), reason))
                   from closure where instrument_id = i.id and during && $2),
                json_build_array()) as closures,
       r.step_minutes, r.minimum_minutes, r.maximum_minutes, r.notice_minutes, r.horizon_days,
       r.before_minutes, r.after_minutes, r.seats, r.needs_approval, r.open_on_holidays
  from instrument i left join booking_rule r on r.instrument_id = i.id
 where i.id = any($1::bigint[])"""
RESERVE = """
insert into reservation (instrument_id, provider_id, seat, during, blocked, status,
  organisation_id, person_id, purpose, order_id, held_until, override_reason, placed_at,
  confirmed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
on conflict on constraint reservation_no_overlap do nothing returning id, seat"""
TELL = "insert into outbox_event (name, payload, recorded_at, due_at) values ($1, $2, $3, $4)"
STORE = """
insert into idempotency_key (key, person_id, organisation_id, method, path, body_sha256, status,
  body, stored_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
TAKEN = """
select r.instrument_id, r.seat, lower(r.blocked), upper(r.blocked)
  from unnest($1::bigint[]) as asked(id) join reservation r on r.instrument_id = asked.id
 where r.status in ('requested', 'confirmed', 'in_use') and r.blocked && $2"""


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """What the real endpoint takes."""

    instrument_id: int
    starts_at: datetime
    ends_at: datetime
    purpose: str


@post("/reservations")
async def reserve(request: Request) -> Response[bytes]:
    """Insert a reservation."""
    app = request.app
    actor = app.state.tokens.read(request.headers["authorization"].partition(" ")[2])
    content = await request.body()
    asked = msgspec.json.decode(content, type=Body)
    key = request.headers["idempotency-key"]
    now = datetime.now(UTC)
    during = asyncpg.Range(asked.starts_at, asked.ends_at)
    async with app.state.pool.acquire() as connection, connection.transaction():
        await connection.fetchval(LOCK, f"{actor.person_id}:{actor.organisation_id}:{key}")
        await connection.fetchrow(STORED, actor.person_id, actor.organisation_id, key)
        found = await connection.fetchrow(SCHEDULE, [asked.instrument_id], during)
        json.loads(found["hours"])
        json.loads(found["closures"])
        blocked = asyncpg.Range(
            asked.starts_at - timedelta(minutes=found["before_minutes"]),
            asked.ends_at + timedelta(minutes=found["after_minutes"]),
        )
        made = await connection.fetchrow(
            RESERVE,
            asked.instrument_id,
            found["provider_id"],
            1,
            during,
            blocked,
            "confirmed",
            actor.organisation_id,
            actor.person_id,
            asked.purpose,
            None,
            None,
            None,
            now,
            now,
        )
        if made is None:
            return Response(content=b"{}", status_code=409)
        told = {
            "reservation_id": made["id"],
            "order_id": 0,
            "instrument_id": asked.instrument_id,
            "status": "confirmed",
        }
        await connection.execute(TELL, "ReservationPlaced", json.dumps(told), now, now)
        answer = msgspec.json.encode(
            {
                "id": made["id"],
                "instrument_id": asked.instrument_id,
                "provider_id": found["provider_id"],
                "seat": made["seat"],
                "starts_at": asked.starts_at,
                "ends_at": asked.ends_at,
                "status": "confirmed",
                "organisation_id": actor.organisation_id,
                "person_id": actor.person_id,
                "purpose": asked.purpose,
                "placed_at": now,
                "confirmed_at": now,
            }
        )
        await connection.execute(
            STORE,
            key,
            actor.person_id,
            actor.organisation_id,
            "POST",
            request.url.path,
            hashlib.sha256(content).digest(),
            201,
            answer,
            now,
        )
    return Response(content=answer, status_code=201, media_type="application/json")


@get("/instruments/{instrument_id:int}/availability")
async def availability(request: Request, instrument_id: int) -> Response[bytes]:
    """What is taken in a window, as rows."""
    starts_at = datetime.fromisoformat(request.query_params["from"])
    ends_at = datetime.fromisoformat(request.query_params["until"])
    during = asyncpg.Range(starts_at, ends_at)
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        found = await connection.fetchrow(SCHEDULE, [instrument_id], during)
        taken = await connection.fetch(TAKEN, [instrument_id], during)
    answer = msgspec.json.encode(
        {
            "instrument_id": instrument_id,
            "hours": json.loads(found["hours"]),
            "busy": [{"starts_at": row[2], "ends_at": row[3]} for row in taken],
        }
    )
    return Response(content=answer, media_type="application/json")


def application() -> Litestar:
    """What the HTTP server builds."""

    @asynccontextmanager
    async def pooled(app: Litestar) -> AsyncIterator[None]:
        size = int(os.environ["MARKETPLACE_DATABASE_POOL_SIZE"])
        url = os.environ["DATABASE_URL"].replace("postgresql+asyncpg://", "postgresql://")
        app.state.tokens = AccessTokens(os.environ["MARKETPLACE_TOKEN_SECRET"], minutes=60)
        # The real pool does not reset connections either: every transaction ends by itself.
        async with asyncpg.create_pool(
            url,
            min_size=size,
            max_size=size,
            server_settings={"timezone": "UTC", "jit": "off"},
            reset=_nothing,
        ) as app.state.pool:
            yield

    return Litestar([reserve, availability], lifespan=[pooled], openapi_config=None)


async def _nothing(_: asyncpg.Connection) -> None:
    return None
