"""Approving a run by a second person, or discarding it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import BigInteger, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import AccountType, EntryKind
from marketplace.billing.payouts import use_cases as payouts
from marketplace.billing.rewards import queries
from marketplace.billing.rewards.errors import (
    RunDisagrees,
    RunNotDraft,
    RunOutdated,
    SecondPersonNeeded,
)
from marketplace.billing.rewards.events import RewardRunApproved
from marketplace.billing.rewards.rules.apportion import within_budget
from marketplace.billing.rewards.rules.entity import UnitYear, entity_reward, unit_shares
from marketplace.billing.rewards.rules.states import RunStatus
from marketplace.billing.rewards.rules.terms import RewardTerms
from marketplace.billing.rewards.tables import (
    reward_entity_share,
    reward_instrument_share,
    reward_run,
    reward_share,
    reward_year,
)
from marketplace.billing.rewards.use_cases.drafting import inputs_sha256
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import shanghai_day

# A thousand rewards at a province's highest cap still fit into one line of an entry.
DUES_OF_AN_ENTRY = 1_000


@dataclass(frozen=True, slots=True)
class ApproveRun:
    """Approve a draft and pay it."""

    run_id: int


async def approve_run(tx: Tx, command: ApproveRun) -> queries.RewardRun:
    """Pay a draft that another person made: reserve the caps, post, instruct the payouts.

    What the run was computed from is read again, and every entity is recomputed by the rules: a
    draft that is out of date, or a fen off, pays nobody.

    Raises:
        RunMissing: when there is none.
        RunNotDraft: when it was approved or discarded.
        SecondPersonNeeded: when the actor drafted it.
        RunOutdated: when services, grades or payments have changed since.
        RunDisagrees: when a share is not what the rules give.
        RewardCapPassed: when an entity would be paid more than its cap in the year.
        InsufficientFunds: when the reward fund does not cover it.

    Policy: J.30a, J.30b
    """
    drafted = await _locked_draft(tx, command.run_id)
    if drafted.made_by == tx.actor.person_id:
        raise SecondPersonNeeded("You drafted this run; ask a colleague to approve it.")
    await _require_current(tx, drafted)
    await _require_agreement(tx, drafted)
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
    """Discard a draft; its figures stay readable, and it pays nobody.

    Raises:
        RunMissing: when there is none.
        RunNotDraft: when it was approved or discarded.
    """
    drafted = await _locked_draft(tx, command.run_id)
    await tx.execute(
        update(reward_run)
        .where(reward_run.c.id == drafted.id)
        .values(status=RunStatus.DISCARDED, discarded_by=tx.actor.person_id, discarded_at=tx.now)
    )
    tx.audit("discard", subject="reward_run", subject_id=drafted.id)
    return await queries.run(tx, drafted.id)


async def _locked_draft(tx: Tx, run_id: int) -> queries.RewardRun:
    # Two who decide on the same draft take turns; the second finds it decided.
    await tx.execute(select(reward_run.c.id).where(reward_run.c.id == run_id).with_for_update())
    found = await queries.run(tx, run_id)
    if found.status != RunStatus.DRAFT:
        raise RunNotDraft(f"The run is {found.status}.", asked=found.status)
    return found


async def _require_current(tx: Tx, drafted: queries.RewardRun) -> None:
    terms = RewardTerms.of(drafted.terms)
    asked = queries.Computation(
        year=drafted.year,
        through=drafted.through,
        terms=terms,
        budget_fen=drafted.budget_fen,
        overdue_on=queries.overdue_on(terms, shanghai_day(drafted.made_at)),
    )
    units = queries.unit_years(asked).subquery("unit_year")
    seal = await tx.scalar(select(queries.inputs_seal(units)))
    if inputs_sha256(asked, drafted.terms, seal) != drafted.inputs_sha256:
        raise RunOutdated(
            "Services, grades or payments of the year have changed since it was drafted."
        )


@dataclass(frozen=True, slots=True)
class _DraftedUnit:
    legal_entity_id: int
    provider_id: int
    service_total_fen: int
    grade: str | None
    paid_before_fen: int
    amount_fen: int
    claimed_fen: int
    entity_amount_fen: int
    held_fen: int
    rate_class: str
    instrument_totals_fen: list[int] | None

    def year(self) -> UnitYear:
        return UnitYear(
            provider_id=self.provider_id,
            service_total_fen=self.service_total_fen,
            grade=self.grade,
            paid_before_fen=self.paid_before_fen,
            rate_class=self.rate_class,
            instrument_totals_fen=tuple(self.instrument_totals_fen or ()),
        )


async def _require_agreement(tx: Tx, drafted: queries.RewardRun) -> None:
    """Recompute every entity of the draft by the rules, from the figures that it keeps."""
    entity = reward_entity_share.c
    unit = reward_share.c
    one = reward_instrument_share.c
    by_instrument = (
        select(
            one.legal_entity_id,
            one.provider_id,
            func.array_agg(one.service_total_fen).label("instrument_totals_fen"),
        )
        .where(one.run_id == drafted.id)
        .group_by(one.legal_entity_id, one.provider_id)
        .subquery("by_instrument")
    )
    found = await tx.all(
        _DraftedUnit,
        select(
            unit.legal_entity_id,
            unit.provider_id,
            unit.service_total_fen,
            unit.grade,
            unit.paid_before_fen,
            unit.amount_fen,
            entity.claimed_fen,
            entity.amount_fen.label("entity_amount_fen"),
            entity.held_fen,
            unit.rate_class,
            by_instrument.c.instrument_totals_fen,
        )
        .join(
            reward_entity_share,
            (entity.run_id == unit.run_id) & (entity.legal_entity_id == unit.legal_entity_id),
        )
        .outerjoin(
            by_instrument,
            (by_instrument.c.legal_entity_id == unit.legal_entity_id)
            & (by_instrument.c.provider_id == unit.provider_id),
        )
        .where(unit.run_id == drafted.id)
        .order_by(unit.legal_entity_id, unit.provider_id),
    )
    terms = RewardTerms.of(drafted.terms)
    entities = [list(units) for _, units in groupby(found, lambda each: each.legal_entity_id)]
    claims = [
        entity_reward(
            [each.year() for each in units], terms, held_back=units[0].held_fen > 0
        ).claimed_fen
        for units in entities
    ]
    amounts = within_budget(claims, drafted.budget_fen)
    reasons: list[Reason] = []
    for units, claim_fen, amount_fen in zip(entities, claims, amounts, strict=True):
        expected = unit_shares([each.year() for each in units], terms, amount_fen=amount_fen)
        if (claim_fen, amount_fen) != (units[0].claimed_fen, units[0].entity_amount_fen):
            reasons.append(_disagreement("entity", units[0].legal_entity_id, amount_fen, units))
        elif any(each.amount_fen != expected[each.provider_id] for each in units):
            reasons.append(_disagreement("units", units[0].legal_entity_id, amount_fen, units))
    if reasons or sum(amounts) != drafted.total_fen:
        raise RunDisagrees("Have the computation examined; nobody was paid.", reasons=reasons[:20])


def _disagreement(
    what: str, legal_entity_id: int, expected_fen: int, units: Sequence[_DraftedUnit]
) -> Reason:
    return Reason(
        f"{what}-agree",
        f"Legal entity {legal_entity_id} differs from what the rules give.",
        limit=expected_fen,
        asked=sum(each.amount_fen for each in units),
        source="J.30b",
    )


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
