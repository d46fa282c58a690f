"""Policy: J.22a. In which round an application counts."""

from datetime import date

import pytest

from marketplace.vouchers.rules.batches import batch_of, left_in
from marketplace.vouchers.rules.limits import Batch

SPRING = Batch(1, date(2025, 2, 1), date(2025, 3, 31), 100)
AUTUMN = Batch(2, date(2025, 9, 1), date(2025, 9, 30))


@pytest.mark.parametrize(
    ("made_on", "waited_until", "number"),
    [
        (date(2025, 1, 31), None, None),
        (date(2025, 2, 1), None, 1),
        (date(2025, 3, 31), None, 1),
        # Between two rounds it is decided in the one it was made in.
        (date(2025, 3, 31), date(2025, 8, 31), 1),
        (date(2025, 3, 31), date(2025, 9, 1), 2),
        (date(2025, 9, 30), None, 2),
    ],
)
def test_an_application_counts_in_its_round_and_who_waits_in_the_next(
    made_on: date, waited_until: date | None, number: int | None
):
    found = batch_of([SPRING, AUTUMN], made_on, waited_until)

    assert (None if found is None else found.number) == number


@pytest.mark.parametrize(
    ("batch", "granted", "left"),
    [
        (None, {1: 5}, None),
        (AUTUMN, {2: 5}, None),
        (SPRING, {2: 5}, 100),
        (SPRING, {1: 40}, 60),
        (SPRING, {1: 140}, 0),
    ],
)
def test_a_round_has_left_what_it_has_not_granted(
    batch: Batch | None, granted: dict[int, int], left: int | None
):
    assert left_in(batch, granted) == left
