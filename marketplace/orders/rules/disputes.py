"""How long a provider has to answer an objection, and when the centre may rule on it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from marketplace.kernel.time import shanghai_instant, working_days_after

REMIND_BEFORE = timedelta(days=1)


def answer_due_at(opened_on: date, *, working_days: int) -> datetime:
    """The end of the last working day on which the provider may answer.

    Policy: J.18a
    """
    last_on = working_days_after(opened_on, working_days)
    return shanghai_instant(last_on + timedelta(days=1))


def may_rule(*, at: datetime, answered_at: datetime | None, answer_due_at: datetime) -> bool:
    """Whether the centre may rule: nobody is ruled on unheard before the time to speak is over.

    Policy: J.18a
    """
    return answered_at is not None or at >= answer_due_at


def remind_from(answer_due_at: datetime) -> datetime:
    """From when on a provider that has not answered is reminded."""
    return answer_due_at - REMIND_BEFORE
