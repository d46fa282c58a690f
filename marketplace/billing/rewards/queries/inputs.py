"""What a run is computed from: services, grades, what was paid before, and who is held back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    func,
    literal,
    null,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on

from marketplace.billing.invoicing.queries import service_totals
from marketplace.billing.rewards.queries.base import service_limits
from marketplace.billing.rewards.rules.states import (
    ClawbackStatus,
    RateClass,
    ReportStatus,
    RunStatus,
)
from marketplace.billing.rewards.rules.terms import RewardTerms
from marketplace.billing.rewards.tables import (
    provider_grade,
    reward_clawback,
    reward_clawback_line,
    reward_run,
    reward_share,
    reward_use_report,
)
from marketplace.parties import queries as parties

# Clawbacks that count as not paid any more, and reports that are still owed.
CLAWED_BACK = (ClawbackStatus.OWED, ClawbackStatus.RECEIVED)
OWED_REPORTS = (ReportStatus.DUE, ReportStatus.RETURNED)

FEN = BigInteger


@dataclass(frozen=True, slots=True)
class OneEntity:
    """A legal entity and its providers, where nobody else's year is of interest."""

    legal_entity_id: int
    provider_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Computation:
    """What a run computes: a year through a day, by its terms, within its budget.

    Where the terms hold rewards back for want of a report on the use of earlier ones, `overdue_on`
    is the day on which that is judged. Of one legal entity (`only`) everything comes out as in the
    whole, but for a budget, which all of them share.
    """

    year: int
    through: date
    terms: RewardTerms
    budget_fen: int | None = None
    overdue_on: date | None = None
    only: OneEntity | None = None


def overdue_on(terms: RewardTerms, day: date) -> date | None:
    """The day on which it is judged whose reports are overdue; None where nothing hangs on it."""
    return day if terms.holds_back_overdue else None


def unit_years(asked: Computation) -> Select[Any]:
    """Every unit's year so far: service total, grade, paid before. What a run is computed from."""
    return years_of_units(asked, capped_instruments(asked))


def capped_instruments(asked: Computation) -> CTE | None:
    """The instruments, where the terms cap what one may earn."""
    if asked.terms.extra_caps.per_instrument_fen is None:
        return None
    return instrument_years(asked).cte("instrument_year")


def instrument_years(asked: Computation) -> Select[Any]:
    """The service total of each instrument of each unit."""
    return _services(asked, by_instrument=True)


def _services(asked: Computation, *, by_instrument: bool = False) -> Select[Any]:
    found = service_totals(
        asked.year,
        asked.through,
        base_counts=asked.terms.base_counts,
        limits=service_limits(asked.terms),
        by_instrument=by_instrument,
    )
    return _within(found, asked.only)


def _within(found: Select[Any], only: OneEntity | None) -> Select[Any]:
    """Of what is told by legal entity and provider, the part of one entity."""
    if only is None:
        return found
    column = found.selected_columns
    return found.where(
        column.legal_entity_id == only.legal_entity_id, column.provider_id.in_(only.provider_ids)
    )


def years_of_units(asked: Computation, instruments: CTE | None) -> Select[Any]:
    """`unit_years` over the instruments that the whole computation shares."""
    total = _services(asked).subquery("total") if instruments is None else _units_of(instruments)
    paid = _paid(asked)
    grade = (
        select(provider_grade.c.provider_id, provider_grade.c.grade, provider_grade.c.source)
        .ext(distinct_on(provider_grade.c.provider_id))
        .where(provider_grade.c.year == asked.year)
        .order_by(provider_grade.c.provider_id, provider_grade.c.id.desc())
        .subquery("grade")
    )
    provider_id = func.coalesce(total.c.provider_id, paid.c.provider_id)
    legal_entity_id = func.coalesce(total.c.legal_entity_id, paid.c.legal_entity_id)
    # A unit that was paid and whose services were all taken back still counts as paid.
    served_or_paid = total.outerjoin(
        paid,
        and_(
            paid.c.legal_entity_id == total.c.legal_entity_id,
            paid.c.provider_id == total.c.provider_id,
        ),
        full=True,
    ).outerjoin(grade, grade.c.provider_id == provider_id)
    rate_class: ColumnElement[Any] = literal(RateClass.GRADED.value)
    if asked.terms.flat_rates:
        body = parties.BODIES.subquery("body")
        served_or_paid = served_or_paid.join(body, body.c.legal_entity_id == legal_entity_id)
        rate_class = _rate_class(body, asked.terms)
    held_back: ColumnElement[Any] = literal(False)
    if asked.overdue_on is not None:
        owing = _owing(asked.overdue_on)
        served_or_paid = served_or_paid.outerjoin(owing, owing.c.legal_entity_id == legal_entity_id)
        held_back = owing.c.legal_entity_id.is_not(None)
    return select(
        legal_entity_id.label("legal_entity_id"),
        provider_id.label("provider_id"),
        func.greatest(total.c.service_value_fen, 0).cast(FEN).label("service_total_fen"),
        grade.c.grade,
        grade.c.source.label("grade_source"),
        func.coalesce(paid.c.paid_fen, 0).cast(FEN).label("paid_before_fen"),
        rate_class.label("rate_class"),
        held_back.label("held_back"),
        (null() if instruments is None else total.c.instruments).label("instruments"),
    ).select_from(served_or_paid)


def _units_of(instruments: CTE) -> Subquery:
    """The service total of each unit, and a digest of those of its instruments."""
    each = instruments.c
    line = func.concat_ws(":", each.instrument_id, each.service_value_fen)
    return (
        select(
            each.legal_entity_id,
            each.provider_id,
            func.sum(each.service_value_fen).cast(FEN).label("service_value_fen"),
            _digest(
                func.string_agg(line, aggregate_order_by(literal(","), each.instrument_id))
            ).label("instruments"),
        )
        .group_by(each.legal_entity_id, each.provider_id)
        .subquery("total")
    )


def _paid(asked: Computation) -> Subquery:
    """What each unit was paid by the year's runs, less what it owes or gave back."""
    year = asked.year
    clawed_back = (
        select(
            reward_clawback.c.legal_entity_id,
            reward_clawback_line.c.provider_id,
            (-reward_clawback_line.c.amount_fen).label("amount_fen"),
        )
        .join(reward_clawback, reward_clawback.c.id == reward_clawback_line.c.clawback_id)
        .where(reward_clawback.c.year == year, reward_clawback.c.status.in_(CLAWED_BACK))
    )
    moved = (
        select(
            reward_share.c.legal_entity_id, reward_share.c.provider_id, reward_share.c.amount_fen
        )
        .join(reward_run, reward_run.c.id == reward_share.c.run_id)
        .where(reward_run.c.year == year, reward_run.c.status == RunStatus.APPROVED)
        .union_all(clawed_back)
        .subquery("moved")
    )
    paid = select(
        moved.c.legal_entity_id,
        moved.c.provider_id,
        func.sum(moved.c.amount_fen).cast(FEN).label("paid_fen"),
    ).group_by(moved.c.legal_entity_id, moved.c.provider_id)
    return _within(paid, asked.only).subquery("paid")


def _rate_class(body: Subquery, terms: RewardTerms) -> ColumnElement[str]:
    whens: list[tuple[ColumnElement[bool], str]] = []
    if RateClass.SPECIAL in terms.flat_rates:
        whens.append((body.c.uscc.in_(terms.special_usccs), RateClass.SPECIAL.value))
    if RateClass.SOCIAL in terms.flat_rates:
        whens.append((body.c.capital == "social", RateClass.SOCIAL.value))
    return case(*whens, else_=RateClass.GRADED.value)


def _owing(day: date) -> Subquery:
    """The legal entities that owe a report on the use of a reward, due before a day."""
    report = reward_use_report.c
    return (
        select(report.legal_entity_id)
        .where(report.status.in_(OWED_REPORTS), report.due_on < day)
        .distinct()
        .subquery("owing")
    )


def inputs_seal(units: CTE | Subquery) -> ColumnElement[str]:
    """A digest of everything that `unit_years` found, to compute and compare in PostgreSQL."""
    each = units.c
    line = func.concat_ws(
        "|",
        each.legal_entity_id,
        each.provider_id,
        each.service_total_fen,
        func.coalesce(each.grade, "-"),
        each.paid_before_fen,
        # What is null leaves no trace: most provinces have none of these.
        func.nullif(each.rate_class, RateClass.GRADED.value),
        case((each.held_back, "held")),
        each.instruments,
    )
    return _digest(
        func.string_agg(
            line, aggregate_order_by(literal("\n"), each.legal_entity_id, each.provider_id)
        )
    )


def _digest(lines: ColumnElement[Any]) -> ColumnElement[str]:
    return func.encode(func.sha256(func.convert_to(func.coalesce(lines, ""), "UTF8")), "hex")
