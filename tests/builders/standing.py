"""Quotas, qualifications and operators: valid by default."""

from dataclasses import replace
from typing import Any

from marketplace.booking.queries.hours import WeeklyKind
from marketplace.booking.queries.qualifications import Qualification
from marketplace.booking.queries.quotas import Quota
from marketplace.booking.rules.quotas import Measure, Period, Subject
from marketplace.booking.rules.schedule import Hours
from marketplace.booking.use_cases.hours import SetWeeklyHours, set_weekly_hours
from marketplace.booking.use_cases.operators import (
    NameOperators,
    NoteAbsence,
    SetOperatorHours,
    name_operators,
    note_absence,
    set_operator_hours,
)
from marketplace.booking.use_cases.qualifications import GrantQualification, grant_qualification
from marketplace.booking.use_cases.quotas import SetQuota, set_quota
from marketplace.booking.use_cases.training import AskForTraining, ask_for_training
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically
from tests.builders.booking import at_hours
from tests.builders.orders import Market


async def a_quota(database: Database, *, by: Actor, **changes: Any) -> Quota:
    """Ten hours a week for each person, set by a manager of the provider."""
    asked: dict[str, Any] = {
        "subject": Subject.PERSON,
        "period": Period.WEEK,
        "measure": Measure.MINUTES,
        "at_most": 600,
    }
    return await atomically(database, set_quota, SetQuota(**(asked | changes)), actor=by)


async def a_qualification(
    database: Database, *, by: Actor, instrument_id: int, person_id: int, **changes: Any
) -> Qualification:
    """Granted by a colleague, without an end."""
    asked: dict[str, Any] = {
        "instrument_id": instrument_id,
        "person_id": person_id,
        "reason": "trained",
    }
    command = GrantQualification(**(asked | changes))
    return await atomically(database, grant_qualification, command, actor=by)


MORNINGS = tuple(Hours(weekday, 540, 720) for weekday in range(5))


async def peak_mornings(database: Database, *, by: Actor, instrument_id: int) -> None:
    """Everybody wants the mornings of workdays."""
    command = SetWeeklyHours(instrument_id, WeeklyKind.PEAK, MORNINGS)
    await atomically(database, set_weekly_hours, command, actor=by)


OFFICE = tuple(Hours(weekday, 540, 1020) for weekday in range(5))


async def operators_at_work(
    database: Database,
    *,
    by: Actor,
    instrument_id: int,
    person_ids: tuple[int, ...],
    hours: tuple[Hours, ...] = OFFICE,
) -> None:
    """Operators of an instrument who all work the same hours."""
    await atomically(database, name_operators, NameOperators(instrument_id, person_ids), actor=by)
    for person_id in person_ids:
        command = SetOperatorHours(person_id, hours)
        await atomically(database, set_operator_hours, command, actor=by)


async def standing_things(market: Market, *, learner_id: int) -> dict[str, int]:
    """One of everything that decides who may reserve, at the market's instrument, by its ids."""
    database, manager = market.database, market.manager
    technician_id = market.technician.person_id
    limited = await a_quota(database, by=manager, instrument_id=market.instrument_id)
    qualified = await a_qualification(
        database, by=manager, instrument_id=market.instrument_id, person_id=technician_id
    )
    await operators_at_work(
        database, by=manager, instrument_id=market.instrument_id, person_ids=(technician_id,)
    )
    learner = replace(market.buyer, person_id=learner_id)
    asks = AskForTraining(market.instrument_id)
    # The provider knows who asked it: it may qualify them.
    await market.do(ask_for_training, asks, by=learner)
    asked = await market.do(ask_for_training, asks, by=market.buyer)
    absence = NoteAbsence(technician_id, at_hours(60, 9, 17), "leave")
    noted = await market.do(note_absence, absence, by=market.technician)
    return {
        "quota_id": limited.id,
        "qualification_id": qualified.id,
        "training_request_id": asked.id,
        "operator_id": technician_id,
        "absence_id": noted.absence.id,
    }
