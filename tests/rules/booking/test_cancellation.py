"""Late cancel and no-show, by the terms of the day the reservation was placed."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.booking.errors import ReservationNotInState, TooLateToCancel
from marketplace.booking.rules.cancellation import (
    CancelTerms,
    cancellation,
    no_show,
)
from marketplace.booking.rules.states import Status

STARTS_AT = datetime(2025, 3, 10, 1, tzinfo=UTC)
TERMS = CancelTerms(1440, 5000, 10_000)


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


@pytest.mark.parametrize(
    ("status", "before", "by_provider", "down", "expected", "fee"),
    [
        (Status.CONFIRMED, 1441, False, False, Status.CANCELLED, 0),
        (Status.CONFIRMED, 1440, False, False, Status.CANCELLED, 0),
        (Status.CONFIRMED, 1439, False, False, Status.LATE_CANCELLED, 5000),
        (Status.CONFIRMED, 1, False, False, Status.LATE_CANCELLED, 5000),
        (Status.CONFIRMED, 1, False, True, Status.CANCELLED, 0),
        (Status.CONFIRMED, 1, True, False, Status.CANCELLED, 0),
        (Status.CONFIRMED, -30, True, False, Status.CANCELLED, 0),
        (Status.REQUESTED, 1, False, False, Status.CANCELLED, 0),
    ],
)
def test_a_fee_is_due_only_for_a_confirmed_time_given_back_late(
    status: Status, before: int, by_provider: bool, down: bool, expected: Status, fee: int
):
    ending = cancellation(
        status,
        STARTS_AT,
        at=STARTS_AT - minutes(before),
        terms=TERMS,
        by_provider=by_provider,
        instrument_down=down,
    )

    assert (expected, fee) == (ending.status, ending.fee_basis_points)
    assert ending.late == (expected is Status.LATE_CANCELLED)


def test_a_customer_does_not_cancel_time_that_has_begun():
    with pytest.raises(TooLateToCancel):
        cancellation(
            Status.CONFIRMED,
            STARTS_AT,
            at=STARTS_AT,
            terms=TERMS,
            by_provider=False,
            instrument_down=False,
        )


@pytest.mark.parametrize("status", [Status.IN_USE, Status.USED, Status.NO_SHOW, Status.CANCELLED])
def test_what_is_used_or_over_is_not_cancelled(status: Status):
    with pytest.raises(ReservationNotInState):
        cancellation(
            status,
            STARTS_AT,
            at=STARTS_AT - minutes(9999),
            terms=TERMS,
            by_provider=True,
            instrument_down=False,
        )


def test_nobody_is_blamed_for_an_instrument_that_was_closed():
    assert no_show(terms=TERMS, instrument_down=False).status is Status.NO_SHOW
    assert no_show(terms=TERMS, instrument_down=False).fee_basis_points == 10_000
    assert no_show(terms=TERMS, instrument_down=True).status is Status.CANCELLED
    assert no_show(terms=TERMS, instrument_down=True).fee_basis_points == 0
