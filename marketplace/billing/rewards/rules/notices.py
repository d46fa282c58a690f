"""Public notice before rewards are paid: how long, and what must be over (公示).

Policy: H.17a
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from marketplace.billing.rewards.errors import NoticeNeeded, NoticeOpen, NoticeOver, ObjectionsStand
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import working_days_after


def notice_ends_on(starts_on: date, working_days: int) -> date:
    """The last day of a notice; one that nobody asked for lasts a working day."""
    return working_days_after(starts_on, max(working_days, 1))


def require_no_notice(working_days: int) -> None:
    """Refuse to pay a run that was not published where the terms ask for a notice.

    Raises:
        NoticeNeeded: when they do.
    """
    if working_days:
        raise NoticeNeeded(
            f"The terms ask for a notice of {working_days} working days.", limit=working_days
        )


def require_notice_over(ends_on: date | None, today: date, standing: Sequence[int]) -> None:
    """Refuse to pay while the notice runs, or while an objection is open or was right.

    Raises:
        NoticeOpen: through the last day of the notice.
        ObjectionsStand: with each objection.
    """
    assert ends_on is not None, "a run in notice says until when"
    if today <= ends_on:
        raise NoticeOpen(
            f"The notice lasts through {ends_on}.",
            limit=ends_on.isoformat(),
            asked=today.isoformat(),
        )
    if standing:
        raise ObjectionsStand(
            "Answer what is open; where an objection is right, discard the run and draft it again.",
            reasons=[
                Reason("objection-stands", f"Objection {each} stands.", asked=each)
                for each in standing
            ],
        )


def require_open_for_objections(ends_on: date, today: date) -> None:
    """Refuse an objection after the last day.

    Raises:
        NoticeOver: when it comes too late.
    """
    if today > ends_on:
        raise NoticeOver(
            f"Objections were taken through {ends_on}.",
            limit=ends_on.isoformat(),
            asked=today.isoformat(),
        )
