"""Public money in the demo: programme and grants, deposits, invoices, claims, payouts, statements,
evaluation and rewards. Finance works at month's end; the bank answers with its statement.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from datetime import date, timedelta

from marketplace.billing.payouts import use_cases as payouts
from marketplace.billing.reconciliation import queries as reconciliation_queries
from marketplace.billing.reconciliation import use_cases as reconciliation
from marketplace.billing.reconciliation.rules.states import MatchKind
from marketplace.billing.rewards import use_cases as rewards
from marketplace.demo.bank import ACCOUNT_NUMBER, DemoBank
from marketplace.demo.build import YEAR, file_profile
from marketplace.demo.plan import Plan
from marketplace.demo.world import Company, Staff, World
from marketplace.evaluation import queries as evaluation_queries
from marketplace.evaluation import use_cases as evaluation
from marketplace.kernel.actors import Actor
from marketplace.kernel.money import parse_yuan
from marketplace.kernel.time import working_days_after
from marketplace.orders import queries as order_queries
from marketplace.orders import use_cases as orders
from marketplace.vouchers import queries as voucher_queries
from marketplace.vouchers import use_cases as vouchers
from marketplace.vouchers.rules.states import EvidenceKind

TREASURY = "演示省财政厅"
TREASURY_ACCOUNT = "320000000000000001"
GRANT_FEN = 5_000_000
# The customers of the large sample series pay most of them with their own money.
CUSTOMERS = 6
CUSTOMER_DEPOSIT_FEN = 450_000_000
CUSTOMER_GRANT_FEN = 10_000_000
QUARTER_ENDS = (3, 6, 9, 12)
PAGE, PIECES = 200, 500
# What the demo's programmes ask for; papers of single programmes are not among it.
USUAL_EVIDENCE = [
    EvidenceKind(kind) for kind in ("contract", "invoice", "payment-proof", "result", "usage-log")
]


class Finance:
    """The finance staff, the officers and the evaluators of the centre, and the bank they use."""

    def __init__(self, world: World, staff: Staff, plan: Plan) -> None:
        self.plan = plan
        self.world = world
        self.staff = staff
        self.bank = DemoBank()
        self._invoiced: set[int] = set()
        self._notices: dict[int, date] = {}
        self._invoice_number = 0

    async def open_year(self) -> None:
        """Treasury's money, the programme, the deposits, and a grant to every company."""
        self.world.go_to(date(YEAR, 1, 2))
        await self._programme(YEAR)
        companies = self.world.companies
        grants = CUSTOMER_GRANT_FEN * CUSTOMERS + GRANT_FEN * len(companies)
        self._treasury(date(YEAR, 1, 3), 2 * grants, f"SC-V-{YEAR} 创新券资金")
        self._treasury(date(YEAR, 1, 3), 300_000_000, f"SC-R-{YEAR} 服务奖励资金")
        for number, company in enumerate(companies):
            deposit = CUSTOMER_DEPOSIT_FEN if number < CUSTOMERS else company.deposit_fen
            self._deposit(date(YEAR, 1, 6), company, deposit)
        # Money that nobody announced: it waits in suspense until somebody explains it.
        self.bank.receive(
            date(YEAR, 1, 7),
            amount_fen=123_456,
            payer="演示未知付款人",
            payer_account="622200000000000000",
            remark="往来款",
        )
        await self.reconcile(date(YEAR, 1, 8))
        self.world.go_to(date(YEAR, 1, 9))
        for number, company in enumerate(companies):
            await self._grant(company, CUSTOMER_GRANT_FEN if number < CUSTOMERS else GRANT_FEN)

    def _treasury(self, day: date, amount_fen: int, remark: str) -> None:
        self.bank.receive(
            day,
            amount_fen=amount_fen,
            payer=TREASURY,
            payer_account=TREASURY_ACCOUNT,
            remark=remark,
        )

    def _deposit(self, day: date, company: Company, amount_fen: int) -> None:
        self.bank.receive(
            day,
            amount_fen=amount_fen,
            payer=company.name,
            payer_account=f"6228{company.organisation_id:012d}",
            remark=f"SC-W-{company.organisation_id} 预存测试费",
        )

    async def _programme(self, year: int) -> None:
        drafted = await self.world.do(
            vouchers.draft_programme,
            vouchers.DraftProgramme(
                name=f"{year}年省科技创新券",
                name_en=f"Provincial innovation vouchers {year}",
                year=year,
                opens_on=date(year, 1, 1),
                closes_on=date(year, 12, 20),
                layers=(
                    vouchers.LayerPlan("province", "320000", 1_000_000_000),
                    vouchers.LayerPlan("city", "320000", 1_000_000_000),
                ),
            ),
            self.staff.voucher_officer,
        )
        await self.world.do(
            vouchers.approve_programme,
            vouchers.ApproveProgramme(drafted.id),
            self.staff.second_officer,
        )
        self.programme_id = drafted.id

    async def _grant(self, company: Company, amount_fen: int) -> None:
        applied = await self.world.attempt(
            vouchers.apply_for_voucher,
            vouchers.ApplyForVoucher(self.programme_id, amount_fen, "新产品研发测试"),
            company.buyer,
        )
        if applied is not None:
            await self.world.do(
                vouchers.decide_application,
                vouchers.DecideApplication(applied.id, amount_fen),
                self.staff.voucher_officer,
            )

    async def end_of_day(self, day: date) -> None:
        """Claims whose notice is over are approved; at month's end the rest of the work."""
        for claim_id, notice_ends_on in list(self._notices.items()):
            if day > notice_ends_on:
                await self.world.attempt(
                    vouchers.approve_claim,
                    vouchers.ApproveClaim(claim_id),
                    self.staff.finance_checker,
                )
                del self._notices[claim_id]
        if (day + timedelta(days=1)).day == 1:
            await self._invoices()
            if day.month in QUARTER_ENDS:
                await self._claims()
            await self.pay(day)
            await self.reconcile(day)

    async def _invoices(self) -> None:
        """Every provider records the invoices of what was settled."""
        for unit in self.world.units:
            for order in await self._settled(unit.manager):
                if order.id in self._invoiced or not order.settled_fen:
                    continue
                self._invoice_number += 1
                await self.world.attempt(
                    orders.issue_invoice,
                    orders.IssueInvoice(
                        order_id=order.id,
                        number=f"{YEAR % 100}3200000{self._invoice_number:011d}",
                        amount_fen=order.settled_fen,
                        issued_on=self.world.today,
                    ),
                    unit.manager,
                )
                self._invoiced.add(order.id)

    async def _settled(self, manager: Actor) -> list[order_queries.Order]:
        """Every settled order of a provider, page by page."""
        found: list[order_queries.Order] = []
        while True:
            page = await self.world.ask(
                order_queries.orders,
                order_queries.OrderList(
                    status="settled", page=len(found) // PAGE + 1, page_size=PAGE
                ),
                manager,
            )
            found += page.rows
            if len(found) >= page.total:
                return found

    async def _redeemed(self, manager: Actor, claim_id: int) -> list[voucher_queries.Redemption]:
        """Every redemption of a claim, page by page."""
        found: list[voucher_queries.Redemption] = []
        while True:
            page = await self.world.ask(
                voucher_queries.redemptions,
                voucher_queries.RedemptionSearch(
                    claim_id=claim_id, page=voucher_queries.PageAsked(len(found) // PAGE + 1, PAGE)
                ),
                manager,
            )
            found += page.rows
            if len(found) >= page.total:
                return found

    async def _claims(self) -> None:
        """Every provider with redemptions claims them; an officer audits and gives notice."""
        for unit in self.world.units:
            unclaimed = await self.world.ask(
                voucher_queries.redemptions,
                voucher_queries.RedemptionSearch(unclaimed=True),
                unit.manager,
            )
            if not unclaimed.total:
                continue
            drafted = await self.world.do(vouchers.draft_claim, vouchers.DraftClaim(), unit.manager)
            pieces = self._evidence(await self._redeemed(unit.manager, drafted.id))
            for start in range(0, len(pieces), PIECES):
                await self.world.do(
                    vouchers.attach_evidence,
                    vouchers.AttachEvidence(drafted.id, tuple(pieces[start : start + PIECES])),
                    unit.manager,
                )
            await self.world.do(
                vouchers.submit_claim, vouchers.SubmitClaim(drafted.id), unit.manager
            )
            await self._audit(drafted.id)

    def _evidence(self, redeemed: Sequence[voucher_queries.Redemption]) -> list[vouchers.Piece]:
        return [
            vouchers.Piece(
                redemption_id=one.id,
                kind=kind,
                sha256=hashlib.sha256(f"{one.id}:{kind}".encode()).hexdigest(),
                reference=f"order {one.order_id}",
                invoice_number=f"{YEAR % 100}3299999{one.id:011d}"
                if kind is EvidenceKind.INVOICE
                else None,
            )
            for one in redeemed
            for kind in USUAL_EVIDENCE
        ]

    async def _audit(self, claim_id: int) -> None:
        officer = self.staff.voucher_officer
        audited = await self.world.do(
            vouchers.audit_claim, vouchers.AuditClaim(claim_id, seed=claim_id), officer
        )
        for check in audited.spot_checks:
            await self.world.do(
                vouchers.record_spot_check,
                vouchers.RecordSpotCheck(
                    claim_id, check.redemption_id, passed=True, finding="材料齐全，与记录一致"
                ),
                officer,
            )
        given = await self.world.do(vouchers.give_notice, vouchers.GiveNotice(claim_id), officer)
        self._notices[claim_id] = given.claim.notice_ends_on or self.world.today

    async def pay(self, day: date) -> None:
        """What is owed is instructed, batched, approved by a second person, sent, and executed."""
        maker, checker = self.staff.finance_maker, self.staff.finance_checker
        await self.world.attempt(
            payouts.instruct_settlements, payouts.InstructSettlements(minimum_fen=10_000), maker
        )
        batch = await self.world.attempt(payouts.draft_batch, payouts.DraftBatch(), maker)
        if batch is None:
            return
        step = payouts.BatchStep(batch.id)
        await self.world.do(payouts.approve_batch, step, checker)
        file = await self.world.do(payouts.batch_file, step, maker)
        await self.world.do(payouts.send_batch, step, maker)
        for row in csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))):
            self.bank.pay(
                day,
                amount_fen=parse_yuan(row["金额"]),
                payee=row["收款人户名"],
                payee_account=row["收款账号"],
                remark=f"{row['用途']} {row['客户端流水号']}",
            )

    async def reconcile(self, day: date) -> None:
        """The bank's statement is imported and matched."""
        self.world.go_to(day, 23 * 60 + 55)
        content = self.bank.statement()
        if content is None:
            return
        maker = self.staff.finance_maker
        imported = await self.world.do(
            reconciliation.import_statement,
            reconciliation.ImportStatement(
                account_number=ACCOUNT_NUMBER.replace(" ", ""),
                file_name=f"statement-{day:%Y%m%d}.csv",
                content=content,
            ),
            maker,
        )
        await self.world.do(
            reconciliation.match_statement,
            reconciliation.MatchStatement(imported.id),
            maker,
        )
        await self.world.deliver()

    async def close_the_year(self) -> None:
        """What nobody had explained is explained by hand, and two persons sign the year off."""
        self.world.go_to(date(YEAR + 1, 1, 6))
        maker, checker = self.staff.finance_maker, self.staff.finance_checker
        lines, _ = await self.world.ask(
            reconciliation_queries.statement_lines,
            reconciliation_queries.LineSearch(status="unmatched"),
            maker,
        )
        for line in lines:
            await self.world.do(
                reconciliation.match_line,
                reconciliation.MatchLine(
                    line.id,
                    MatchKind.WALLET,
                    reason="来电核实：补缴测试预存款",
                    target_id=self.world.companies[2].organisation_id,
                ),
                maker,
            )
        drafted = await self.world.do(
            reconciliation.draft_sign_off,
            reconciliation.DraftSignOff(date(YEAR, 1, 1), date(YEAR, 12, 31)),
            maker,
        )
        await self.world.do(
            reconciliation.approve_sign_off,
            reconciliation.ApproveSignOff(drafted.id),
            checker,
        )

    async def evaluate(self) -> None:
        """The yearly evaluation, from records to final grades."""
        self.world.go_to(date(YEAR + 1, 1, 8))
        await self.world.do(
            evaluation.draft_assessments,
            evaluation.DraftAssessments(YEAR),
            self.staff.evaluator,
        )
        drafts, _ = await self.world.ask(
            evaluation_queries.assessments,
            evaluation_queries.AssessmentSearch(year=YEAR, page_size=len(self.world.units)),
        )
        for number, one in enumerate(sorted(drafts, key=lambda each: each.provider_id)):
            for component in ("landmark_services", "rules_and_practice"):
                score = 96 - (7 * number) % 40
                await self.world.do(
                    evaluation.give_score,
                    evaluation.GiveScore(one.id, component, score),
                    self.staff.expert,
                )
        await self.world.do(
            evaluation.publish_assessments,
            evaluation.PublishAssessments(YEAR),
            self.staff.evaluator,
        )
        self.world.go_to(working_days_after(date(YEAR + 1, 1, 8), 6))
        await self.world.do(
            evaluation.finalise_assessments,
            evaluation.FinaliseAssessments(YEAR),
            self.staff.second_evaluator,
        )

    async def reward(self) -> int:
        """The reward run of the year: drafted, approved by a second person, paid, reconciled."""
        self.world.go_to(date(YEAR + 1, 2, 3))
        drafted = await self.world.do(
            rewards.draft_run,
            rewards.DraftRun(year=YEAR, through=date(YEAR, 12, 31)),
            self.staff.finance_maker,
        )
        await self.world.do(
            rewards.approve_run, rewards.ApproveRun(drafted.id), self.staff.finance_checker
        )
        await self.world.deliver()
        day = date(YEAR + 1, 2, 27)
        self.world.go_to(day)
        await self.world.work()
        await self.end_of_day(day)
        await self.pay(day)
        await self.reconcile(day)
        return drafted.id

    async def prepare_today(self, today: date) -> None:
        """The present year's programme and money, so that a visitor can order at once."""
        self.world.go_to(today)
        if today.month == 12 and today.day > 15:
            return
        await self._programme(today.year)
        for company, planned in zip(self.world.companies[:10], self.plan.companies, strict=False):
            await file_profile(self.world, planned, company.buyer, today.year)
            self._deposit(today, company, GRANT_FEN)
        await self.reconcile(today)
        for company in self.world.companies[:10]:
            await self._grant(company, GRANT_FEN)
