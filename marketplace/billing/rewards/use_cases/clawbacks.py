"""What corrections have left paid too much for a closed year: asked back by two, and taken in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, insert, select, update

from marketplace.billing.ledger import queries as ledger_queries
from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import AccountType, EntryKind
from marketplace.billing.rewards import queries
from marketplace.billing.rewards.errors import (
    ClawbackDecided,
    ClawbackMissing,
    ClawbackOutdated,
    ClawbackSecondPerson,
    NothingOverpaid,
    NothingToRecover,
    YearOpen,
)
from marketplace.billing.rewards.events import RewardClawbackDue
from marketplace.billing.rewards.queries.clawbacks import Clawback, unit_years_of
from marketplace.billing.rewards.rules.base import require_closed
from marketplace.billing.rewards.rules.entity import entity_reward, overpaid_by_unit
from marketplace.billing.rewards.rules.states import ClawbackStatus, RecoverySource
from marketplace.billing.rewards.rules.terms import RewardTerms
from marketplace.billing.rewards.tables import (
    reward_clawback,
    reward_clawback_line,
    reward_clawback_recovery,
    reward_year,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason

ACCOUNTS = {
    RecoverySource.WALLET: AccountType.WALLET,
    RecoverySource.REWARD_PAYABLE: AccountType.REWARD_PAYABLE,
}


@dataclass(frozen=True, slots=True)
class _Difference:
    """What was paid, what the year comes to, and who gives back what of the difference."""

    terms: dict[str, object]
    paid_fen: int
    due_fen: int
    by_unit: dict[int, int]


async def closed_year(tx: Tx, year: int) -> queries.Computation:
    """A closed year with every correction until now, by the terms of its last run.

    Raises:
        YearOpen: when the next run would take off by itself what was paid too much.
    """
    last = await queries.last_run(tx, year)
    require_closed(year=year, today=tx.today, last_through=last.through if last else None)
    assert last is not None, "a closed year has a run"
    return queries.Computation(year, date(year, 12, 31), RewardTerms.of(last.terms))


async def overpaid_of_year(tx: Tx, year: int) -> list[queries.Overpaid]:
    """The legal entities that a closed year has left overpaid; none as long as it is open."""
    try:
        asked = await closed_year(tx, year)
    except YearOpen:
        return []
    return await queries.overpaid(tx, asked)


@dataclass(frozen=True, slots=True)
class ProposeClawback:
    """Ask back what corrections have left a legal entity paid too much for a closed year."""

    legal_entity_id: int
    year: int
    reason: str


async def propose_clawback(tx: Tx, command: ProposeClawback) -> queries.OneClawback:
    """Propose a clawback of the difference; nothing moves before a second person agrees.

    Raises:
        YearOpen: when the next run would take it off.
        NothingOverpaid: when the year comes to no less than was paid.
        ClawbackProposed: when one of this year waits for its decision.

    Policy: J.30a, J.30b
    """
    found = await _difference(tx, command.legal_entity_id, command.year)
    amount_fen = found.paid_fen - found.due_fen
    if amount_fen <= 0:
        raise NothingOverpaid(
            "Nothing is left to ask back.", limit=found.due_fen, asked=found.paid_fen
        )
    clawback_id: int = await tx.scalar(
        insert(reward_clawback)
        .values(
            legal_entity_id=command.legal_entity_id,
            year=command.year,
            paid_fen=found.paid_fen,
            due_fen=found.due_fen,
            amount_fen=amount_fen,
            terms=found.terms,
            reason=command.reason,
            status=ClawbackStatus.PROPOSED,
            proposed_by=tx.actor.person_id,
            proposed_at=tx.now,
        )
        .returning(reward_clawback.c.id)
    )
    await tx.execute(
        insert(reward_clawback_line),
        [
            {"clawback_id": clawback_id, "provider_id": provider_id, "amount_fen": fen}
            for provider_id, fen in sorted(found.by_unit.items())
            if fen
        ],
    )
    tx.audit(
        "propose",
        subject="reward_clawback",
        subject_id=clawback_id,
        legal_entity_id=command.legal_entity_id,
        year=command.year,
        amount_fen=amount_fen,
        reason=command.reason,
    )
    return await queries.clawback(tx, clawback_id)


@dataclass(frozen=True, slots=True)
class DecideClawback:
    """A second person agrees with a clawback, or does not."""

    clawback_id: int
    agreed: bool
    reason: str


async def decide_clawback(tx: Tx, command: DecideClawback) -> queries.OneClawback:
    """Make the providers owe the difference, and free as much room under the cap; or reject it.

    Raises:
        ClawbackMissing: when there is none.
        ClawbackDecided: when it was decided before.
        ClawbackSecondPerson: when the one who proposed it decides.
        ClawbackOutdated: when the difference is another one by now.
    """
    found = await _locked(tx, command.clawback_id)
    if found.status != ClawbackStatus.PROPOSED:
        raise ClawbackDecided(f"The clawback is {found.status}.", asked=found.status)
    if found.proposed_by == tx.actor.person_id:
        raise ClawbackSecondPerson("You proposed this clawback; ask a colleague to decide.")
    status = ClawbackStatus.OWED if command.agreed else ClawbackStatus.REJECTED
    if command.agreed:
        await _carry_out(tx, found)
    await tx.execute(
        update(reward_clawback)
        .where(reward_clawback.c.id == found.id)
        .values(
            status=status,
            decided_by=tx.actor.person_id,
            decided_at=tx.now,
            decision=command.reason,
        )
    )
    tx.audit(
        "decide",
        subject="reward_clawback",
        subject_id=found.id,
        agreed=command.agreed,
        amount_fen=found.amount_fen,
        reason=command.reason,
    )
    return await queries.clawback(tx, found.id)


async def _carry_out(tx: Tx, found: Clawback) -> None:
    # Whoever approves a run of this entity's year waits, or this waits for the run.
    year = (
        reward_year.c.legal_entity_id == found.legal_entity_id,
        reward_year.c.year == found.year,
    )
    await tx.execute(select(reward_year.c.paid_fen).where(*year).with_for_update())
    now = await _difference(tx, found.legal_entity_id, found.year)
    lines = (await queries.clawback(tx, found.id)).lines
    by_unit = {provider_id: fen for provider_id, fen in now.by_unit.items() if fen}
    if (now.paid_fen, now.due_fen) != (found.paid_fen, found.due_fen) or by_unit != {
        line.provider_id: line.amount_fen for line in lines
    }:
        raise ClawbackOutdated(
            "Services, grades or payments of the year have changed since it was proposed.",
            reasons=[
                Reason(
                    "clawback-difference",
                    f"{now.paid_fen - now.due_fen} fen are overpaid by now.",
                    limit=now.paid_fen - now.due_fen,
                    asked=found.amount_fen,
                )
            ],
        )
    pending = await ledger.open_account(tx, ledger.OpenAccount(AccountType.REWARD_RETURN_PENDING))
    receivables = await ledger.open_accounts(
        tx,
        [ledger.OpenAccount(AccountType.REWARD_RECEIVABLE, line.provider_id) for line in lines],
    )
    await ledger.post_entry(
        tx,
        ledger.Entry(
            kind=EntryKind.REWARD_CLAWED_BACK,
            effective_on=tx.today,
            lines=(
                *(
                    ledger.Line(account_id=account_id, amount_fen=line.amount_fen)
                    for account_id, line in zip(receivables, lines, strict=True)
                ),
                ledger.Line(account_id=pending, amount_fen=-found.amount_fen),
            ),
            key=f"reward-clawback:{found.id}",
            source_kind="reward_clawback",
            source_id=found.id,
            made_by=found.proposed_by,
            approved_by=tx.actor.person_id,
        ),
    )
    await tx.execute(
        update(reward_year).where(*year).values(paid_fen=reward_year.c.paid_fen - found.amount_fen)
    )
    tx.record(RewardClawbackDue(found.id, found.legal_entity_id, found.year, found.amount_fen))


@dataclass(frozen=True, slots=True)
class RecoverClawback:
    """Take what lies with a provider for what it owes of a clawback."""

    clawback_id: int
    provider_id: int
    source: RecoverySource


async def recover_clawback(tx: Tx, command: RecoverClawback) -> queries.OneClawback:
    """Take as much as is there: of what was paid into the wallet, or of a reward that is due.

    A provider pays by transfer with the reference of its wallet; the bank's statement puts it
    there.

    Raises:
        ClawbackMissing: when there is none, or none of this provider.
        ClawbackDecided: when it is not owed.
        NothingToRecover: when nothing is left to take, or nothing lies there.
    """
    found = await _locked(tx, command.clawback_id)
    if found.status != ClawbackStatus.OWED:
        raise ClawbackDecided(f"The clawback is {found.status}.", asked=found.status)
    lines = (await queries.clawback(tx, found.id)).lines
    line = next((each for each in lines if each.provider_id == command.provider_id), None)
    if line is None:
        raise ClawbackMissing
    account_type = ACCOUNTS[command.source]
    there = await ledger_queries.balances_of(tx, account_type, [command.provider_id])
    available_fen = there[command.provider_id].available_fen if command.provider_id in there else 0
    amount_fen = min(line.amount_fen - line.recovered_fen, available_fen)
    if amount_fen <= 0:
        raise NothingToRecover(
            "Nothing is owed any more, or nothing lies there.",
            limit=available_fen,
            asked=line.amount_fen - line.recovered_fen,
        )
    await _take(tx, command, amount_fen)
    table = reward_clawback.c
    recovered_fen = found.recovered_fen + amount_fen
    whole = recovered_fen == found.amount_fen
    await tx.execute(
        update(reward_clawback)
        .where(table.id == found.id)
        .values(
            recovered_fen=recovered_fen,
            status=ClawbackStatus.RECEIVED if whole else ClawbackStatus.OWED,
        )
    )
    tx.audit(
        "recover",
        subject="reward_clawback",
        subject_id=found.id,
        provider_id=command.provider_id,
        amount_fen=amount_fen,
        source=command.source,
    )
    return await queries.clawback(tx, found.id)


async def _take(tx: Tx, command: RecoverClawback, amount_fen: int) -> None:
    source, pending, receivable, fund = await ledger.open_accounts(
        tx,
        [
            ledger.OpenAccount(ACCOUNTS[command.source], command.provider_id),
            ledger.OpenAccount(AccountType.REWARD_RETURN_PENDING),
            ledger.OpenAccount(AccountType.REWARD_RECEIVABLE, command.provider_id),
            ledger.OpenAccount(AccountType.REWARD_FUND),
        ],
    )
    table, line = reward_clawback_recovery, reward_clawback_line.c
    number = await tx.scalar(select(func.count()).where(table.c.clawback_id == command.clawback_id))
    posted = await ledger.post_entry(
        tx,
        ledger.Entry(
            kind=EntryKind.REWARD_RECOVERED,
            effective_on=tx.today,
            lines=(
                ledger.Line(account_id=source, amount_fen=amount_fen),
                ledger.Line(account_id=pending, amount_fen=amount_fen),
                ledger.Line(account_id=receivable, amount_fen=-amount_fen),
                ledger.Line(account_id=fund, amount_fen=-amount_fen),
            ),
            key=f"reward-clawback:{command.clawback_id}:recovered:{number + 1}",
            source_kind="reward_clawback",
            source_id=command.clawback_id,
            made_by=tx.actor.person_id,
        ),
    )
    await tx.execute(
        update(reward_clawback_line)
        .where(line.clawback_id == command.clawback_id, line.provider_id == command.provider_id)
        .values(recovered_fen=line.recovered_fen + amount_fen)
    )
    await tx.execute(
        insert(table).values(
            clawback_id=command.clawback_id,
            provider_id=command.provider_id,
            amount_fen=amount_fen,
            source=command.source,
            entry_id=posted.entry_id,
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
    )


async def _locked(tx: Tx, clawback_id: int) -> Clawback:
    table = reward_clawback.c
    await tx.execute(select(table.id).where(table.id == clawback_id).with_for_update())
    return (await queries.clawback(tx, clawback_id)).clawback


async def _difference(tx: Tx, legal_entity_id: int, year: int) -> _Difference:
    asked = await closed_year(tx, year)
    last = await queries.last_run(tx, year)
    assert last is not None, "a closed year has a run"
    units = await unit_years_of(tx, asked, legal_entity_id)
    due = entity_reward(units, asked.terms)
    by_unit = overpaid_by_unit(units, asked.terms)
    paid_fen = due.paid_before_fen
    return _Difference(last.terms, paid_fen, paid_fen - sum(by_unit.values()), by_unit)
