"""Which reminder of something due goes out on a day, by steps before and after its due day."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta


def reminder_step(
    due_on: date, *, today: date, steps: Sequence[int], sent: Collection[int]
) -> int | None:
    """The reminder that is to go out today: the latest step that is reached and was not sent.

    Steps that were missed, for instance while no worker ran, are not made up for one by one: who
    owes gets one reminder a day, the sharpest. None when there is nothing to say.
    """
    reached = [step for step in sorted(steps) if due_on + timedelta(days=step) <= today]
    if not reached or any(step >= reached[-1] for step in sent):
        return None
    return reached[-1]
