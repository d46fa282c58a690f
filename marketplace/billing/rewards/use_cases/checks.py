"""What is looked at before a run is published or paid: who has it, its figures, its shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import func, select

from marketplace.billing.rewards import queries
from marketplace.billing.rewards.errors import RunDisagrees, RunNotDraft, RunOutdated
from marketplace.billing.rewards.rules.apportion import within_budget
from marketplace.billing.rewards.rules.entity import UnitYear, entity_reward, unit_shares
from marketplace.billing.rewards.rules.states import RunStatus
from marketplace.billing.rewards.rules.terms import RewardTerms
from marketplace.billing.rewards.tables import (
    reward_entity_share,
    reward_instrument_share,
    reward_run,
    reward_share,
)
from marketplace.billing.rewards.use_cases.drafting import inputs_sha256
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import shanghai_day


async def undecided_run(tx: Tx, run_id: int) -> queries.RewardRun:
    """A draft, or a run in public notice, for the one who decides on it.

    Raises:
        RunMissing: when there is none.
        RunNotDraft: when it was approved or discarded.
    """
    # Two who decide on the same draft take turns; the second finds it decided.
    await tx.execute(select(reward_run.c.id).where(reward_run.c.id == run_id).with_for_update())
    found = await queries.run(tx, run_id)
    if found.status not in (RunStatus.DRAFT, RunStatus.IN_NOTICE):
        raise RunNotDraft(f"The run is {found.status}.", asked=found.status)
    return found


async def require_current(tx: Tx, drafted: queries.RewardRun) -> None:
    """Refuse a draft whose figures, terms or grades are not those of now.

    Raises:
        RunOutdated: when something has changed.
    """
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


async def require_agreement(tx: Tx, drafted: queries.RewardRun) -> None:
    """Recompute every entity of the draft by the rules, from the figures that it keeps.

    Raises:
        RunDisagrees: with the entities that differ.
    """
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
