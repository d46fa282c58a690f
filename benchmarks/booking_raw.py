"""The endpoint that the real one is measured against: the same SQL through bare asyncpg.

It checks the same token, reads the same body and runs the same statements in the same order, by
hand and without one rule: no reasons, no events beyond the row, no typed answer.
"""

import hashlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone

import asyncpg
import msgspec
from litestar import Litestar, Request, Response, get, post

from marketplace.booking.queries import floors, standing, timetables
from marketplace.booking.use_cases import seats
from marketplace.kernel.tokens import AccessTokens

LOCK = "select pg_try_advisory_xact_lock(hashtextextended($1, 0))"
STORED = """
select method, path, body_sha256, status, body from idempotency_key
 where person_id = $1 and organisation_id = $2 and key = $3"""
TELL = "insert into outbox_event (name, payload, recorded_at, due_at) values ($1, $2, $3, $4)"
STORE = """
insert into idempotency_key (key, person_id, organisation_id, method, path, body_sha256, status,
  body, stored_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
TAKEN = """
select r.calendar_id, r.seat, lower(r.blocked), upper(r.blocked)
  from unnest($1::bigint[]) as asked(id) join reservation r on r.calendar_id = asked.id
 where r.status in ('held', 'offered', 'requested', 'confirmed', 'in_use') and r.blocked && $2
   and (r.held_until is null or r.held_until > now() or r.status in ('confirmed', 'in_use'))"""
# The longer statements are the application's own: the same SQL, without what computes around it.
SCHEDULE, WHO, USES, RESERVE = (
    timetables._SCHEDULES,
    standing._WHO,
    standing._USES,
    seats._TAKE,
)
FLOOR_LOCK, FLOOR_USES = floors._LOCK, floors._USES
SHANGHAI = timezone(timedelta(hours=8))
END = datetime(2200, 1, 1, tzinfo=UTC)


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
        found = await schedule(connection, asked.instrument_id, week_of(asked.starts_at))
        blocked = asyncpg.Range(
            asked.starts_at - timedelta(minutes=found["before_minutes"]),
            asked.ends_at + timedelta(minutes=found["after_minutes"]),
        )
        row = {
            "instrument_id": asked.instrument_id,
            "provider_id": found["provider_id"],
            "calendar_id": asked.instrument_id,
            "seat": 1,
            "during": during,
            "blocked": blocked,
            "status": "confirmed",
            "organisation_id": actor.organisation_id,
            "person_id": actor.person_id,
            "user_class": "own_unit",
            "purpose": asked.purpose,
            "operator_id": None,
            "group_id": None,
            "series_id": None,
            "order_id": None,
            "held_until": None,
            "override_reason": None,
            "placed_at": now,
            "confirmed_at": now,
            "changed_at": now,
        }
        await stand(connection, row, now, floor=found["outside_floor_minutes"])
        made = await connection.fetchrow(RESERVE.sql, *RESERVE.arguments(row))
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


async def schedule(connection: asyncpg.Connection, instrument_id: int, around: asyncpg.Range):
    """The instrument with its hours, in one row."""
    found = await connection.fetchrow(
        SCHEDULE.sql,
        *SCHEDULE.arguments(
            {
                "instrument_ids": [instrument_id],
                "around": around,
                "first_day": around.lower.astimezone(SHANGHAI).date(),
                "last_day": around.upper.astimezone(SHANGHAI).date(),
            }
        ),
    )
    for name in ("hours", "closures", "classes", "weekly", "dated"):
        json.loads(found[name] or "[]")
    return found


def week_of(instant: datetime) -> asyncpg.Range:
    """The week, from Monday in Shanghai, in which an instant lies."""
    local = instant.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = local - timedelta(days=local.weekday())
    return asyncpg.Range(monday, monday + timedelta(days=7))


async def stand(connection: asyncpg.Connection, row: dict, now: datetime, *, floor: int) -> None:
    """How the person stands: quotas under their locks, and the floor where there is one."""
    begins = row["during"].lower.astimezone(SHANGHAI)
    day = begins.replace(hour=0, minute=0, second=0, microsecond=0)
    week = day - timedelta(days=day.weekday())
    month = day.replace(day=1)
    spans = (
        ("day", day, day + timedelta(days=1)),
        ("week", week, week + timedelta(days=7)),
        ("month", month, (month + timedelta(days=32)).replace(day=1)),
        ("year", day.replace(month=1, day=1), day.replace(year=day.year + 1, month=1, day=1)),
        ("open", now, END),
    )
    values = row | {
        "periods": [name for name, _, _ in spans],
        "period_starts": [starts.isoformat() for _, starts, _ in spans],
        "period_ends": [ends.isoformat() for _, _, ends in spans],
        "lock": True,
        "now": now,
        "with_operators": False,
        "operators_within": row["during"],
        "except_id": None,
    }
    who = await connection.fetchrow(WHO.sql, *WHO.arguments(values))
    if who["quotas"]:
        await connection.fetch(USES.sql, *USES.arguments(values))
    if floor:
        whole = week_of(begins)
        values |= {
            "weeks": [f"outside-floor:{row['calendar_id']}:{week.date()}"],
            "whole": whole,
            "besides": 0,
            "at": now,
            "earliest": week - timedelta(days=31),
        }
        await connection.fetch(FLOOR_LOCK.sql, *FLOOR_LOCK.arguments(values))
        await connection.fetch(FLOOR_USES.sql, *FLOOR_USES.arguments(values))


@get("/instruments/{instrument_id:int}/availability")
async def availability(request: Request, instrument_id: int) -> Response[bytes]:
    """What is taken in a window, as rows."""
    starts_at = datetime.fromisoformat(request.query_params["from"])
    ends_at = datetime.fromisoformat(request.query_params["until"])
    during = asyncpg.Range(starts_at, ends_at)
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        found = await schedule(connection, instrument_id, during)
        taken = await connection.fetch(TAKEN, [instrument_id], during)
    answer = msgspec.json.encode(
        {
            "instrument_id": instrument_id,
            "hours": json.loads(found["hours"] or "[]"),
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
