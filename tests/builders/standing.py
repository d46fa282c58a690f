"""Quotas, qualifications and operators: valid by default."""

from typing import Any

from marketplace.booking.queries.qualifications import Qualification
from marketplace.booking.queries.quotas import Quota
from marketplace.booking.rules.quotas import Measure, Period, Subject
from marketplace.booking.rules.schedule import Hours
from marketplace.booking.use_cases.operators import (
    NameOperators,
    SetOperatorHours,
    name_operators,
    set_operator_hours,
)
from marketplace.booking.use_cases.qualifications import GrantQualification, grant_qualification
from marketplace.booking.use_cases.quotas import SetQuota, set_quota
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically


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
    command = GrantQualification(
        **({"instrument_id": instrument_id, "person_id": person_id, "reason": "trained"} | changes)
    )
    return await atomically(database, grant_qualification, command, actor=by)


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
