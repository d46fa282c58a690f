"""Everything that moves money, as one world with a bank beside it: steps that may be refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

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
from marketplace.billing.rewards.use_cases import (
    ApproveRun,
    DiscardRun,
    DraftRun,
    approve_run,
    discard_run,
    draft_run,
)
from marketplace.kernel.db import Database
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
from tests.builders.money_bank import MoneyAtTheBank
from tests.builders.orders import a_market, delivered_samples
from tests.builders.parties import an_actor
from tests.builders.payouts import a_bank_account, a_finance_team
from tests.builders.rewards import a_grade
from tests.builders.vouchers import a_piece

C = TypeVar("C")
R = TypeVar("R")

# What the world begins with is put on its accounts by the bank's first statement.
BEGIN_FEN = 10_000_000
PERIOD_DAYS = 7


@dataclass
class MoneyWorld(MoneyAtTheBank):
    """With what people do to earn money, to claim it, to be paid, and to close the books."""

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
    for kind in (MoneyAtTheBank, MoneyWorld)
    for name, member in vars(kind).items()
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
