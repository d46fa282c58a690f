"""Everything that moves money, as one world with a bank beside it: steps that may be refused.

The bank keeps its own account: what it was paid, what it paid and what it took is in the next
statement that it exports, and nowhere else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeVar

from sqlalchemy import text

from marketplace.billing.ledger.rules.chart import LedgerName
from marketplace.billing.ledger.use_cases import (
    ApproveReopening,
    ClosePeriod,
    ProposePeriod,
    ProposeReopening,
    approve_reopening,
    close_period,
    propose_period,
    propose_reopening,
)
from marketplace.billing.payouts.use_cases import (
    BatchStep,
    DraftBatch,
    InstructAgain,
    InstructSettlements,
    RejectPayout,
    approve_batch,
    batch_file,
    discard_batch,
    draft_batch,
    instruct_again,
    instruct_settlements,
    reject_payout,
    send_batch,
)
from marketplace.billing.reconciliation.rules.states import MatchKind
from marketplace.billing.reconciliation.use_cases import (
    MatchLine,
    MatchStatement,
    UndoMatch,
    match_line,
    match_statement,
    undo_match,
)
from marketplace.billing.rewards.use_cases import (
    ApproveRun,
    DiscardRun,
    DraftRun,
    approve_run,
    discard_run,
    draft_run,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import DomainError
from marketplace.kernel.time import SetClock
from marketplace.orders.use_cases import AcceptOrder, accept_order
from marketplace.orders.use_cases.corrections import (
    DecideCorrection,
    ProposeCorrection,
    approve_correction,
    propose_correction,
)
from marketplace.parties.roles import Role
from marketplace.vouchers import queries as voucher_queries
from marketplace.vouchers.queries import PageAsked, RedemptionSearch
from marketplace.vouchers.rules.states import EvidenceKind
from marketplace.vouchers.use_cases import (
    ApproveClaim,
    AttachEvidence,
    AuditClaim,
    DraftClaim,
    GiveNotice,
    RecordSpotCheck,
    SubmitClaim,
    approve_claim,
    attach_evidence,
    audit_claim,
    draft_claim,
    give_notice,
    record_spot_check,
    submit_claim,
)
from tests.builders.ledger import TEST
from tests.builders.orders import Market, a_market, delivered_samples
from tests.builders.parties import an_actor
from tests.builders.payouts import Centre, a_bank_account, a_finance_team
from tests.builders.reconciliation import BankLine, a_file, a_line, imported
from tests.builders.rewards import a_grade
from tests.builders.vouchers import a_piece

C = TypeVar("C")
R = TypeVar("R")

# What the world begins with is put on its accounts by the bank's first statement.
BEGIN_FEN = 10_000_000
PERIOD_DAYS = 7


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
class MoneyWorld:
    """A market, the centre's people, a bank, and what they have done so far."""

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

    # ── Orders ──────────────────────────────────────────────────────────────────────────────────

    async def _order(self, number: int) -> bool:
        found = await delivered_samples(self.market, samples=2, tested=1 + number % 2)
        await self.do(accept_order, AcceptOrder(found.id), self.market.buyer)
        return True

    async def _correct(self, number: int) -> bool:
        order_id = await self.one("select distinct order_id from charge_line order by 1", number)
        if order_id is None:
            return False
        command = ProposeCorrection(order_id, number % 3 * 100, 1 + number % 500, "Noisy.")
        asked = await self.do(propose_correction, command, self.market.manager)
        await self.do(approve_correction, DecideCorrection(asked.id), self.second)
        return True

    # ── Claims ──────────────────────────────────────────────────────────────────────────────────

    async def _claim(self, number: int) -> bool:
        provider = self.market.manager
        drafted = await self.do(draft_claim, DraftClaim(), provider)
        search = RedemptionSearch(drafted.id, page=PageAsked(1, 100))
        found = await self.do(voucher_queries.redemptions, search)
        pieces = tuple(
            a_piece(row.id, kind)
            for row in found.rows
            if row.excluded_at is None
            for kind in EvidenceKind
        )
        await self.do(attach_evidence, AttachEvidence(drafted.id, pieces), provider)
        await self.do(submit_claim, SubmitClaim(drafted.id), provider)
        officer = self.market.officer
        page = await self.do(audit_claim, AuditClaim(drafted.id, number), officer)
        for check in page.spot_checks:
            record = RecordSpotCheck(drafted.id, check.redemption_id, True, "Looked at.")
            await self.do(record_spot_check, record, officer)
        await self.do(give_notice, GiveNotice(drafted.id), officer)
        return True

    async def _approve_claim(self, number: int) -> bool:
        claim_id = await self.one("select id from claim where status = 'in_notice'", number)
        if claim_id is None:
            return False
        await self.do(approve_claim, ApproveClaim(claim_id), self.team.checker)
        return True

    # ── Payouts ─────────────────────────────────────────────────────────────────────────────────

    async def _settle(self, _: int) -> bool:
        return (await self.do(instruct_settlements, InstructSettlements())).payouts > 0

    async def _again(self, number: int) -> bool:
        payout_id = await self.one("select id from payout where status = 'returned'", number)
        if payout_id is None:
            return False
        await self.do(instruct_again, InstructAgain(payout_id), self.team.maker)
        return True

    async def _draft_batch(self, number: int) -> bool:
        await self.do(draft_batch, DraftBatch(lines_max=1 + number % 5), self.team.maker)
        return True

    async def _batch(self, status: str, number: int) -> BatchStep | None:
        found = await self.one(f"select id from payout_batch where status = '{status}'", number)
        return None if found is None else BatchStep(found)

    async def _approve_batch(self, number: int) -> bool:
        batch = await self._batch("draft", number)
        return batch is not None and bool(await self.do(approve_batch, batch, self.team.checker))

    async def _send_batch(self, number: int) -> bool:
        batch = await self._batch("approved", number)
        if batch is None:
            return False
        await self.do(batch_file, batch, self.team.maker)
        return bool(await self.do(send_batch, batch, self.team.maker))

    async def _discard_batch(self, number: int) -> bool:
        batch = await self._batch("draft", number)
        return batch is not None and bool(
            await self.do(discard_batch, batch, self.team.other_maker)
        )

    async def _reject(self, number: int) -> bool:
        """The bank tells at once that it will not make a payment that it has not made."""
        paid = {line.remark for line in self.bank.waiting}
        payout_id = await self.one("select id from payout where status = 'sent'", number)
        if payout_id is None or any(name in paid for name in await self._name(payout_id)):
            return False
        await self.do(reject_payout, RejectPayout(payout_id, "Unknown account."), self.team.maker)
        return True

    async def _name(self, payout_id: int) -> list[str]:
        name = await self.one(f"select end_to_end_id from payout where id = {payout_id}", 0)
        return [name]

    # ── Rewards ─────────────────────────────────────────────────────────────────────────────────

    async def _draft_run(self, _: int) -> bool:
        await self.do(draft_run, DraftRun(year=2025, through=self.today), self.team.maker)
        return True

    async def _run(self, number: int) -> Any:
        return await self.one("select id from reward_run where status = 'draft'", number)

    async def _approve_run(self, number: int) -> bool:
        run_id = await self._run(number)
        return run_id is not None and bool(
            await self.do(approve_run, ApproveRun(run_id), self.team.checker)
        )

    async def _discard_run(self, number: int) -> bool:
        run_id = await self._run(number)
        return run_id is not None and bool(
            await self.do(discard_run, DiscardRun(run_id), self.team.maker)
        )

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

    # ── Time, and the close ─────────────────────────────────────────────────────────────────────

    async def _wait(self, number: int) -> bool:
        self.clock.set(self.clock.now() + timedelta(days=1 + number % 10))
        return True

    async def _close(self, number: int) -> bool:
        """The next days of one ledger that are over, closed by two persons."""
        name = LedgerName.CASH if number % 2 else LedgerName.VOUCHER
        period_id = await self.one(
            f"select id from period where ledger = '{name}' and closed_at is null", 0
        )
        if period_id is None:
            last_on = await self.one(f"select max(last_on) from period where ledger = '{name}'", 0)
            first_on = date(2025, 1, 1) if last_on is None else last_on + timedelta(days=1)
            until = min(self.today - timedelta(days=1), first_on + timedelta(days=PERIOD_DAYS))
            until = max(until, date(2025, 3, 2))
            wanted = ProposePeriod(name, first_on, until)
            period_id = await self.do(propose_period, wanted, self.team.maker)
        await self.do(close_period, ClosePeriod(period_id), self.team.checker)
        return True

    async def _reopen(self, number: int) -> bool:
        period_id = await self.one(
            "select id from period p where closed_at is not null and not exists (select from period"
            " l where l.ledger = p.ledger and l.first_on > p.last_on and l.closed_at is not null)",
            number,
        )
        if period_id is None:
            return False
        asked = await self.do(
            propose_reopening, ProposeReopening(period_id, "A late bill."), self.team.maker
        )
        await self.do(approve_reopening, ApproveReopening(asked.id), self.team.checker)
        return True


STEPS = tuple(
    name.removeprefix("_")
    for name, member in vars(MoneyWorld).items()
    if name.startswith("_")
    and not name.startswith("__")
    and name not in ("_batch", "_name", "_run")
    and callable(member)
)


async def a_money_world(database: Database) -> MoneyWorld:
    """A provider that is paid and rewarded, an SME with a voucher, and treasury's first money."""
    market = await a_market(database, funds_fen=0, voucher_fen=4_000_000)
    provider_id = market.manager.organisation_id
    await a_bank_account(database, owner=market.manager)
    await a_grade(database, provider_id=provider_id)
    world = MoneyWorld(
        market,
        await a_finance_team(database),
        await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=provider_id),
    )
    for remark in (f"SC-W-{market.buyer.organisation_id}", "SC-V-2025", "SC-R-2025"):
        world.bank.book(BEGIN_FEN, remark, world.today)
    for name in ("import", "match"):
        assert await world.step(name, 0), name
    return world
