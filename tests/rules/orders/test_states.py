"""The life of an order."""

import re
from pathlib import Path

import pytest

from marketplace.orders.errors import StepNotOpen
from marketplace.orders.rules.states import ENDS, TRANSITIONS, Status, Step, after, steps_from


def test_every_end_is_an_end_and_nothing_else_is():
    expected = {"settled", "rejected", "cancelled", "expired", "no_show"}

    assert expected == set(ENDS)


def test_every_status_can_be_reached_from_placed():
    reached = {Status.PLACED}
    for _ in Status:
        reached |= {to for (origin, _), to in TRANSITIONS.items() if origin in reached}

    assert set(Status) == reached


@pytest.mark.parametrize("status", [status for status in Status if status not in ENDS])
def test_every_order_that_has_not_ended_can_still_end(status):
    reached = {status}
    for _ in Status:
        reached |= {to for (origin, _), to in TRANSITIONS.items() if origin in reached}

    assert reached & ENDS


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("step", list(Step))
def test_a_step_outside_the_table_is_refused_with_the_steps_that_are_open(status, step):
    if (status, step) in TRANSITIONS:
        assert TRANSITIONS[status, step] is after(status, step)
        return
    with pytest.raises(StepNotOpen) as refusal:
        after(status, step)

    assert [str(other) for other in steps_from(status)] == refusal.value.extras["open_steps"]


def test_the_picture_in_the_docs_shows_every_step_and_no_other():
    page = (Path(__file__).parents[3] / "docs" / "orders.md").read_text(encoding="utf-8")
    drawn = re.findall(r"^ +(\w+) --> (\w+): (\w+)$", page, re.MULTILINE)

    assert sorted(drawn) == sorted(
        (str(origin), str(to), str(step)) for (origin, step), to in TRANSITIONS.items()
    )
    for step in Step:
        assert f"| {step} |" in page
