"""The stories of single orders: who asks for what, when, and how it ends."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from marketplace.booking import use_cases as booking
from marketplace.booking.rules.states import Purpose
from marketplace.demo.world import Company, OfferedInstrument, Staff, Unit, World
from marketplace.kernel.time import During, shanghai_day, shanghai_instant
from marketplace.orders import use_cases as orders
from marketplace.orders.rules.contract import standard_clauses
from marketplace.orders.rules.states import Mode, Status
from marketplace.rulebook import rulebook

# How orders end, in parts of a hundred; the rest are accepted by the buyer after delivery.
OUTCOMES = (
    ("cancelled", 5),
    ("cancelled-late", 3),
    ("missed", 3),
    ("disputed", 3),
    ("silent", 6),
    ("rejected", 2),
)
REPORT = "测试报告（演示）\nDemo test report\n".encode()

Step = Callable[[], Awaitable[None]]


@dataclass(order=True, slots=True)
class Planned:
    """Something that happens at a moment; the number keeps equal moments in order."""

    at: datetime
    number: int
    step: Step = field(compare=False)


@dataclass(slots=True)
class Story:
    """One order from quote to review. Each step does nothing once an earlier one was refused."""

    world: World
    staff: Staff
    unit: Unit
    instrument: OfferedInstrument
    company: Company
    outcome: str
    starts_at: datetime
    ends_at: datetime
    samples: int
    stars: int
    order_id: int | None = None
    waits_for_answer: bool = False

    async def place(self) -> None:
        """Ask for a quote and order at once."""
        machine_time = not self.samples
        quote = await self.world.attempt(
            orders.make_quote,
            orders.MakeQuote(
                instrument_id=self.instrument.id,
                mode=Mode.MACHINE_TIME if machine_time else Mode.SAMPLES,
                starts_at=self.starts_at if machine_time else None,
                ends_at=self.ends_at if machine_time else None,
                samples=self.samples or None,
            ),
            self.company.buyer,
        )
        if quote is None:
            return
        required = rulebook().orders.contract_clauses.on(shanghai_day(self.world.clock.now()))
        placed = await self.world.attempt(
            orders.place_order,
            orders.PlaceOrder(
                quote_id=quote.id,
                clauses=standard_clauses(required),
                samples=None
                if machine_time
                else orders.SamplesSent("粉末样品", hazards="无", disposal="return"),
                signed_from="203.0.113.7",
            ),
            self.company.buyer,
        )
        if placed is not None:
            self.order_id = placed.id
            self.waits_for_answer = placed.status == Status.PLACED

    async def answer(self) -> None:
        """The provider signs, or declines; where booking is instant the order is confirmed."""
        if not self.waits_for_answer:
            return
        if self.outcome == "rejected":
            await self._do(
                orders.reject_order,
                orders.RejectOrder,
                self.unit.manager,
                reason="样品不适合本仪器",
            )
        else:
            await self._do(orders.confirm_order, orders.ConfirmOrder, self.unit.manager)

    async def call_off(self) -> None:
        """The buyer cancels."""
        await self._do(
            orders.cancel_order, orders.CancelOrder, self.company.buyer, reason="试验计划调整"
        )

    async def begin(self) -> None:
        """The session opens, or the samples arrive."""
        if self.samples:
            await self._do(
                orders.receive_samples,
                orders.ReceiveSamples,
                self.unit.technician,
                count=self.samples,
            )
        else:
            await self._do(orders.open_service, orders.OpenService, self.unit.technician)

    async def end(self) -> None:
        """The session closes with its minutes, or the samples are tested."""
        if self.samples:
            await self._do(
                orders.finish_samples,
                orders.FinishSamples,
                self.unit.technician,
                tested=self.samples,
                returned=True,
            )
        else:
            await self._do(
                orders.close_service,
                orders.CloseService,
                self.unit.technician,
                preparation_minutes=15,
                post_minutes=10,
            )

    async def deliver(self) -> None:
        """The report is uploaded and delivered."""
        content = REPORT + str(self.order_id).encode()
        await self._do(
            orders.store_deliverable,
            orders.StoreDeliverable,
            self.unit.technician,
            name="report.txt",
            content=content,
            sha256=hashlib.sha256(content).hexdigest(),
        )
        await self._do(orders.deliver_order, orders.DeliverOrder, self.unit.technician)

    async def accept(self) -> None:
        """The buyer accepts and rates, or objects and the centre rules."""
        if self.outcome == "disputed":
            await self._do(
                orders.dispute_order,
                orders.DisputeOrder,
                self.company.buyer,
                reason="结果与约定方法不符",
            )
            await self._do(
                orders.answer_dispute,
                orders.AnswerDispute,
                self.unit.manager,
                answer="按合同约定的方法完成，附原始记录",
            )
            await self._do(
                orders.rule_on_dispute,
                orders.RuleOnDispute,
                self.staff.voucher_officer,
                pay_basis_points=7_000,
                ruling="部分结果可用，按七成结算",
            )
            return
        await self._do(orders.accept_order, orders.AcceptOrder, self.company.buyer)
        await self._do(
            orders.review_order, orders.ReviewOrder, self.company.buyer, stars=self.stars, text=""
        )

    async def _do(self, use_case: Any, command: Any, actor: Any, **facts: Any) -> None:
        if self.order_id is not None:
            await self.world.attempt(use_case, command(order_id=self.order_id, **facts), actor)

    def plan(self, placed_at: datetime) -> Iterator[tuple[datetime, Step]]:
        """When what happens."""
        yield placed_at, self.place
        yield placed_at + timedelta(minutes=20), self.answer
        if self.outcome == "rejected":
            return
        if self.outcome == "cancelled":
            yield placed_at + timedelta(minutes=40), self.call_off
            return
        if self.outcome == "cancelled-late" and not self.samples:
            yield self.starts_at - timedelta(hours=5), self.call_off
            return
        if self.outcome == "missed" and not self.samples:
            return
        yield self.starts_at, self.begin
        yield self.ends_at, self.end
        delivered_at = self.ends_at + timedelta(days=1)
        yield delivered_at, self.deliver
        if self.outcome != "silent":
            yield delivered_at + timedelta(days=2, hours=3), self.accept


@dataclass(slots=True)
class OwnTime:
    """A block of the unit's own research on one of its instruments."""

    world: World
    unit: Unit
    instrument: OfferedInstrument
    starts_at: datetime
    hours: int
    reservation_id: int | None = None

    async def reserve(self) -> None:
        """The technician reserves."""
        made = await self.world.attempt(
            booking.reserve_own_time,
            booking.ReserveOwnTime(
                self.instrument.id,
                During(self.starts_at, self.starts_at + timedelta(hours=self.hours)),
                Purpose.OWN_RESEARCH,
            ),
            self.unit.technician,
        )
        self.reservation_id = made.id if made else None

    async def begin(self) -> None:
        """And checks in."""
        if self.reservation_id is not None:
            await self.world.attempt(
                booking.open_session,
                booking.OpenSession(self.reservation_id),
                self.unit.technician,
            )

    async def end(self) -> None:
        """And out."""
        if self.reservation_id is not None:
            await self.world.attempt(
                booking.close_session,
                booking.CloseSession(self.reservation_id, preparation_minutes=30),
                self.unit.technician,
            )

    def plan(self) -> Iterator[tuple[datetime, Step]]:
        """When what happens."""
        yield self.starts_at - timedelta(days=3), self.reserve
        yield self.starts_at, self.begin
        yield self.starts_at + timedelta(hours=self.hours), self.end


def outcome(dice: random.Random) -> str:
    """How an order will end."""
    drawn = dice.randrange(100)
    for name, parts in OUTCOMES:
        if drawn < parts:
            return name
        drawn -= parts
    return "accepted"


def working_moment(
    dice: random.Random, days: list[date], *, from_hour: int, hours: int
) -> datetime:
    """A full hour on one of `days`."""
    return shanghai_instant(dice.choice(days), (from_hour + dice.randrange(hours)) * 60)
