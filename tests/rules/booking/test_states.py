"""The life of a reservation as a table."""

import pytest

from marketplace.booking.errors import ReservationNotInState
from marketplace.booking.rules.states import (
    LIVE,
    TRANSITIONS,
    Purpose,
    Status,
    first_status,
    require_transition,
)


def test_every_state_says_what_may_follow():
    assert set(Status) == set(TRANSITIONS)


def test_only_live_reservations_go_anywhere():
    assert {status for status, following in TRANSITIONS.items() if following} == LIVE


def test_holds_and_offers_come_from_nothing_and_every_other_state_from_another():
    reached = {status for following in TRANSITIONS.values() for status in following}

    assert set(Status) - {Status.HELD, Status.OFFERED} == reached


@pytest.mark.parametrize("present", list(Status))
@pytest.mark.parametrize("following", list(Status))
def test_a_step_that_the_table_does_not_have_is_refused(present: Status, following: Status):
    if following in TRANSITIONS[present]:
        require_transition(present, following)
    else:
        with pytest.raises(ReservationNotInState):
            require_transition(present, following)


@pytest.mark.parametrize(
    ("needs_approval", "purpose", "expected"),
    [
        (False, Purpose.EXTERNAL, Status.CONFIRMED),
        (True, Purpose.EXTERNAL, Status.REQUESTED),
        (True, Purpose.TEACHING, Status.REQUESTED),
        (True, Purpose.MAINTENANCE, Status.CONFIRMED),
        (True, Purpose.TEST_RUN, Status.CONFIRMED),
    ],
)
def test_upkeep_needs_nobodys_approval(needs_approval: bool, purpose: Purpose, expected: Status):
    assert expected == first_status(needs_approval=needs_approval, purpose=purpose)
