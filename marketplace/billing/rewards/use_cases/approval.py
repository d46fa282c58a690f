"""Approving a run by a second person, or discarding it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import AccountType, EntryKind
from marketplace.billing.payouts import use_cases as payouts
from marketplace.billing.rewards import queries
from marketplace.billing.rewards.errors import SecondPersonNeeded
from marketplace.billing.rewards.events import RewardRunApproved
from marketplace.billing.rewards.rules.notices import require_no_notice, require_notice_over
from marketplace.billing.rewards.rules.states import RunStatus
from marketplace.billing.rewards.rules.terms import RewardTerms
from marketplace.billing.rewards.tables import (
    reward_entity_share,
    reward_run,
    reward_share,
    reward_year,
)
from marketplace.billing.rewards.use_cases.checks import (
    require_agreement,
    require_current,
    undecided_run,
)
from marketplace.billing.rewards.use_cases.notices import objections_standing
from marketplace.kernel.db import Tx

# A thousand rewards at a province's highest cap still fit into one line of an entry.
DUES_OF_AN_ENTRY = 1_000


@dataclass(frozen=True, slots=True)
class ApproveRun:
    """Approve a draft and pay it."""

    run_id: int


async def approve_run(tx: Tx, command: ApproveRun) -> queries.RewardRun:
    """Pay a draft that another person made: reserve the caps, post, instruct the payouts.

    Every entity is recomputed by the rules; of a run that was not published, what it was computed
    from is read again: a draft that is out of date, or a fen off, pays nobody.

    Raises:
        RunMissing: when there is none.
        RunNotDraft: when it was approved or discarded.
        SecondPersonNeeded: when the actor drafted it.
        NoticeNeeded: when the terms ask for a public notice, and there was none.
        NoticeOpen: before the notice is over.
        ObjectionsStand: when an objection is open or was right.
        RunOutdated: when services, grades or payments have changed since.
        RunDisagrees: when a share is not what the rules give.
        RewardCapPassed: when an entity would be paid more than its cap in the year.
        InsufficientFunds: when the reward fund does not cover it.

    Policy: J.30a, J.30b
    """
    drafted = await undecided_run(tx, command.run_id)
    if drafted.made_by == tx.actor.person_id:
        raise SecondPersonNeeded("You drafted this run; ask a colleague to approve it.")
    if drafted.status == RunStatus.IN_NOTICE:
        # What was published is paid; a correction since then is taken off the next run.
        require_notice_over(
            drafted.notice_ends_on, tx.today, await objections_standing(tx, drafted)
        )
    else:
        require_no_notice(RewardTerms.of(drafted.terms).notice_working_days)
        await require_current(tx, drafted)
    await require_agreement(tx, drafted)
    await _reserve_caps(tx, drafted)
    await tx.execute(
        update(reward_run)
        .where(reward_run.c.id == drafted.id)
        .values(status=RunStatus.APPROVED, approved_by=tx.actor.person_id, approved_at=tx.now)
    )
    await _pay(tx, drafted)
    tx.audit("approve", subject="reward_run", subject_id=drafted.id, total_fen=drafted.total_fen)
    tx.record(RewardRunApproved(drafted.id, drafted.year, drafted.total_fen))
    return await queries.run(tx, drafted.id)


@dataclass(frozen=True, slots=True)
class DiscardRun:
    """Give up a draft, for instance to draft it again after a correction."""

    run_id: int


async def discard_run(tx: Tx, command: DiscardRun) -> queries.RewardRun:
    """Discard a draft, published or not; its figures stay readable, and it pays nobody.

    Raises:
        RunMissing: when there is none.
        RunNotDraft: when it was approved or discarded.
    """
    drafted = await undecided_run(tx, command.run_id)
    await tx.execute(
        update(reward_run)
        .where(reward_run.c.id == drafted.id)
        .values(status=RunStatus.DISCARDED, discarded_by=tx.actor.person_id, discarded_at=tx.now)
    )
    tx.audit("discard", subject="reward_run", subject_id=drafted.id)
    return await queries.run(tx, drafted.id)


async def _reserve_caps(tx: Tx, drafted: queries.RewardRun) -> None:
    """Add the run to what each entity was paid in the year; the check on the row keeps the cap."""
    table = reward_entity_share.c
    paying = (
        select(
            table.legal_entity_id,
            reward_run.c.year,
            table.amount_fen,
            cast(literal(RewardTerms.of(drafted.terms).cap_fen), BigInteger),
        )
        .join(reward_run, reward_run.c.id == table.run_id)
        .where(table.run_id == drafted.id, table.amount_fen > 0)
        # Everybody locks the rows in this order, so that no two wait for each other.
        .order_by(table.legal_entity_id)
    )
    adding = upsert(reward_year).from_select(
        ["legal_entity_id", "year", "paid_fen", "cap_fen"], paying
    )
    await tx.execute(
        adding.on_conflict_do_update(
            index_elements=["legal_entity_id", "year"],
            set_={
                "paid_fen": reward_year.c.paid_fen + adding.excluded.paid_fen,
                "cap_fen": adding.excluded.cap_fen,
            },
        )
    )


@dataclass(frozen=True, slots=True)
class _Due:
    provider_id: int
    amount_fen: int


async def _pay(tx: Tx, drafted: queries.RewardRun) -> None:
    """Owe every provider its share, out of the reward fund, and instruct its payment."""
    table = reward_share.c
    dues = await tx.all(
        _Due,
        select(table.provider_id, func.sum(table.amount_fen).cast(BigInteger).label("amount_fen"))
        .where(table.run_id == drafted.id, table.amount_fen > 0)
        .group_by(table.provider_id)
        .order_by(table.provider_id),
    )
    fund = await ledger.open_account(tx, ledger.OpenAccount(AccountType.REWARD_FUND))
    payables = await _payables(tx, [due.provider_id for due in dues])
    await ledger.post_many(
        tx,
        [
            _entry(tx, drafted, some, number=number, fund=fund, payables=payables)
            for number, some in enumerate(_parts(dues), 1)
        ],
    )
    await payouts.instruct_payouts(
        tx,
        [
            payouts.InstructPayout(
                organisation_id=due.provider_id,
                amount_fen=due.amount_fen,
                source_kind="reward",
                source_id=drafted.id,
                debit=AccountType.REWARD_PAYABLE,
            )
            for due in dues
        ],
    )


async def _payables(tx: Tx, provider_ids: Sequence[int]) -> dict[int, int]:
    """Where each provider's rewards are owed: accounts are opened at a provider's first reward."""
    opened = await ledger.open_accounts(
        tx, [ledger.OpenAccount(AccountType.REWARD_PAYABLE, each) for each in provider_ids]
    )
    return dict(zip(provider_ids, opened, strict=True))


def _parts(dues: Sequence[_Due]) -> list[Sequence[_Due]]:
    return [
        dues[start : start + DUES_OF_AN_ENTRY] for start in range(0, len(dues), DUES_OF_AN_ENTRY)
    ]


def _entry(
    tx: Tx,
    drafted: queries.RewardRun,
    dues: Sequence[_Due],
    *,
    number: int,
    fund: int,
    payables: Mapping[int, int],
) -> ledger.Entry:
    """One entry for many providers: everybody's line, and the fund's account touched once."""
    return ledger.Entry(
        kind=EntryKind.REWARD_APPROVED,
        effective_on=tx.today,
        lines=(
            ledger.Line(account_id=fund, amount_fen=sum(due.amount_fen for due in dues)),
            *(
                ledger.Line(account_id=payables[due.provider_id], amount_fen=-due.amount_fen)
                for due in dues
            ),
        ),
        key=f"reward:{drafted.id}:{number}",
        source_kind="reward_run",
        source_id=drafted.id,
        made_by=drafted.made_by,
        approved_by=tx.actor.person_id,
    )
