"""A minute of everything at once over 200 instruments, while a web process dies and comes back."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from marketplace.booking.queries import MachineMinutesAsked, machine_minutes
from marketplace.booking.rules.quotas import Measure, Period, Subject
from marketplace.kernel.actors import Actor, system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.embedded import EmbeddedRedis
from marketplace.kernel.time import During, SetClock, SystemClock, shanghai_day, shanghai_instant
from marketplace.kernel.tokens import AccessTokens
from marketplace.parties.roles import Role
from tests.builders.booking import a_bookable_instrument
from tests.builders.parties import a_provider, an_actor
from tests.builders.standing import a_quota
from tests.builders.web_process import WebProcess
from tests.builders.worker_process import WorkerProcess
from tests.conftest import TOKEN_SECRET

SECONDS = float(os.environ.get("STORM_SECONDS", "60"))
CLIENTS = 64
PROVIDERS = 8
INSTRUMENTS = 200
# Each person may hold this many reservations that begin on one day.
PER_DAY = 12
# What a client's step is, and how often.
STEPS = {"place": 10, "move": 4, "cancel": 3, "approve": 4, "check_in": 5, "check_out": 4}

OVERLAPS = """
    select count(*) from reservation a join reservation b
        on a.id < b.id and a.calendar_id = b.calendar_id and a.seat = b.seat
       and a.blocked && b.blocked
     where a.status in ('held', 'offered', 'requested', 'confirmed', 'in_use')
       and b.status in ('held', 'offered', 'requested', 'confirmed', 'in_use')
"""
# Two people at one seat at once, whatever their reservations have become since.
CROWDED = """
    select count(*)
      from usage_session a join reservation ra on ra.id = a.reservation_id,
           usage_session b join reservation rb on rb.id = b.reservation_id
     where a.id < b.id and ra.calendar_id = rb.calendar_id and ra.seat = rb.seat
       and tstzrange(a.opened_at, coalesce(a.closed_at, 'infinity'))
        && tstzrange(b.opened_at, coalesce(b.closed_at, 'infinity'))
"""
QUOTA_PASSED = """
    select count(*) from (
      select person_id, (lower(during) at time zone 'Asia/Shanghai')::date as day
        from reservation
       where status not in ('cancelled', 'rejected', 'expired')
       group by person_id, day having count(*) > :limit) as passed
"""
HALF_DONE = """
    select (select count(*) from reservation r left join usage_session s on s.reservation_id = r.id
             where r.status in ('in_use', 'used') and s.id is null)
         + (select count(*) from usage_session s join reservation r on r.id = s.reservation_id
             where (s.closed_at is null) <> (r.status = 'in_use'))
"""


@dataclass
class Storm:
    """What the clients share: where to send, what exists, and what was answered."""

    webs: list[WebProcess]
    instruments: dict[int, list[int]]
    ends_at: float
    known: dict[int, dict[int, str]] = field(default_factory=dict)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    number: int = 0

    def key(self) -> str:
        self.number += 1
        return f"storm-{self.number}"


@dataclass
class Client:
    """One member of a provider's staff, who takes a step, looks at the answer, takes another."""

    storm: Storm
    http: httpx.AsyncClient
    actor: Actor
    chance: random.Random

    @property
    def known(self) -> dict[int, str]:
        """Reservations of the own organisation, and the state they were last seen in."""
        return self.storm.known.setdefault(self.actor.organisation_id, {})

    async def run(self) -> None:
        names, weights = list(STEPS), list(STEPS.values())
        while monotonic() < self.storm.ends_at:
            (name,) = self.chance.choices(names, weights)
            await getattr(self, name)()

    async def send(self, step: str, path: str, body: dict[str, object]) -> dict[str, object] | None:
        web = self.chance.choice(self.storm.webs)
        try:
            answer = await self.http.post(
                f"{web.address}/api/v1{path}",
                json=body,
                headers={"Idempotency-Key": self.storm.key()},
            )
        except httpx.TransportError:
            self.storm.broken[f"{web.port}"] += 1
            await asyncio.sleep(0.05)
            return None
        self.storm.answers[step, answer.status_code] += 1
        if answer.status_code >= 500:
            self.storm.failures.append(f"{step} {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.status_code < 300 else None

    def slot(self, *, soon: bool) -> dict[str, str]:
        """A time in five-minute steps: crowded on purpose, or about to begin."""
        now = datetime.now(UTC)
        if soon:
            begins = now.replace(second=0, microsecond=0)
            begins += timedelta(minutes=5 - begins.minute % 5 + 5 * self.chance.randrange(2))
        else:
            day = shanghai_day(now) + timedelta(days=self.chance.randint(1, 2))
            begins = shanghai_instant(day, 540 + 5 * self.chance.randrange(24))
        ends = begins + timedelta(minutes=5 * self.chance.randint(1, 4))
        return {"starts_at": begins.isoformat(), "ends_at": ends.isoformat()}

    def pick(self, *states: str) -> int | None:
        fitting = [each for each, state in self.known.items() if state in states]
        return self.chance.choice(fitting) if fitting else None

    async def place(self) -> None:
        body = {
            "instrument_id": self.chance.choice(self.storm.instruments[self.actor.organisation_id]),
            "purpose": "own_research",
            **self.slot(soon=self.chance.random() < 0.4),
        }
        made = await self.send("place", "/reservations", body)
        if made:
            self.known[int(str(made["id"]))] = str(made["status"])

    async def _step(
        self, step: str, verb: str, following: str, *states: str, **body: object
    ) -> None:
        reservation_id = self.pick(*states)
        if reservation_id is None:
            return
        done = await self.send(step, f"/reservations/{reservation_id}/{verb}", body)
        if done is not None:
            self.known[reservation_id] = following

    async def move(self) -> None:
        await self._step(
            "move", "move", "confirmed", "confirmed", **self.slot(soon=self.chance.random() < 0.4)
        )

    async def cancel(self) -> None:
        await self._step(
            "cancel", "cancel", "cancelled", "confirmed", "requested", reason="no sample yet"
        )

    async def approve(self) -> None:
        await self._step("approve", "approve", "confirmed", "requested")

    async def check_in(self) -> None:
        await self._step("check_in", "open-session", "in_use", "confirmed")

    async def check_out(self) -> None:
        await self._step("check_out", "close-session", "used", "in_use")


async def a_stormy_provider(database: Database) -> tuple[list[Actor], list[int]]:
    """Eight people and 25 instruments: some with approval, some with three seats; a quota."""
    provider_id = await a_provider(database)
    people = [
        await an_actor(
            database, Role.TECHNICIAN, Role.PROVIDER_MANAGER, organisation_id=provider_id
        )
        for _ in range(CLIENTS // PROVIDERS)
    ]
    instruments = [
        await a_bookable_instrument(
            database,
            provider_id=provider_id,
            step_minutes=5,
            minimum_minutes=5,
            maximum_minutes=60,
            notice_minutes=0,
            open_on_holidays=True,
            needs_approval=number % 3 == 0,
            seats=3 if number % 5 == 0 else 1,
        )
        for number in range(INSTRUMENTS // PROVIDERS)
    ]
    await a_quota(
        database,
        by=people[0],
        subject=Subject.PERSON,
        period=Period.DAY,
        measure=Measure.RESERVATIONS,
        at_most=PER_DAY,
    )
    return people, instruments


@pytest_asyncio.fixture
async def webs(database_url: str, tmp_path: Path) -> AsyncIterator[list[WebProcess]]:
    with ExitStack() as servers:
        redis = EmbeddedRedis(tmp_path / "valkey")
        redis_url = redis.start()
        servers.callback(redis.stop)
        started = []
        for name in ("first", "second"):
            folder = tmp_path / name
            folder.mkdir()
            web = WebProcess(database_url, str(folder), redis_url=redis_url)
            await web.start()
            servers.callback(web.stop)
            started.append(web)
        worker = WorkerProcess(database_url, tmp_path, redis_url=redis_url)
        servers.callback(worker.stop)
        yield started


@pytest.mark.timeout(int(SECONDS) + 180)
async def test_a_storm_leaves_no_overlap_no_quota_passed_no_server_error_and_true_machine_hours(
    database: Database, clock: SetClock, webs: list[WebProcess]
):
    clock.set(SystemClock().now())
    began = clock.now()
    providers = await asyncio.gather(*(a_stormy_provider(database) for _ in range(PROVIDERS)))
    people = [person for staff, _ in providers for person in staff]
    instruments = {staff[0].organisation_id: ids for staff, ids in providers}
    storm = Storm(webs, instruments, ends_at=monotonic() + SECONDS)
    tokens = AccessTokens(TOKEN_SECRET, minutes=60)

    async def client(number: int, actor: Actor) -> None:
        headers = {"Authorization": f"Bearer {tokens.issue(actor)}"}
        async with httpx.AsyncClient(headers=headers, timeout=30) as http:
            await Client(storm, http, actor, random.Random(number)).run()

    async def kill_and_start_the_second() -> None:
        await asyncio.sleep(SECONDS / 3)
        webs[1].kill()
        await asyncio.sleep(SECONDS / 12)
        await webs[1].start()

    first_port, second_port = str(webs[0].port), str(webs[1].port)
    await asyncio.gather(
        kill_and_start_the_second(),
        *(client(number, actor) for number, actor in enumerate(people)),
    )

    assert storm.failures == []
    assert storm.broken[first_port] == 0
    assert storm.broken[second_port] > 0
    done = {step for (step, status), _ in storm.answers.items() if status < 300}
    assert done == set(STEPS), storm.answers
    async with database.engine.connect() as connection:
        found = {
            "overlaps": (await connection.execute(text(OVERLAPS))).scalar_one(),
            "crowded": (await connection.execute(text(CROWDED))).scalar_one(),
            "quota": (
                await connection.execute(text(QUOTA_PASSED), {"limit": PER_DAY})
            ).scalar_one(),
            "half done": (await connection.execute(text(HALF_DONE))).scalar_one(),
        }
    assert found == {"overlaps": 0, "crowded": 0, "quota": 0, "half done": 0}
    assert await reported(database, began) == await recomputed(database)
    print_answers(storm)


async def reported(database: Database, began: datetime) -> dict[tuple[int, str], int]:
    """Machine-minutes by instrument and purpose, as the platform reports them."""
    midnight = shanghai_instant(shanghai_day(began))
    period = During(midnight - timedelta(days=1), midnight + timedelta(days=3))
    rows = await atomically(
        database, machine_minutes, MachineMinutesAsked(period), actor=system_actor("test")
    )
    return {(row.instrument_id, row.purpose.value): row.minutes for row in rows}


async def recomputed(database: Database) -> dict[tuple[int, str], int]:
    """The same from the raw sessions, minute by minute: the first to open a machine has it."""
    async with database.engine.connect() as connection:
        rows = await connection.execute(
            text(
                """
                select s.instrument_id, r.purpose, s.opened_at,
                       s.preparation_minutes + s.test_minutes + s.post_minutes as minutes
                  from usage_session s join reservation r on r.id = s.reservation_id
                 where s.closed_at is not null and s.problem is null
                 order by s.opened_at, s.id"""
            )
        )
    taken: set[tuple[int, datetime]] = set()
    sums: Counter[tuple[int, str]] = Counter()
    for instrument_id, purpose, opened_at, minutes in rows:
        first = opened_at.replace(second=0, microsecond=0)
        for ahead in range(minutes):
            minute = (instrument_id, first + timedelta(minutes=ahead))
            if minute not in taken:
                taken.add(minute)
                sums[instrument_id, purpose] += 1
    return dict(sums)


def print_answers(storm: Storm) -> None:
    """How often each step was answered how: shown with `pytest -s`."""
    told = sorted(storm.answers.items())
    print(f"{sum(storm.answers.values())} answers in {SECONDS:.0f} s;", end=" ")
    print(f"{sum(storm.broken.values())} connections broken by the kill")
    for (step, status), count in told:
        print(f"  {step:10} {status} {count:6}")
