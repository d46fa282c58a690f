"""Which instruments must be open, and by when they are listed."""

from datetime import date

import pytest

from marketplace.catalogue.rules.listing import (
    check_open,
    is_public,
    listed_late,
    listing_due_on,
    must_open,
)
from marketplace.catalogue.rules.states import Exemption, Funds, ShareMode
from marketplace.kernel.errors import Reasons

THRESHOLD = 50_000_000


@pytest.mark.parametrize(
    ("funds", "public"),
    [(Funds.CENTRAL, True), (Funds.LOCAL, True), (Funds.OWN, False), (Funds.OTHER, False)],
)
def test_a_public_resource_is_one_that_fiscal_funds_paid_for(funds: Funds, public: bool) -> None:
    assert is_public(funds) is public


@pytest.mark.parametrize(
    ("funds", "worth_fen", "exemption", "obliged"),
    [
        (Funds.CENTRAL, THRESHOLD, None, True),
        (Funds.LOCAL, THRESHOLD + 1, None, True),
        (Funds.CENTRAL, THRESHOLD - 1, None, False),
        (Funds.OWN, THRESHOLD * 10, None, False),
        (Funds.CENTRAL, THRESHOLD, Exemption.SECRECY, False),
    ],
)
def test_public_instruments_from_the_threshold_on_must_be_open_unless_a_coded_reason_exempts_them(
    funds: Funds, worth_fen: int, exemption: Exemption | None, obliged: bool
) -> None:
    found = must_open(
        funds=funds, worth_fen=worth_fen, exemption=exemption, threshold_fen=THRESHOLD
    )

    assert found is obliged


@pytest.mark.parametrize(
    ("share_mode", "refused"),
    [(ShareMode.EXTERNAL, False), (ShareMode.INTERNAL, True), (ShareMode.NONE, True)],
)
def test_to_be_open_is_to_be_shared_with_others_than_the_own_unit(
    share_mode: ShareMode, refused: bool
) -> None:
    reasons = Reasons()

    check_open(
        reasons,
        funds=Funds.CENTRAL,
        worth_fen=THRESHOLD,
        exemption=None,
        share_mode=share_mode,
        threshold_fen=THRESHOLD,
    )

    assert [reason.source for reason in reasons.found] == (["N.5a"] if refused else [])


def test_thirty_working_days_leave_out_the_spring_festival() -> None:
    # 30 weekdays after 2 January 2025 would be 13 February; the festival takes six of them and
    # two days of work at weekends give two back.
    due = listing_due_on(date(2025, 1, 2), working_days=30)

    assert due == date(2025, 2, 19)


@pytest.mark.parametrize(
    ("due_on", "listed_on", "today", "late"),
    [
        (None, None, date(2025, 3, 3), False),
        (date(2025, 3, 3), None, date(2025, 3, 3), False),
        (date(2025, 3, 3), None, date(2025, 3, 4), True),
        (date(2025, 3, 3), date(2025, 3, 3), date(2026, 1, 1), False),
        (date(2025, 3, 3), date(2025, 3, 4), date(2026, 1, 1), True),
    ],
)
def test_late_is_after_the_day_itself(
    due_on: date | None, listed_on: date | None, today: date, late: bool
) -> None:
    assert listed_late(due_on=due_on, listed_on=listed_on, today=today) is late
