"""Whatever happens in any order, no fen of a budget is lost: the tables agree with the ledger."""

import asyncio
import itertools
from dataclasses import dataclass, field
from datetime import date, timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.errors import DomainError
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from marketplace.vouchers.rules.layer_changes import LayerChanged
from marketplace.vouchers.rules.states import GrantChangeKind
from marketplace.vouchers.use_cases import (
    ApplyForTopUp,
    CloseProgramme,
    DecideApplication,
    DecideGrantChange,
    DecideVersion,
    DraftVersion,
    ExpireVouchers,
    LayerPlan,
    LayersAsked,
    ProposeGrantChange,
    ReleaseVoucher,
    SettleVoucher,
    apply_for_top_up,
    approve_version,
    close_programme,
    decide_application,
    decide_grant_change,
    draft_version,
    expire_vouchers,
    propose_grant_change,
    release_voucher,
    settle_voucher,
)
from tests.builders.parties import a_provider, an_actor
from tests.builders.vouchers import (
    TEST,
    AGrant,
    a_hold,
    a_programme,
    an_application,
    an_officer,
    the_layers,
)

# Budget, and where every fen of it is by the ledger's accounts; each row is a fault.
IDENTITY = """
    with money as (
      select type, owner_id, held_fen as held, normal * case when cached then posted_fen else
          (select coalesce(sum(amount_fen), 0) from posting where account_id = account.id) end
          as posted
        from account where ledger = 'voucher'),
    layer_money as (
      select l.id, l.budget_fen,
        coalesce((select posted from money where type = 'programme_budget'
                    and owner_id = l.id), 0) as available,
        coalesce((select posted from money where type = 'appropriation'
                    and owner_id = l.id), 0) as appropriated,
        coalesce((select posted from money where type = 'programme_spent'
                    and owner_id = l.id), 0) as spent,
        coalesce((select sum(m.posted) from grant_part p join money m
                    on m.type = 'voucher' and m.owner_id = p.id
                   where p.layer_id = l.id), 0) as granted,
        coalesce((select sum(m.held) from grant_part p join money m
                    on m.type = 'voucher' and m.owner_id = p.id
                   where p.layer_id = l.id), 0) as held,
        coalesce((select sum(hp.amount_fen) from voucher_hold_part hp
                    join voucher_hold h on h.id = hp.hold_id and h.status = 'held'
                    join grant_part p on p.id = hp.grant_part_id
                   where p.layer_id = l.id), 0) as held_by_orders,
        coalesce((select sum(rp.amount_fen) from redemption_part rp
                   where rp.layer_id = l.id), 0) as redeemed
      from programme_layer l)
    select * from layer_money
     where appropriated <> available + granted + spent
        or held <> held_by_orders or spent <> redeemed or appropriated > budget_fen
        or available < 0 or granted < held
"""
# hold − settle − release = 0 for every hold that ended, and what counts towards caps is right.
HOLDS = """
    select h.id from voucher_hold h
      left join redemption r on r.order_id = h.order_id and r.grant_id = h.grant_id
     where h.status = 'settled' and h.settled_fen <> coalesce(r.amount_fen, 0)
        or h.amount_fen <> (select sum(amount_fen) from voucher_hold_part where hold_id = h.id)
    union all
    select c.programme_id from voucher_cap c
     where c.kind = 'sme-year' and c.used_fen <> coalesce(
       (select sum(case when h.status = 'held' then hp.amount_fen
                        else coalesce(rp.amount_fen, 0) end)
          from voucher_hold h
          join voucher_grant g on g.id = h.grant_id
          join voucher_hold_part hp on hp.hold_id = h.id
          join grant_part p on p.id = hp.grant_part_id
          join programme_layer l on l.id = p.layer_id
          left join redemption r on r.order_id = h.order_id and r.grant_id = h.grant_id
          left join redemption_part rp on rp.redemption_id = r.id and rp.layer_id = l.id
         where h.status <> 'released' and g.programme_id = c.programme_id
           and g.organisation_id = c.subject and l.funder = c.funder), 0)
"""
ORDERS = itertools.count(1)
VERBS = (
    "apply",
    "approve",
    "top_up",
    "hold",
    "settle",
    "release",
    "withdraw",
    "revoke",
    "expire",
    "budget",
    "close",
)
steps = st.lists(
    st.tuples(st.sampled_from((*VERBS[:6], *VERBS)), st.integers(0, 1), st.integers(1, 3_000_000)),
    min_size=16,
    max_size=30,
)


@dataclass
class Machine:
    """Two SMEs, two programmes, two officers, one provider, and what happened so far."""

    database: Database
    clock: SetClock
    programmes: list[int]
    smes: list[Actor]
    officers: list[Actor]
    provider_id: int
    applications: list[int] = field(default_factory=list)
    grants: list[AGrant] = field(default_factory=list)
    orders: list[int] = field(default_factory=list)
    versions: int = 0

    async def run(self, verb: str, which: int, amount: int) -> bool:
        """Whether something came of it; what the rules refuse changes nothing."""
        try:
            return bool(await getattr(self, f"_{verb}")(which, amount))
        except DomainError:
            return False

    async def _apply(self, which: int, amount: int) -> bool:
        programme_id = self.programmes[amount % 2]
        self.applications.append(
            await an_application(
                self.database,
                programme_id=programme_id,
                sme=self.smes[which],
                asked_fen=amount + 1,
            )
        )
        return True

    async def _approve(self, which: int, amount: int) -> bool:
        taken = self.applications[which:][:1]
        for application_id in taken:
            self.applications.remove(application_id)
            command = DecideApplication(application_id, amount)
            found = await atomically(
                self.database, decide_application, command, actor=self.officers[0]
            )
            if found.grant_id is not None:
                by_id = {sme.organisation_id: sme for sme in self.smes}
                sme = by_id[found.application.organisation_id]
                self.grants.append(AGrant(found.grant_id, found.application.programme_id, sme))
        return bool(taken)

    async def _top_up(self, which: int, amount: int) -> bool:
        for granted in self.grants[which:][:1]:
            command = ApplyForTopUp(granted.grant_id, amount, "More")
            asked = await atomically(self.database, apply_for_top_up, command, actor=granted.sme)
            decide = DecideApplication(asked.id, amount)
            await atomically(self.database, decide_application, decide, actor=self.officers[0])
        return bool(self.grants[which:])

    async def _hold(self, which: int, amount: int) -> bool:
        order_id = next(ORDERS)
        granted = AGrant(0, 0, self.smes[which])
        await a_hold(
            self.database,
            granted=granted,
            provider_id=self.provider_id,
            order_id=order_id,
            service_value_fen=amount,
        )
        self.orders.append(order_id)
        return True

    async def _settle(self, which: int, amount: int) -> bool:
        for order_id in self.orders[-1 - which :][:1]:
            command = SettleVoucher(order_id, amount, date(2025, 3, 3))
            await atomically(self.database, settle_voucher, command, actor=TEST)
        return len(self.orders) > which

    async def _release(self, which: int, amount: int) -> bool:
        for order_id in self.orders[-1 - which :][:1]:
            await atomically(self.database, release_voucher, ReleaseVoucher(order_id), actor=TEST)
        return len(self.orders) > which

    async def _change(self, which: int, kind: GrantChangeKind, amount: int | None) -> bool:
        for granted in self.grants[which:][:1]:
            propose = ProposeGrantChange(granted.grant_id, kind, "Unused", amount)
            one, other = self.officers
            found = await atomically(self.database, propose_grant_change, propose, actor=one)
            decide = DecideGrantChange(found.id, True)
            await atomically(self.database, decide_grant_change, decide, actor=other)
        return len(self.grants) > which

    async def _withdraw(self, which: int, amount: int) -> bool:
        return await self._change(which, GrantChangeKind.WITHDRAWAL, amount)

    async def _revoke(self, which: int, amount: int) -> bool:
        return await self._change(which, GrantChangeKind.REVOCATION, None)

    async def _expire(self, which: int, amount: int) -> bool:
        async with self.database.engine.begin() as connection:
            await connection.execute(
                text(
                    "update voucher_grant set valid_until = '2025-03-02'"
                    " where status = 'active' and id % 2 = :which"
                ),
                {"which": which},
            )
        found = await atomically(self.database, expire_vouchers, ExpireVouchers(), actor=TEST)
        return found.grants > 0

    async def _budget(self, which: int, amount: int) -> bool:
        """Another budget of a layer, by a version: as low as what is bound of it, or higher."""
        programme_id = self.programmes[amount % 2]
        layer_id = (await the_layers(self.database, programme_id))[which]
        self.versions += 1
        command = DraftVersion(
            programme_id,
            date(2025, 12, 1) + timedelta(days=self.versions),
            "Changed",
            layers=LayersAsked([LayerChanged(layer_id, budget_fen=amount + 500_000)]),
        )
        one, other = self.officers
        drafted = await atomically(self.database, draft_version, command, actor=one)
        decide = DecideVersion(programme_id, drafted.version)
        await atomically(self.database, approve_version, decide, actor=other)
        return True

    async def _close(self, which: int, amount: int) -> bool:
        command = CloseProgramme(self.programmes[which])
        await atomically(self.database, close_programme, command, actor=self.officers[0])
        return True

    async def faults(self) -> list[object]:
        async with self.database.engine.connect() as connection:
            found = list(await connection.execute(text(IDENTITY)))
            return [*found, *(await connection.execute(text(HOLDS)))]


async def a_machine(database: Database, clock: SetClock) -> Machine:
    """A fresh pair of programmes and SMEs with a voucher each, beside those of other examples."""
    small = (LayerPlan("province", "320000", 3_000_000), LayerPlan("city", "320100", 3_000_000))
    made = Machine(
        database,
        clock,
        [await a_programme(database, layers=small) for _ in range(2)],
        [await an_actor(database, Role.SME_ADMINISTRATOR) for _ in range(2)],
        [await an_officer(database) for _ in range(2)],
        await a_provider(database),
    )
    for step in (("apply", 0, 2_000_000), ("apply", 1, 2_000_001)):
        assert await made.run(*step)
        assert await made.run("approve", 0, step[2])
    return made


async def test_every_fen_of_a_budget_is_somewhere_at_every_step(
    database: Database, clock: SetClock
):
    loop = asyncio.get_running_loop()
    done: dict[str, int] = {}

    async def play(found: list[tuple[str, int, int]]) -> None:
        machine = await a_machine(database, clock)
        for step in found:
            if await machine.run(*step):
                done[step[0]] = done.get(step[0], 0) + 1
            assert await machine.faults() == [], step

    @settings(
        max_examples=10,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(steps)
    def sequences(found: list[tuple[str, int, int]]) -> None:
        # Hypothesis calls from a thread of its own; the database lives in this loop.
        asyncio.run_coroutine_threadsafe(play(found), loop).result(timeout=60)

    await asyncio.to_thread(sequences)

    # The control: every kind of step is really taken, not refused each time.
    assert done.keys() == set(VERBS), (set(VERBS) - done.keys(), done)
