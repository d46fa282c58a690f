"""How a request for training goes: asked, given a date, and then passed or not."""

from __future__ import annotations

from enum import StrEnum

from marketplace.booking.errors import TrainingNotInState


class TrainingStatus(StrEnum):
    """The life of a training request. The first two are open: one for a person and instrument."""

    ASKED = "asked"
    """Waits for the provider to name a date, a trainer and a place."""
    SCHEDULED = "scheduled"
    """It has them."""
    PASSED = "passed"
    """The person may operate the instrument: a qualification was granted."""
    FAILED = "failed"
    """Not yet; they may ask again."""
    WITHDRAWN = "withdrawn"
    """The person does not want it any more."""
    DECLINED = "declined"
    """The provider does not train them, and says why."""


OPEN = frozenset({TrainingStatus.ASKED, TrainingStatus.SCHEDULED})

TRANSITIONS: dict[TrainingStatus, frozenset[TrainingStatus]] = {
    TrainingStatus.ASKED: frozenset(
        {TrainingStatus.SCHEDULED, TrainingStatus.WITHDRAWN, TrainingStatus.DECLINED}
    ),
    # Scheduled again: another date.
    TrainingStatus.SCHEDULED: frozenset(TrainingStatus) - {TrainingStatus.ASKED},
    TrainingStatus.PASSED: frozenset(),
    TrainingStatus.FAILED: frozenset(),
    TrainingStatus.WITHDRAWN: frozenset(),
    TrainingStatus.DECLINED: frozenset(),
}


def require_training_step(present: TrainingStatus, following: TrainingStatus) -> None:
    """Nothing, when a request may go from `present` to `following`.

    Raises:
        TrainingNotInState: with what would be possible instead.
    """
    possible = TRANSITIONS[present]
    if following not in possible:
        raise TrainingNotInState(
            f"It is {present} and cannot become {following}.",
            status_now=present.value,
            possible=sorted(possible),
        )
