"""Whatever two sides, the centre and the clock do to an order, in any order: the books stay true.

Sequences are made up by Hypothesis and played over HTTP on a real database; what must hold is
asked of PostgreSQL in plain SQL after every step, and at the end, when the order is brought to one.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.kernel.time import SetClock
from marketplace.orders.jobs import remind_disputes
from marketplace.orders.settling import accept_reviewed
from marketplace.parties.roles import Role
from tests.builders.attachments import a_pdf
from tests.builders.orders import CLAUSES, WEDNESDAY_MORNING, Market, a_market
from tests.builders.parties import an_actor, bearer
from tests.conftest import MONDAY_MORNING

EXAMPLES = 32
# How far an order comes by itself, before anything may happen in any order.
SERVED = ("confirm", "open", "close", "deliver")
WAYS = (
    *(SERVED[:far] for far in range(len(SERVED))),
    *((*SERVED, *more) for more in (("dispute",), ("dispute", "offer"), ("accept",))),
    (*SERVED, "accept", "refund"),
    (*SERVED, "dispute", "withdraw"),
    ("confirm", "amend"),
    (*SERVED, "dispute", "offer", "agree", "refund"),
)
STEPS = (
    *("confirm", "open", "close", "deliver", "accept", "dispute", "answer", "offer", "concede"),
    *("agree", "withdraw", "rule", "cancel", "reject", "settle", "amend", "wait", "remind"),
    *("accept", "refund", "approve", "refund", "approve", "decline"),
)
PLAYS = st.tuples(
    st.sampled_from(("machine_time", "samples")),
    st.sampled_from(WAYS),
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 10_000)), min_size=5, max_size=12),
)

# Each answers with rows only where something is wrong.
ALWAYS = {
    "trial balance": "select ledger, sum(amount_fen) from posting group by 1 having sum(amount_fen)"
    " <> 0",
    "entries balance": "select entry_id from posting group by 1 having sum(amount_fen) <> 0",
    "held is what open holds say": """
        select a.id, a.held_fen from account a left join (
          select h.account_id, sum(h.amount_fen) as open_fen from hold h
           where not exists (select from hold_end e where e.hold_id = h.id) group by 1) h
          on h.account_id = a.id
         where a.cached and a.held_fen <> coalesce(h.open_fen, 0)""",
    "cached balances": """
        select a.id from account a where a.cached and a.posted_fen <> (
          select coalesce(sum(p.amount_fen), 0) from posting p where p.account_id = a.id)""",
    "an order that ended holds nothing": """
        select o.id from service_order o
          join hold h on h.source_kind = 'service_order' and h.source_id = o.id
         where o.ended_at is not null
           and not exists (select from hold_end e where e.hold_id = h.id)""",
    "a charge is what the order was settled at": """
        select o.id from service_order o where o.ended_at is not null and o.settled_fen <> (
          select coalesce(sum(c.service_value_fen), 0) from charge_line c
           where c.order_id = o.id and c.reverses is null and c.kind <> 'move_fee')""",
    "the timeline explains what stands charged": """
        select o.id from service_order o where o.ended_at is not null and (
          select coalesce(sum(c.service_value_fen), 0) from charge_line c
           where c.order_id = o.id and c.kind <> 'move_fee')
        <> (select coalesce(sum(coalesce(e.facts->'settled_fen', e.facts->'fee_fen')::bigint), 0)
              from order_event e where e.order_id = o.id
               and e.kind in ('accept', 'rule', 'agree', 'concede', 'cancel', 'miss',
                              'correction'))""",
    "no more came back than was charged": """
        select order_id from charge_line where kind <> 'move_fee' group by 1
        having sum(own_fen) < 0 or sum(voucher_fen) < 0""",
    "the payable is what stands of own parts": """
        select a.owner_id from account a where a.type = 'payable' and -a.posted_fen <> (
          select coalesce(sum(c.own_fen), 0) from charge_line c where c.provider_id = a.owner_id)
    """,
}


WHY = {"reason": "x"}
# What one side does with one call: who, where, and what is said.
BY_SIDE: dict[str, tuple[str, str, Callable[[int], dict[str, Any]]]] = {
    "confirm": ("manager", "/confirm", lambda _: {}),
    "deliver": ("manager", "/deliver", lambda _: {}),
    "reject": ("manager", "/reject", lambda _: WHY),
    "accept": ("buyer", "/accept", lambda _: {}),
    "dispute": ("buyer", "/dispute", lambda _: WHY),
    "answer": ("manager", "/dispute/answer", lambda _: {"answer": "y"}),
    "offer": (
        "manager",
        "/dispute/answer",
        lambda n: {"answer": "y", "offered_basis_points": n % 9_998 + 1},
    ),
    "concede": (
        "manager",
        "/dispute/answer",
        lambda _: {"answer": "y", "offered_basis_points": 0},
    ),
    "agree": ("buyer", "/dispute/agree", lambda _: {}),
    "withdraw": ("buyer", "/dispute/withdraw", lambda _: WHY),
    "rule": ("officer", "/rule", lambda n: {"pay_basis_points": n % 10_001, "ruling": "z"}),
}


class Play:
    """One order, the people around it, and what they do to it."""

    def __init__(self, api: httpx.AsyncClient, services: Services, market: Market) -> None:
        self.api, self.services, self.market = api, services, market
        self.keys = itertools.count()
        self.order_id = 0
        self.correction_id = 0
        self.second: Actor = market.manager
        self.ends: list[tuple[str, int]] = []

    @property
    def clock(self) -> SetClock:
        clock = self.market.database.clock
        assert isinstance(clock, SetClock)
        return clock

    async def post(self, path: str, by: Actor, body: Any = None, **more: Any) -> httpx.Response:
        headers = bearer(self.services, by) | {
            "Idempotency-Key": f"{by.organisation_id}-{self.order_id}-{next(self.keys)}"
        }
        if "content" not in more:
            more["json"] = body or {}
        answer = await self.api.post(f"/api/v1{path}", headers=headers, **more)
        assert answer.status_code < 500, (path, answer.text)
        assert answer.status_code != 400, (path, answer.text)
        self.ends.append((path, answer.status_code))
        return answer

    async def place(self, mode: str) -> None:
        asked: dict[str, Any] = {"instrument_id": self.market.instrument_id, "mode": mode}
        body: dict[str, Any] = {"clauses": CLAUSES}
        if mode == "samples":
            asked["samples"] = 5
            body["samples"] = {"description": "硅片", "hazards": "none", "disposal": "return"}
        else:
            asked["starts_at"] = WEDNESDAY_MORNING.starts_at.isoformat()
            asked["ends_at"] = WEDNESDAY_MORNING.ends_at.isoformat()
        quote = await self.post("/quotes", self.market.buyer, asked)
        placed = await self.post(
            "/orders", self.market.buyer, body | {"quote_id": quote.json()["id"]}
        )
        assert placed.status_code == 201, placed.text
        self.order_id, self.mode = placed.json()["id"], mode

    async def step(self, name: str, number: int) -> None:
        """One thing that somebody does; `number` is whatever it needs one for."""
        there = f"/orders/{self.order_id}"
        if name in BY_SIDE:
            side, path, body = BY_SIDE[name]
            await self.post(there + path, getattr(self.market, side), body(number))
        else:
            await getattr(self, f"_{name}")(there, number)

    async def _open(self, there: str, number: int) -> None:
        if self.mode == "samples":
            count = {"count": number % 6}
            await self.post(f"{there}/receive-samples", self.market.technician, count)
            return
        if self.clock.now() < WEDNESDAY_MORNING.starts_at:
            self.clock.set(WEDNESDAY_MORNING.starts_at)
        await self.post(f"{there}/open-service", self.market.technician)

    async def _close(self, there: str, number: int) -> None:
        technician = self.market.technician
        if self.mode == "machine_time":
            self.clock.set(self.clock.now() + timedelta(minutes=number % 120))
            await self.post(f"{there}/close-service", technician)
            return
        await self.post(f"{there}/finish-samples", technician, {"tested": number % 6})
        report = a_pdf(f"/N {number}".encode())
        await self.post(f"{there}/deliverables?name=report.pdf", technician, content=report)

    async def _cancel(self, there: str, number: int) -> None:
        by = self.market.manager if number % 2 else self.market.buyer
        await self.post(f"{there}/cancel", by, WHY)

    async def _settle(self, _: str, __: int) -> None:
        await accept_reviewed(self.market.database, chunk=2)

    async def _remind(self, _: str, __: int) -> None:
        await remind_disputes(self.market.database)

    async def _wait(self, _: str, number: int) -> None:
        self.clock.set(self.clock.now() + timedelta(hours=number % 200))

    async def _refund(self, there: str, number: int) -> None:
        parts = {"own_fen": number, "voucher_fen": number % 7 * 1_000}
        asked = await self.post(f"{there}/corrections", self.market.manager, parts | WHY)
        if asked.status_code == 201:
            self.correction_id = asked.json()["id"]

    async def _approve(self, _: str, __: int) -> None:
        if self.correction_id:
            await self.post(f"/corrections/{self.correction_id}/approve", self.second)

    async def _decline(self, _: str, __: int) -> None:
        if self.correction_id:
            because = {"because": "w"}
            await self.post(f"/corrections/{self.correction_id}/refuse", self.second, because)

    async def _amend(self, _: str, number: int) -> None:
        await self.amend(number)

    async def amend(self, number: int) -> None:
        """Ask for another time at the figures shown."""
        there = f"/orders/{self.order_id}/reschedule"
        hours = number % 48
        times = {
            "starts_at": (WEDNESDAY_MORNING.starts_at + timedelta(hours=hours)).isoformat(),
            "ends_at": (WEDNESDAY_MORNING.ends_at + timedelta(hours=hours)).isoformat(),
        }
        looked = await self.api.get(
            f"/api/v1{there}/preview",
            params=times,
            headers=bearer(self.services, self.market.buyer),
        )
        assert looked.status_code < 500, looked.text
        if looked.status_code == 200 and looked.json()["allowed"]:
            agreed = times | {"agreed": looked.json()["token"]}
            await self.post(there, self.market.buyer, agreed)

    async def holds_true(self, when: str) -> None:
        async with self.market.database.engine.connect() as connection:
            for name, question in ALWAYS.items():
                wrong = (await connection.execute(text(question))).all()
                assert not wrong, (name, when, wrong, self.ends)

    async def to_its_end(self) -> None:
        """Bring the order to an end, wherever it stands."""
        for name in ("reject", "cancel", "dispute"):
            await self.step(name, 0)
        self.clock.set(self.clock.now() + timedelta(days=40))
        await self.step("rule", 5_000)
        await self.step("settle", 0)
        await self.step("decline", 0)

    async def is_over(self) -> None:
        async with self.market.database.engine.connect() as connection:
            held = await connection.execute(
                text("select type, owner_id, held_fen from account where held_fen <> 0")
            )
            assert held.all() == [], self.ends
            status = await connection.execute(
                text("select ended_at is not null from service_order where id = :id"),
                {"id": self.order_id},
            )
            assert status.scalar_one(), self.ends


async def play(
    api: httpx.AsyncClient, services: Services, database: Database, drawn: Any
) -> list[tuple[str, int]]:
    """A new market and its order; every step, and what must hold after it."""
    mode, way, steps = drawn
    clock = database.clock
    assert isinstance(clock, SetClock)
    clock.set(MONDAY_MORNING)
    market = await a_market(database, needs_approval=True)
    playing = Play(api, services, market)
    playing.second = await an_actor(
        database, Role.PROVIDER_MANAGER, organisation_id=market.manager.organisation_id
    )
    await playing.place(mode)
    await playing.holds_true("placed")
    for name, number in [*((name, 4_997) for name in way), *steps]:
        await playing.step(name, number)
        await playing.holds_true(name)
    await playing.to_its_end()
    await playing.holds_true("at the end")
    await playing.is_over()
    return playing.ends


async def test_any_interleaving_of_what_can_be_done_to_an_order_keeps_the_books_true(
    api, services, database
):
    loop = asyncio.get_running_loop()
    reached: set[str] = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(PLAYS)
    def sequences(drawn: Any) -> None:
        # Hypothesis calls from a thread of its own; the database lives in this loop.
        playing = asyncio.run_coroutine_threadsafe(play(api, services, database, drawn), loop)
        for path, status in playing.result(timeout=60):
            if status < 300:
                reached.add(path.rpartition("/")[2].partition("?")[0])

    await asyncio.to_thread(sequences)

    # Sequences that reach nothing would prove nothing.
    assert {"confirm", "dispute", "rule", "cancel", "answer", "corrections", "approve"} <= reached
    assert {"agree", "withdraw", "accept", "reschedule"} <= reached
