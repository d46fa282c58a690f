"""When an answer is due, when the centre may rule, and what a correction may give back."""

from datetime import date, datetime, timedelta

import pytest

from marketplace.kernel.time import SHANGHAI
from marketplace.orders.errors import CorrectionTooLarge
from marketplace.orders.rules.corrections import red_letter_fen, require_covered
from marketplace.orders.rules.disputes import answer_due_at, may_rule, remind_from
from marketplace.orders.rules.settlement import Parts

DUE = datetime(2025, 3, 11, tzinfo=SHANGHAI)


def test_an_answer_is_due_at_the_end_of_its_last_working_day():
    # Monday 3 March 2025 and five working days: the end of Monday 10 March.
    assert answer_due_at(date(2025, 3, 3), working_days=5) == DUE
    assert answer_due_at(date(2025, 3, 8), working_days=0) == datetime(2025, 3, 9, tzinfo=SHANGHAI)
    assert remind_from(DUE) == DUE - timedelta(days=1)


@pytest.mark.parametrize(
    ("at", "answered", "may"),
    [(DUE - timedelta(seconds=1), False, False), (DUE, False, True), (DUE, True, True)],
)
def test_the_centre_rules_once_the_provider_was_heard_or_had_its_time(at, answered, may):
    answered_at = DUE - timedelta(days=2) if answered else None

    assert may_rule(at=at, answered_at=answered_at, answer_due_at=DUE) is may
    assert may_rule(at=DUE - timedelta(days=1), answered_at=DUE, answer_due_at=DUE)


@pytest.mark.parametrize(
    ("voucher_fen", "own_fen", "rules"),
    [
        (0, 0, ["correction-something"]),
        (101, 0, ["correction-voucher-part"]),
        (-1, 51, ["correction-voucher-part", "correction-own-part"]),
        (100, 50, []),
        (1, 0, []),
    ],
)
def test_no_more_comes_back_than_stands_charged_in_either_part(voucher_fen, own_fen, rules):
    asked, standing = Parts(voucher_fen, own_fen), Parts(voucher_fen=100, own_fen=50)
    if not rules:
        return require_covered(asked, standing=standing)

    with pytest.raises(CorrectionTooLarge) as refusal:
        require_covered(asked, standing=standing)

    assert [reason.rule for reason in refusal.value.reasons] == rules


@pytest.mark.parametrize(
    ("invoiced", "standing", "credit", "missing"),
    [(0, 100, 100, 0), (100, 100, 30, 30), (70, 100, 30, 0), (71, 100, 30, 1)],
)
def test_an_invoice_over_what_would_be_charged_no_more_is_taken_back_first(
    invoiced, standing, credit, missing
):
    found = red_letter_fen(invoiced_fen=invoiced, standing_fen=standing, credit_fen=credit)

    assert found == missing
