"""What is in public notice: a claim on vouchers and a run of rewards, for anybody to object to."""

from __future__ import annotations

from datetime import timedelta

from marketplace.billing.rewards.use_cases import (
    FileObjection,
    PublishRun,
    file_objection,
    publish_run,
)
from marketplace.kernel.actors import NOBODY
from marketplace.kernel.time import During, shanghai_day
from marketplace.orders.use_cases import AcceptOrder, accept_order
from marketplace.parties.roles import Role
from marketplace.vouchers.queries import RedemptionSearch, redemptions
from marketplace.vouchers.use_cases import DraftClaim, draft_claim
from tests.builders.orders import Market, a_delivered_order, a_market
from tests.builders.parties import an_actor
from tests.builders.rewards import a_draft, a_grade
from tests.builders.vouchers import AClaim, an_officer, bring_claim


async def public_notices(market: Market) -> dict[str, int | str]:
    """Another provider serves the same company, claims what vouchers paid, and is rewarded."""
    database = market.database
    other = await a_market(database, buyer=market.buyer, voucher_fen=0)
    soon = database.clock.now() + timedelta(hours=3)
    starts_at = soon.replace(minute=0, second=0, microsecond=0)
    done = await a_delivered_order(other, during=During(starts_at, starts_at + timedelta(hours=2)))
    await other.do(accept_order, AcceptOrder(done.id), by=other.buyer)
    claim = await other.do(draft_claim, DraftClaim(), by=other.manager)
    claimed = RedemptionSearch(claim_id=claim.id)
    (redemption,) = (await other.do(redemptions, claimed, by=other.manager)).rows
    made = AClaim(claim.id, other.manager, await an_officer(database), (redemption.id,))
    await bring_claim(database, made, "in_notice")
    await a_grade(database, provider_id=other.manager.organisation_id)
    maker = await an_actor(database, Role.FINANCE_MAKER)
    run = await a_draft(database, actor=maker, through=shanghai_day(database.clock.now()))
    await other.do(publish_run, PublishRun(run.id), by=maker)
    objection = FileObjection(run.id, "李明", "13800000000", "该单位的服务没有发生")
    await other.do(file_objection, objection, by=NOBODY)
    return {"noticed_claim_id": claim.id, "noticed_run_id": run.id}
