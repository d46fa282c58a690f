"""A bank beside the platform, which keeps its own account, and what is made of its statements.

What it was paid, what it paid and what it took is in the next statement that it exports, and
nowhere else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import text

from marketplace.billing.reconciliation.rules.states import MatchKind
from marketplace.billing.reconciliation.use_cases import (
    MatchLine,
    MatchStatement,
    UndoMatch,
    match_line,
    match_statement,
    undo_match,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import DomainError
from marketplace.kernel.time import SetClock
from tests.builders.ledger import TEST
from tests.builders.orders import Market
from tests.builders.payouts import Centre
from tests.builders.reconciliation import BankLine, a_file, a_line, imported

C = TypeVar("C")
R = TypeVar("R")


@dataclass
class Bank:
    """The platform's account as the bank keeps it: what was told, and what will be."""

    told_fen: int = 0
    waiting: list[BankLine] = field(default_factory=list)

    def book(self, amount_fen: int, remark: str, on: date, **more: Any) -> None:
        self.waiting.append(a_line(amount_fen, remark, booked_on=on, **more))

    def statement(self) -> bytes:
        """Everything since the last one."""
        lines, self.waiting = self.waiting, []
        content = a_file(lines, opening_fen=self.told_fen)
        self.told_fen += sum(line.amount_fen for line in lines)
        return content


@dataclass
class MoneyAtTheBank:
    """A market, the centre's people, a bank, and what they have done so far: what the bank does,
    and what is made of its statements."""

    market: Market
    team: Centre
    second: Actor
    bank: Bank = field(default_factory=Bank)
    done: Counter[str] = field(default_factory=Counter)

    @property
    def database(self) -> Database:
        return self.market.database

    @property
    def clock(self) -> SetClock:
        clock = self.database.clock
        assert isinstance(clock, SetClock)
        return clock

    @property
    def today(self) -> date:
        return self.clock.now().date()

    async def step(self, name: str, number: int) -> bool:
        """One step; False when there was nothing to do, or the platform refused it."""
        try:
            happened = await getattr(self, f"_{name}")(number)
        except DomainError:
            happened = False
        self.done[name] += happened
        return bool(happened)

    async def one(self, question: str, number: int) -> Any:
        """One of the ids that a question finds, or None."""
        async with self.database.engine.connect() as connection:
            found = (await connection.execute(text(question))).scalars().all()
        return found[number % len(found)] if found else None

    async def do(
        self, use_case: Callable[[Tx, C], Awaitable[R]], command: C, by: Actor = TEST
    ) -> R:
        return await atomically(self.database, use_case, command, actor=by)

    async def _name(self, payout_id: int) -> list[str]:
        name = await self.one(f"select end_to_end_id from payout where id = {payout_id}", 0)
        return [name]

    # ── The bank ────────────────────────────────────────────────────────────────────────────────

    async def _top_up(self, number: int) -> bool:
        wallet = f"充值 SC-W-{self.market.buyer.organisation_id}"
        self.bank.book(100_000 + number, wallet, self.today)
        return True

    async def _treasury(self, number: int) -> bool:
        fund = "SC-V-2025" if number % 2 else "SC-R-2025"
        self.bank.book(2_000_000 + number, f"拨款 {fund}", self.today)
        return True

    async def _stray(self, number: int) -> bool:
        self.bank.book(50_000 + number, "货款", self.today)
        return True

    async def _fee(self, number: int) -> bool:
        self.bank.book(-(1 + number % 500), "手续费", self.today)
        return True

    async def _bank_pays(self, _: int) -> bool:
        """It makes every payment that it was sent and has not made yet."""
        async with self.database.engine.connect() as connection:
            sent = (
                await connection.execute(
                    text(
                        "select end_to_end_id, amount_fen from payout p where status = 'sent'"
                        " and not exists (select from statement_line l"
                        "  where l.amount_fen < 0 and l.remark like '%' || p.end_to_end_id)"
                        " order by id"
                    )
                )
            ).all()
        booked = {line.remark for line in self.bank.waiting}
        new = [(name, fen) for name, fen in sent if f"付款 {name}" not in booked]
        for name, fen in new:
            self.bank.book(-fen, f"付款 {name}", self.today)
        return bool(new)

    async def _comes_back(self, number: int) -> bool:
        """A payment that it made comes back, once."""
        payout_id = await self.one(
            "select id from payout p where status = 'confirmed' and not exists (select from"
            " statement_line l where l.amount_fen > 0 and l.remark like '%' || p.end_to_end_id)"
            " order by id",
            number,
        )
        if payout_id is None:
            return False
        (name,) = await self._name(payout_id)
        if any(line.remark == f"退汇 {name}" for line in self.bank.waiting):
            return False
        fen = await self.one(f"select amount_fen from payout where id = {payout_id}", 0)
        self.bank.book(fen, f"退汇 {name}", self.today)
        return True

    async def _import(self, _: int) -> bool:
        if not self.bank.waiting:
            return False
        before = (self.bank.told_fen, list(self.bank.waiting))
        try:
            await imported(self.database, self.bank.statement(), actor=self.team.maker)
        except DomainError:
            self.bank.told_fen, self.bank.waiting = before
            raise
        return True

    # ── Reconciliation ──────────────────────────────────────────────────────────────────────────

    async def _match(self, number: int) -> bool:
        statement_id = await self.one(
            "select distinct statement_id from statement_line where status = 'unmatched'", number
        )
        if statement_id is None:
            return False
        report = await self.do(match_statement, MatchStatement(statement_id), self.team.maker)
        return bool(report.matched)

    async def _by_hand(self, number: int) -> bool:
        line_id = await self.one(
            "select id from statement_line where status = 'unmatched' and remark = '货款'", number
        )
        if line_id is None:
            return False
        wallet = MatchLine(
            line_id, MatchKind.WALLET, "By telephone.", self.market.buyer.organisation_id
        )
        await self.do(match_line, wallet, self.team.maker)
        return True

    async def _undo(self, number: int) -> bool:
        line_id = await self.one(
            "select id from statement_line where status = 'matched' order by id", number
        )
        if line_id is None:
            return False
        await self.do(undo_match, UndoMatch(line_id, "A mistake."), self.team.maker)
        return True
