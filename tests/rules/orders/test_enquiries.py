"""The life of an enquiry, its deadlines, and what may be asked."""

import re
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from marketplace.kernel.time import SHANGHAI
from marketplace.orders.enquiry_errors import EnquiryRefused, EnquiryStepNotOpen
from marketplace.orders.rules.enquiries import (
    ENDS,
    INSTRUMENTS_MAX,
    TRANSITIONS,
    EnquiryStatus,
    EnquiryStep,
    after,
    answer_until,
    due_at,
    require_clear,
    require_live,
    side_of,
)
from marketplace.orders.rules.rescheduling import Side

MONDAY = datetime(2025, 3, 3, 9, 0, tzinfo=SHANGHAI)
LIVE = [status for status in EnquiryStatus if status not in ENDS]


def test_an_enquiry_ends_accepted_declined_lapsed_or_withdrawn():
    assert {"accepted", "declined", "lapsed", "withdrawn"} == set(ENDS)


@pytest.mark.parametrize("status", list(EnquiryStatus))
@pytest.mark.parametrize("step", list(EnquiryStep))
def test_a_step_outside_the_table_is_refused_with_the_steps_that_are_open(status, step):
    if (status, step) in TRANSITIONS:
        assert TRANSITIONS[status, step] is after(status, step)
        return
    with pytest.raises(EnquiryStepNotOpen) as refusal:
        after(status, step)

    open_steps = [str(other) for origin, other in TRANSITIONS if origin is status]
    assert open_steps == refusal.value.extras["open_steps"]


@pytest.mark.parametrize("status", LIVE)
def test_whatever_has_not_ended_can_lapse_and_be_withdrawn(status):
    require_live(status)

    assert EnquiryStatus.LAPSED is after(status, EnquiryStep.LAPSE)
    assert EnquiryStatus.WITHDRAWN is after(status, EnquiryStep.WITHDRAW)


@pytest.mark.parametrize("status", sorted(ENDS))
def test_nobody_writes_in_a_thread_that_has_ended(status):
    with pytest.raises(EnquiryStepNotOpen):
        require_live(status)


def test_the_picture_in_the_docs_shows_every_step_and_no_other():
    page = (Path(__file__).parents[3] / "docs" / "orders.md").read_text(encoding="utf-8")
    drawn = re.findall(r"^ +(\w+) --> (\w+) : (\w+)$", page, re.MULTILINE)

    assert sorted(drawn) == sorted(
        (str(origin), str(to), str(step)) for (origin, step), to in TRANSITIONS.items()
    )
    for step in EnquiryStep:
        assert f"| {step} |" in page


@pytest.mark.parametrize(
    ("asked_at", "days", "until"),
    [
        # Three working days after a Monday: the whole of Thursday.
        (MONDAY, 3, datetime(2025, 3, 7, 0, 0, tzinfo=SHANGHAI)),
        # Over a weekend.
        (MONDAY + timedelta(days=4), 3, datetime(2025, 3, 13, 0, 0, tzinfo=SHANGHAI)),
        # Asked on a Saturday: Monday is the first day.
        (MONDAY + timedelta(days=5), 1, datetime(2025, 3, 11, 0, 0, tzinfo=SHANGHAI)),
    ],
)
def test_the_answer_is_due_at_the_end_of_a_working_day(asked_at, days, until):
    assert until == answer_until(asked_at, working_days=days)


@pytest.mark.parametrize(
    ("status", "due"),
    [
        (EnquiryStatus.OPEN, MONDAY + timedelta(days=3)),
        (EnquiryStatus.ANSWERED, MONDAY + timedelta(days=30)),
        (EnquiryStatus.OFFERED, MONDAY + timedelta(days=14)),
        *((status, None) for status in sorted(ENDS)),
    ],
)
def test_what_nobody_goes_on_with_lapses_by_itself(status, due):
    assert due == due_at(
        status,
        at=MONDAY,
        answer_until=MONDAY + timedelta(days=3),
        idle_days=30,
        offer_until=MONDAY + timedelta(days=14),
    )


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({}, []),
        ({"wished_from": date(2025, 3, 3), "wished_until": date(2025, 3, 3)}, []),
        ({"own": True}, ["other-provider"]),
        ({"instruments": INSTRUMENTS_MAX + 1}, ["instruments"]),
        ({"wished_from": date(2025, 3, 2)}, ["wished-days"]),
        ({"wished_until": date(2027, 1, 1)}, ["wished-days"]),
        (
            {"wished_from": date(2025, 3, 5), "wished_until": date(2025, 3, 4), "own": True},
            ["other-provider", "wished-order"],
        ),
    ],
)
def test_an_enquiry_is_about_what_is_to_come(changes, rules):
    asked = {
        "today": MONDAY.date(),
        "wished_from": None,
        "wished_until": None,
        "instruments": 1,
        "own": False,
    } | changes
    if not rules:
        require_clear(**asked)
        return
    with pytest.raises(EnquiryRefused) as refusal:
        require_clear(**asked)

    assert rules == [reason.rule for reason in refusal.value.reasons]


@pytest.mark.parametrize(
    ("organisation_id", "side"),
    [(1, Side.BUYER), (2, Side.PROVIDER), (3, Side.AGENT), (4, None)],
)
def test_everybody_speaks_for_their_own_side(organisation_id, side):
    assert side is side_of(organisation_id, buyer_id=1, provider_id=2, agent_id=3)
    assert None is side_of(3, buyer_id=1, provider_id=2, agent_id=None)
