"""Quotas, qualifications and operators: valid by default."""

from typing import Any

from marketplace.booking.queries.quotas import Quota
from marketplace.booking.rules.quotas import Measure, Period, Subject
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
