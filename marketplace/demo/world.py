"""The demo's hands: the clock it turns, the people it acts as, and the use cases it calls.

Nothing here writes to the database by itself: every step is a use case that the API calls too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from marketplace.assembly import all_jobs
from marketplace.kernel import outbox
from marketplace.kernel.actors import Actor, system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import DomainError
from marketplace.kernel.time import SetClock, shanghai_day, shanghai_instant
from marketplace.worker import all_handlers

C = TypeVar("C")
R = TypeVar("R")

# One sign-in for everybody, printed at the end; the mail addresses can belong to nobody.
PASSWORD = "demo-password-2025"  # noqa: S105 it is printed for everybody
MAIL_DOMAIN = "demo.invalid"
# Nights from one run to the next of jobs that look at everything there is, so that a year of
# nights does not spend itself on them; every other job runs each night.
SELDOM = {
    "run_guards": 7,
    "closing.verify_ledger": 30,
    "closing.remove_orphan_parts": 30,
    "orders.remove_enquiry_orphans": 30,
    "orders.remove_evidence_orphans": 30,
    "orders.remove_orphans": 30,
    "reconciliation.remove_orphans": 30,
    "remove_orphan_voucher_documents": 30,
    "rewards.remove_orphans": 30,
}


@dataclass(slots=True)
class Unit:
    """A provider that takes part: its ids, its people, its instruments."""

    organisation_id: int
    legal_entity_id: int
    name: str
    manager: Actor
    technician: Actor
    instruments: list[OfferedInstrument] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OfferedInstrument:
    """An instrument with prices in force."""

    id: int
    name: str
    unit_number: int
    hour_fen: int
    sample_fen: int


@dataclass(slots=True)
class Company:
    """An SME that takes part; its buyer also administers it."""

    organisation_id: int
    name: str
    buyer: Actor
    deposit_fen: int


@dataclass(slots=True)
class Staff:
    """The centre's people, one for each role; two evaluators and officers, because nobody
    approves what they made."""

    organisation_id: int
    administrator: Actor
    finance_maker: Actor
    finance_checker: Actor
    voucher_officer: Actor
    second_officer: Actor
    evaluator: Actor
    second_evaluator: Actor
    expert: Actor
    auditor: Actor


class World:
    """A database, a clock that the demo turns, and a count of what happened and was refused."""

    def __init__(self, database: Database, clock: SetClock) -> None:
        self.database = database
        self.clock = clock
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.units: list[Unit] = []
        self.companies: list[Company] = []
        self._jobs = all_jobs()
        self._nights = 0
        self._handlers = all_handlers()

    @property
    def today(self) -> date:
        """The Shanghai day of the demo's clock."""
        return shanghai_day(self.clock.now())

    async def do(self, use_case: Callable[[Tx, C], Awaitable[R]], command: C, actor: Actor) -> R:
        """Do it as `actor`; a refusal ends the demo, for it is a mistake of the script."""
        result = await atomically(self.database, use_case, command, actor=actor)
        self.done[use_case.__name__] += 1
        return result

    async def attempt(
        self, use_case: Callable[[Tx, C], Awaitable[R]], command: C, actor: Actor
    ) -> R | None:
        """Try it as `actor`; a refusal is part of life and is counted by its code."""
        try:
            return await self.do(use_case, command, actor)
        except DomainError as refusal:
            self.refused[refusal.code] += 1
            return None

    async def ask(
        self, query: Callable[[Tx, C], Awaitable[R]], question: C, actor: Actor | None = None
    ) -> R:
        """Read something."""
        return await atomically(self.database, query, question, actor=actor or system_actor("demo"))

    def go_to(self, moment: datetime | date, minutes: int = 9 * 60) -> None:
        """Turn the clock to an instant, or to `minutes` after midnight of a Shanghai day."""
        if not isinstance(moment, datetime):
            moment = shanghai_instant(moment, minutes)
        self.clock.set(moment)

    async def work(self) -> None:
        """What the worker would do in a night: deliver events, run the jobs."""
        await self.deliver()
        for job in self._jobs:
            if self._nights % SELDOM.get(job.name, 1) == 0:
                await job.run(self.database)
        self._nights += 1
        await self.deliver()

    async def deliver(self) -> None:
        """Deliver every event that is due."""
        while await outbox.deliver_due(self.database, self._handlers):
            continue


def facts_of(counter: Counter[str]) -> list[tuple[str, int]]:
    """What was counted, most first."""
    return counter.most_common()


def plain(value: Any) -> str:
    """A number with thousands separators, anything else as it is."""
    return f"{value:,}" if isinstance(value, int) else str(value)
