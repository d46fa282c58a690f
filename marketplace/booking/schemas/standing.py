"""How somebody stands, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marketplace.booking.queries.my_standing import MyStanding
from marketplace.booking.rules.operators import Needed, Operation
from marketplace.booking.rules.states import UserClass
from marketplace.booking.rules.training import TrainingStatus
from marketplace.booking.schemas.quotas import QuotaUseOut
from marketplace.kernel.errors import Reason
from marketplace.kernel.wire import Out


class StandingReasonOut(Out):
    """One reason why somebody could not reserve, whichever time they choose."""

    rule: str
    message: str
    limit: Any
    asked: Any
    source: str | None
    overridable: bool

    @classmethod
    def of(cls, reason: Reason) -> StandingReasonOut:
        """From the reason."""
        return cls.like(reason)


class QualifiedOut(Out):
    """Whether a qualification is needed, whether the caller has one, and an open training."""

    needed: Needed
    qualified: bool
    valid_until: datetime | None
    training: TrainingStatus | None


class StandingOut(Out):
    """What would stop the caller before they choose a time, and what is left of their quotas."""

    instrument_id: int
    user_class: UserClass
    may_reserve: bool
    reasons: list[StandingReasonOut]
    suspended_until: datetime | None
    operation: Operation
    is_operator: bool
    qualification: QualifiedOut
    quotas: list[QuotaUseOut]

    @classmethod
    def of(cls, found: MyStanding) -> StandingOut:
        """From the answer of the query."""
        known = found.standing
        return cls(
            instrument_id=found.instrument_id,
            user_class=found.user_class,
            may_reserve=not found.reasons,
            reasons=[StandingReasonOut.of(reason) for reason in found.reasons],
            suspended_until=None if known.suspended is None else known.suspended.until,
            operation=found.operation,
            is_operator=known.is_operator,
            qualification=QualifiedOut(
                needed=found.needed,
                qualified=known.qualified is not None,
                valid_until=None if known.qualified is None else known.qualified.valid_until,
                training=known.training,
            ),
            quotas=[QuotaUseOut.of(use) for use in known.quotas],
        )
