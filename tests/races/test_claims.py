"""A claim is approved while its order is refunded: nobody keeps what was given back.

The guard is the lock of the claim and of its redemptions. The control takes it away and shows that
the same race then pays what came back already.
"""

import asyncio
import contextlib
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.billing.ledger.use_cases import AccountType
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import DomainError
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.parties.roles import Role
from marketplace.vouchers import queries
from marketplace.vouchers.jobs import reconcile_programmes
from marketplace.vouchers.queries.clawbacks import paid_lines
from marketplace.vouchers.use_cases import (
    ApproveClaim,
    DecideClawback,
    ProposeClawback,
    approve_claim,
    decide_clawback,
    propose_clawback,
    reverse_redemption,
)
from tests.builders.parties import an_actor
from tests.builders.vouchers import (
    TEST,
    AClaim,
    a_claim,
    a_voucher_fund,
    an_officer,
    money_on,
    orders_are_numbers,
)

AFTER_NOTICE = datetime(2025, 3, 11, 9, 0, tzinfo=SHANGHAI)
REFUND_FEN = 30_000


async def a_claim_to_approve(database: Database, clock: SetClock) -> AClaim:
    await orders_are_numbers(database)
    made = await a_claim(database, redemptions=1, status="in_notice")
    await a_voucher_fund(database)
    clock.set(AFTER_NOTICE)
    return made


async def approves(database: Database, made: AClaim, checker: Actor) -> None:
    await atomically(database, approve_claim, ApproveClaim(made.claim_id), actor=checker)


async def refunds(database: Database, made: AClaim) -> None:
    async with database.engine.connect() as connection:
        order_id = await connection.scalar(
            text(f"select order_id from redemption where id = {made.redemption_ids[0]}")
        )

    async def refund(tx: Tx, _: Any) -> None:
        await reverse_redemption(tx, int(order_id or 0), REFUND_FEN, "Not delivered.")

    await atomically(database, refund, None, actor=TEST)


async def kept(database: Database, made: AClaim) -> int:
    """What the provider was paid less what it owes back."""
    provider_id = made.provider.organisation_id
    owed = await money_on(database, AccountType.CLAWBACK_RECEIVABLE, provider_id)
    return await money_on(database, AccountType.PAYOUT_IN_TRANSIT) - owed


@pytest.mark.parametrize("repetition", range(4))
async def test_a_refund_and_an_approval_at_once_leave_what_was_served(
    database: Database, clock: SetClock, repetition: int
):
    made = await a_claim_to_approve(database, clock)
    checker = await an_actor(database, Role.FINANCE_CHECKER)
    both = [approves(database, made, checker), refunds(database, made)]
    await asyncio.gather(*(both if repetition % 2 else reversed(both)))

    assert await kept(database, made) == 50_000 - REFUND_FEN
    assert await reconcile_programmes(database)


async def test_control_without_the_locks_what_came_back_is_paid(
    database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
):
    """Both look before either writes: the refund sees a claim in notice, the approval 50,000."""
    from marketplace.vouchers.queries.returns import claim_states, net_redemptions
    from marketplace.vouchers.use_cases import refunds as refunding

    made = await a_claim_to_approve(database, clock)
    checker = await an_actor(database, Role.FINANCE_CHECKER)
    approved = asyncio.Event()
    locked = refunding.locked

    async def looks_without_a_lock(tx: Tx, order_id: int) -> Any:
        known = await net_redemptions(tx, order_id=order_id)
        states = await claim_states(tx, [made.claim_id])
        await approved.wait()
        return known, states

    monkeypatch.setattr(refunding, "locked", looks_without_a_lock)
    refund = asyncio.create_task(refunds(database, made))
    await asyncio.sleep(0.3)
    await approves(database, made, checker)
    approved.set()
    await refund

    assert locked is not looks_without_a_lock
    assert await kept(database, made) == 50_000


async def test_clawbacks_at_once_never_take_more_than_was_approved(
    database: Database, clock: SetClock
):
    made = await a_claim_to_approve(database, clock)
    checker = await an_actor(database, Role.FINANCE_CHECKER)
    await approves(database, made, checker)

    async def proposes() -> None:
        command = ProposeClawback(made.claim_id, "Copied.", {made.redemption_ids[0]: 20_000})
        officer = await an_officer(database)
        page = await atomically(database, propose_clawback, command, actor=officer)
        agreed = DecideClawback(page.clawback.id, True, "Seen.")
        await atomically(database, decide_clawback, agreed, actor=checker)

    results = await asyncio.gather(
        refunds(database, made), *(proposes() for _ in range(4)), return_exceptions=True
    )

    assert all(each is None or isinstance(each, DomainError) for each in results), results
    assert await kept(database, made) >= 0
    assert await reconcile_programmes(database)


async def clawbacks_race(database: Database, clock: SetClock) -> tuple[int, int, int]:
    """Five clawbacks of 20,000 proposed at once: how many are, are agreed to, and what is kept."""
    made = await a_claim_to_approve(database, clock)
    checker = await an_actor(database, Role.FINANCE_CHECKER)
    await approves(database, made, checker)
    command = ProposeClawback(made.claim_id, "Copied.", {made.redemption_ids[0]: 20_000})
    officer = await an_officer(database)
    results = await asyncio.gather(
        *(atomically(database, propose_clawback, command, actor=officer) for _ in range(5)),
        return_exceptions=True,
    )
    proposed = [each for each in results if not isinstance(each, BaseException)]
    assert all(isinstance(each, DomainError) for each in results if each not in proposed), results
    agreed = 0
    for page in proposed:
        with contextlib.suppress(DomainError):
            agree = DecideClawback(page.clawback.id, True, "Seen.")
            await atomically(database, decide_clawback, agree, actor=checker)
            agreed += 1
    return len(proposed), agreed, await kept(database, made)


async def test_clawbacks_proposed_at_once_ask_for_no_more_than_was_paid(
    database: Database, clock: SetClock
):
    assert await clawbacks_race(database, clock) == (2, 2, 10_000)
    assert await reconcile_programmes(database)


async def test_control_without_the_lock_more_is_proposed_and_the_database_stops_it(
    database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
):
    """Each proposal looks at what is left before another is written."""
    everybody_looked = asyncio.Barrier(5)

    async def unlocked(tx: Tx, claim_id: int, **_: bool) -> Any:
        return await queries.claim(tx, claim_id)

    async def looks(tx: Tx, claim_id: int) -> Any:
        lines = await paid_lines(tx, claim_id)
        await everybody_looked.wait()
        return lines

    of = "marketplace.vouchers.use_cases.clawbacks"
    monkeypatch.setattr(f"{of}.claim", unlocked)
    monkeypatch.setattr(f"{of}.paid_lines", looks)

    proposed, agreed, left_fen = await clawbacks_race(database, clock)

    assert proposed == 5
    assert (agreed, left_fen) == (2, 10_000)
    assert await reconcile_programmes(database)
