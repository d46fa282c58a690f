"""What a provider's present year would earn so far, before any run. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import and_, select

from marketplace.billing.rewards.queries.arithmetic import arithmetic
from marketplace.billing.rewards.queries.computation import computed, instrument_earned
from marketplace.billing.rewards.queries.inputs import Computation, OneEntity, overdue_on
from marketplace.billing.rewards.queries.runs import SEES_EVERY_RUN
from marketplace.billing.rewards.rules.rate import UNGRADED
from marketplace.billing.rewards.rules.states import Grade, RateClass
from marketplace.billing.rewards.rules.terms import RewardTerms
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing
from marketplace.kernel.money import BASIS_POINTS
from marketplace.parties import queries as parties
from marketplace.rulebook import rulebook

INSTRUMENTS_MAX = 200


@dataclass(frozen=True, slots=True)
class ForecastShare:
    """The share that a run of today would give a unit, with its arithmetic."""

    provider_id: int
    legal_entity_id: int
    service_total_fen: int
    grade: str | None
    rate_class: str
    rate_basis_points: int
    uncapped_fen: int
    bound_fen: int
    paid_before_fen: int
    amount_fen: int
    arithmetic: dict[str, Any]


@dataclass(frozen=True, slots=True)
class InstrumentForecast:
    """What an instrument adds under its own cap, where the terms cap one."""

    instrument_id: int
    service_value_fen: int
    earned: int
    """In 1/10,000 fen, at the unit's rate and under the cap."""
    cap_fen: int

    @property
    def counted_fen(self) -> int:
        """What of it counts, in whole fen."""
        return self.earned // BASIS_POINTS


@dataclass(frozen=True, slots=True)
class IfGraded:
    """What the unit would be paid with a grade that it has not got yet."""

    grade: Grade
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """The present year so far; `share` is None where nothing counts yet.

    `if_graded` is told where the year's grade is not known: with each, for every unit of the legal
    entity that has none.
    """

    provider_id: int
    legal_entity_id: int
    year: int
    through: date
    share: ForecastShare | None
    instruments: list[InstrumentForecast]
    if_graded: list[IfGraded]


async def forecast(tx: Tx, provider_id: int) -> Forecast:
    """What today's run would come to for a provider; for itself, finance and the auditors.

    It is the computation of a run for one legal entity: both caps, the grade where one is noted,
    the caps of instruments, what was paid before, what is held back. A budget is none of it.

    Raises:
        Missing: when the provider is another one.
        TermsMissing: when no terms are in force today.

    Policy: J.30a, J.30b, H.17a
    """
    if not tx.actor.has(*SEES_EVERY_RUN) and tx.actor.organisation_id != provider_id:
        raise Missing
    own = await parties.require_organisation(tx, provider_id, "provider")
    terms = RewardTerms.of(rulebook().reward.snapshot(tx.today))
    asked = Computation(
        tx.today.year,
        tx.today,
        terms,
        overdue_on=overdue_on(terms, tx.today),
        only=OneEntity(
            own.legal_entity_id,
            tuple(each.id for each in await parties.organisations_of(tx, own.legal_entity_id)),
        ),
    )
    share = await _share(tx, asked, provider_id)
    ungraded = share is not None and share.grade is None
    return Forecast(
        provider_id,
        own.legal_entity_id,
        tx.today.year,
        tx.today,
        share,
        [] if share is None else await _instruments(tx, asked, provider_id),
        await _if_graded(tx, asked, provider_id)
        if ungraded and share is not None and share.rate_class == RateClass.GRADED
        else [],
    )


async def _share(tx: Tx, asked: Computation, provider_id: int) -> ForecastShare | None:
    share = computed(asked).share
    names = [name for name in ForecastShare.__dataclass_fields__ if name != "arithmetic"]
    return await tx.first(
        ForecastShare,
        select(
            *(share.c[name] for name in names), arithmetic(share, asked).label("arithmetic")
        ).where(share.c.provider_id == provider_id),
    )


async def _instruments(tx: Tx, asked: Computation, provider_id: int) -> list[InstrumentForecast]:
    found = computed(asked)
    if found.instruments is None:
        return []
    one, share = found.instruments.c, found.share
    cap_fen = asked.terms.extra_caps.per_instrument_fen
    assert cap_fen is not None, "instruments are told where the terms cap one"
    rows = await tx.execute(
        select(
            one.instrument_id,
            one.service_value_fen,
            instrument_earned(one.service_value_fen, share.c.rate_basis_points, asked.terms).label(
                "earned"
            ),
        )
        .join(
            share,
            and_(
                share.c.legal_entity_id == one.legal_entity_id,
                share.c.provider_id == one.provider_id,
            ),
        )
        .where(one.provider_id == provider_id)
        .order_by(one.service_value_fen.desc(), one.instrument_id)
        .limit(INSTRUMENTS_MAX)
    )
    return [
        InstrumentForecast(row.instrument_id, row.service_value_fen, int(row.earned), cap_fen)
        for row in rows
    ]


async def _if_graded(tx: Tx, asked: Computation, provider_id: int) -> list[IfGraded]:
    found = []
    for grade in (Grade.EXCELLENT, Grade.GOOD, Grade.QUALIFIED):
        rates = dict(asked.terms.rate_by_grade)
        rates[UNGRADED] = rates.get(grade, 0)
        share = await _share(
            tx, replace(asked, terms=replace(asked.terms, rate_by_grade=rates)), provider_id
        )
        found.append(IfGraded(grade, 0 if share is None else share.amount_fen))
    return found
