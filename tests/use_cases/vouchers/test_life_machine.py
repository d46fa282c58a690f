"""The whole life of voucher money, from the budget to the clawback, in any order of events."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from marketplace.billing.ledger.queries import verify
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.parties.roles import Role
from marketplace.vouchers import queries
from marketplace.vouchers.queries import PageAsked, RedemptionSearch
from marketplace.vouchers.queries.reports import ReconciliationAsked, reconciliation
from marketplace.vouchers.rules.programme_file import FOLDER, read_programme
from marketplace.vouchers.rules.states import EvidenceKind
from marketplace.vouchers.use_cases import (
    ApproveClaim,
    AttachEvidence,
    AuditClaim,
    DecideClawback,
    DecideLine,
    DraftClaim,
    GiveNotice,
    LayerPlan,
    ProposeClawback,
    RecordSpotCheck,
    SubmitClaim,
    approve_claim,
    attach_evidence,
    audit_claim,
    decide_clawback,
    decide_line,
    draft_claim,
    give_notice,
    propose_clawback,
    record_spot_check,
    reverse_redemption,
    submit_claim,
)
from tests.builders.owner import become_owner
from tests.builders.parties import a_provider, an_actor
from tests.builders.vouchers import (
    TEST,
    a_piece,
    a_programme,
    a_voucher_fund,
    an_officer,
    with_terms,
)
from tests.use_cases.vouchers.test_budget_machine import VERBS, Machine

DELTA = read_programme((FOLDER / "delta-shuangchuang.toml").read_bytes())
BEGIN = datetime(2025, 3, 3, 9, 0, tzinfo=SHANGHAI)
LATER = ("claim", "audit", "line", "pay", "refund", "clawback")

Steps: TypeAlias = st.SearchStrategy[list[tuple[str, int, int]]]

# What no sequence may bring about; each row is a fault. Money that came back may give room to caps.
FAULTS = """
    select 'cap' as what, used_fen as fen from voucher_cap where used_fen not between 0 and cap_fen
    union all
    select 'year', granted_fen from voucher_year where granted_fen not between 0 and cap_fen
    union all
    select 'cap-counts', c.used_fen from voucher_cap c
     where c.kind = 'sme-year' and c.used_fen <> coalesce((
       select sum(case h.status when 'held' then hp.amount_fen else coalesce(rp.amount_fen, 0)
                    - coalesce((select sum(b.amount_fen) from redemption_return b
                        where b.redemption_id = r.id and b.layer_id = l.id and b.frees_caps), 0)
                  end)
         from voucher_hold h
         join voucher_grant g on g.id = h.grant_id
         join voucher_hold_part hp on hp.hold_id = h.id
         join grant_part p on p.id = hp.grant_part_id
         join programme_layer l on l.id = p.layer_id
         left join redemption r on r.order_id = h.order_id and r.grant_id = h.grant_id
         left join redemption_part rp on rp.redemption_id = r.id and rp.layer_id = l.id
        where h.status <> 'released' and g.programme_id = c.programme_id
          and g.organisation_id = c.subject and c.funder in ('', l.funder)), 0)
    union all
    select 'hold', h.id from voucher_hold h
      left join redemption r on r.order_id = h.order_id and r.grant_id = h.grant_id
     where h.status = 'settled' and h.settled_fen <> coalesce(r.amount_fen, 0)
        or h.amount_fen <> (select sum(amount_fen) from voucher_hold_part where hold_id = h.id)
        or h.amount_fen > h.service_value_fen
    union all
    select 'overdrawn', id from account
     where ledger = 'voucher' and cached and posted_fen * normal < held_fen
    union all
    select 'lines', l.redemption_id from claim_line l
      join claim c on c.id = l.claim_id and c.status in ('approved', 'paid')
     group by l.redemption_id having sum(l.approved_fen) > (
       select amount_fen from redemption where id = l.redemption_id)
"""


@dataclass
class Life(Machine):
    """The budget's machine with what comes after a settlement: claims, refunds, clawbacks."""

    provider: Actor = TEST
    checkers: list[Actor] = field(default_factory=list)
    claims: list[int] = field(default_factory=list)

    async def _claim(self, which: int, amount: int) -> bool:
        # The vouchers of one programme are redeemed by the provider, of the other by the SME.
        claimant = self.provider if amount % 2 else self.smes[which]
        drafted = await atomically(self.database, draft_claim, DraftClaim(), actor=claimant)
        pieces = tuple(
            a_piece(each, kind) for each in await self._of(drafted.id) for kind in EvidenceKind
        )
        command = AttachEvidence(drafted.id, pieces)
        await atomically(self.database, attach_evidence, command, actor=claimant)
        await atomically(self.database, submit_claim, SubmitClaim(drafted.id), actor=claimant)
        self.claims.append(drafted.id)
        return True

    async def _of(self, claim_id: int) -> list[int]:
        search = RedemptionSearch(claim_id, page=PageAsked(1, 100))
        found = await atomically(self.database, queries.redemptions, search, actor=TEST)
        return [row.id for row in found.rows if row.excluded_at is None]

    async def _audit(self, which: int, amount: int) -> bool:
        for claim_id in self.claims[-1 - which :][:1]:
            officer = self.officers[0]
            command = AuditClaim(claim_id, amount)
            page = await atomically(self.database, audit_claim, command, actor=officer)
            for place, check in enumerate(page.spot_checks):
                passed = bool(which or place or amount % 3)
                record = RecordSpotCheck(claim_id, check.redemption_id, passed, "Looked at.")
                await atomically(self.database, record_spot_check, record, actor=officer)
        return bool(self.claims)

    async def _line(self, which: int, amount: int) -> bool:
        for claim_id in self.claims[-1 - which :][:1]:
            ids = await self._of(claim_id)
            if not ids:
                return False
            approved_fen = amount % 100
            command = DecideLine(claim_id, ids[amount % len(ids)], approved_fen, "Less was used.")
            await atomically(self.database, decide_line, command, actor=self.officers[0])
        return bool(self.claims)

    async def _pay(self, which: int, amount: int) -> bool:
        for claim_id in self.claims[-1 - which :][:1]:
            await atomically(
                self.database, give_notice, GiveNotice(claim_id), actor=self.officers[0]
            )
            self.clock.set(self.clock.now() + timedelta(days=9))
            command = ApproveClaim(claim_id)
            await atomically(self.database, approve_claim, command, actor=self.checkers[0])
        return bool(self.claims)

    async def _refund(self, which: int, amount: int) -> bool:
        async def refund(tx: Tx, order_id: int) -> None:
            await reverse_redemption(tx, order_id, amount % 30_000 + 1, "Repeated in part.")

        for order_id in self.orders[-1 - which :][:1]:
            await atomically(self.database, refund, order_id, actor=TEST)
        return bool(self.orders)

    async def _clawback(self, which: int, amount: int) -> bool:
        for claim_id in self.claims[-1 - which :][:1]:
            ids = await self._of(claim_id)
            if not ids:
                return False
            amounts: dict[int, int | None] = {ids[amount % len(ids)]: amount % 100 + 1}
            propose = ProposeClawback(claim_id, "Not what was invoiced.", amounts)
            page = await atomically(
                self.database, propose_clawback, propose, actor=self.officers[1]
            )
            decide = DecideClawback(page.clawback.id, True, "Agreed.")
            await atomically(self.database, decide_clawback, decide, actor=self.checkers[1])
        return bool(self.claims)

    async def several(self) -> int:
        """How many of the orders have drawn several vouchers."""
        async with self.database.engine.connect() as connection:
            found = await connection.scalar(
                text(
                    "select count(*) from (select from voucher_hold where order_id = any(:ids)"
                    " group by order_id having count(distinct grant_id) > 1) several"
                ),
                {"ids": self.orders},
            )
        return int(found or 0)

    async def faults(self) -> list[object]:
        asked = ReconciliationAsked(differing=True)
        differing = await atomically(self.database, reconciliation, asked, actor=TEST)
        async with self.database.engine.connect() as connection:
            return [*differing, *(await connection.execute(text(FAULTS)))]


async def a_life(database: Database, clock: SetClock) -> Life:
    """A province's programme and one of two zones that split costs, and a fund to redeem from.

    Both SMEs have a voucher of each; those of the province they redeem themselves.
    """
    clock.set(BEGIN)
    small = (LayerPlan("province", "320000", 3_000_000), LayerPlan("city", "320100", 3_000_000))
    zones = (
        LayerPlan("zone", "320100", 3_000_000, 5000),
        LayerPlan("zone", "310110", 400_000, 5000),
    )
    provider_id = await a_provider(database, region_code="310110")
    made = Life(
        database,
        clock,
        [
            await a_programme(database, layers=small),
            await a_programme(database, terms=DELTA.terms, layers=zones),
        ],
        [await an_actor(database, Role.SME_ADMINISTRATOR) for _ in range(2)],
        [await an_officer(database) for _ in range(2)],
        provider_id,
        provider=await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=provider_id),
        checkers=[await an_actor(database, Role.FINANCE_CHECKER) for _ in range(2)],
    )
    await a_voucher_fund(database)
    await with_terms(database, made.programmes[0], redeemed_by="sme")
    for step in (
        ("apply", 0, 2_000_000),
        ("apply", 1, 2_000_001),
        ("apply", 0, 900_001),
        ("apply", 1, 900_000),
    ):
        assert await made.run(*step)
        assert await made.run("approve", 0, step[2])
    return made


def some(verbs: tuple[str, ...], at_least: int, at_most: int) -> Steps:
    """Some of these steps, for the one or the other, with some amount."""
    step = st.tuples(st.sampled_from(verbs), st.integers(0, 1), st.integers(1, 600_000))
    return st.lists(step, min_size=at_least, max_size=at_most)


# What comes late in a life is tried late, after something to try it on; and then everything.
steps = st.tuples(
    some(("hold", "settle"), 6, 10),
    some(("claim", "audit", "audit", "line", "pay", "hold", "settle"), 8, 12),
    some(
        (*LATER, "pay", "refund", "refund", "clawback", "clawback", "hold", "settle", "release"),
        8,
        14,
    ),
    some((*VERBS, *LATER), 6, 12),
).map(lambda parts: [step for part in parts for step in part])


async def test_tables_and_ledger_agree_at_every_step_of_the_whole_life(
    database: Database, clock: SetClock
):
    loop = asyncio.get_running_loop()
    done: dict[str, int] = {}

    async def play(found: list[tuple[str, int, int]]) -> None:
        machine = await a_life(database, clock)
        for step in found:
            if await machine.run(*step):
                done[step[0]] = done.get(step[0], 0) + 1
            assert await machine.faults() == [], step
        done["several"] = done.get("several", 0) + await machine.several()

    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(steps)
    def sequences(found: list[tuple[str, int, int]]) -> None:
        # Hypothesis calls from a thread of its own; the database lives in this loop.
        asyncio.run_coroutine_threadsafe(play(found), loop).result(timeout=120)

    await asyncio.to_thread(sequences)

    assert not (await verify(database)).problems
    # The control: every kind of step is really taken, not refused each time. Everybody has been
    # granted everything before: who wants more asks for a top-up.
    expected = {*VERBS, *LATER} - {"apply", "approve"}
    assert done.keys() >= expected, (expected - done.keys(), done)
    assert done["several"] > 20, done


async def test_one_life_from_the_budget_to_the_clawback(database: Database, clock: SetClock):
    machine = await a_life(database, clock)
    life = (
        ("hold", 0, 300_000),
        ("settle", 0, 200_000),
        ("hold", 1, 500_000),
        ("settle", 0, 500_000),
        ("claim", 0, 1),
        ("audit", 1, 7),
        ("line", 0, 99),
        ("pay", 0, 1),
        ("refund", 0, 50),
        ("clawback", 0, 98),
        ("hold", 0, 100_000),
        ("release", 0, 1),
        ("expire", 0, 1),
        ("expire", 1, 1),
        ("close", 0, 1),
        ("close", 1, 1),
    )
    for step in life:
        assert await machine.run(*step), step
        assert await machine.faults() == [], step


@pytest.mark.parametrize(
    "broken",
    [
        "update redemption_part set amount_fen = amount_fen - 1",
        "update voucher_cap set used_fen = used_fen - 1",
        "update voucher_hold set settled_fen = settled_fen - 1 where status = 'settled'",
        "update claim set amount_fen = amount_fen + 1",
    ],
)
async def test_control_a_fen_that_is_lost_is_found(
    database: Database, clock: SetClock, broken: str
):
    machine = await a_life(database, clock)
    for step in (
        ("hold", 0, 300_000),
        ("settle", 0, 200_000),
        ("claim", 0, 1),
        ("audit", 1, 7),
        ("pay", 0, 1),
    ):
        assert await machine.run(*step), step
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("set local session_replication_role = replica"))
        await connection.execute(text(broken))

    assert await machine.faults()
