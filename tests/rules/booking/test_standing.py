"""May this person reserve? Every reason in them why not, and what they can do about it."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from marketplace.booking.errors import TrainingNotInState
from marketplace.booking.rules.operators import Operator
from marketplace.booking.rules.quotas import Measure, Period, QuotaUse, Subject, span_around
from marketplace.booking.rules.schedule import BookingTerms, Hours, Schedule
from marketplace.booking.rules.standing import (
    Qualified,
    Standing,
    StandingAsked,
    Suspended,
    candidates,
    is_attended,
    lasting_refusals,
    operators_for,
    standing_refusals,
)
from marketplace.booking.rules.states import Purpose, UserClass
from marketplace.booking.rules.training import (
    OPEN,
    TRANSITIONS,
    TrainingStatus,
    require_training_step,
)
from marketplace.kernel.time import During, shanghai_instant

WEDNESDAY = date(2025, 3, 5)
ME, ANN, BOB = 1, 2, 3
OFFICE = tuple(Hours(weekday, 540, 1020) for weekday in range(5))


def at(from_hour: float, until_hour: float) -> During:
    midnight = shanghai_instant(WEDNESDAY)
    return During(midnight + timedelta(hours=from_hour), midnight + timedelta(hours=until_hour))


NOW = shanghai_instant(date(2025, 3, 3), 540)
MORNING = at(9, 11)


def asked(
    *, purpose: Purpose = Purpose.EXTERNAL, during: During = MORNING, **changes: Any
) -> StandingAsked:
    """Two hours; what is no field of the question is a term of the instrument."""
    own = {"assisted", "except_id", "person_id"} & changes.keys()
    question = {name: changes.pop(name) for name in own}
    terms = BookingTerms(
        step_minutes=30,
        minimum_minutes=30,
        maximum_minutes=480,
        notice_minutes=0,
        horizon_days=90,
        **changes,
    )
    made: dict[str, Any] = {"person_id": ME} | question
    return StandingAsked(
        schedule=Schedule(instrument_id=7, provider_id=8, status="listed", terms=terms),
        during=during,
        purpose=purpose,
        user_class=UserClass.ENTERPRISE,
        organisation_id=9,
        **made,
    )


def a_quota(**changes: Any) -> QuotaUse:
    week = span_around(Period.WEEK, WEDNESDAY)
    made: dict[str, Any] = {
        "quota_id": 5,
        "instrument_id": 7,
        "subject": Subject.PERSON,
        "period": Period.WEEK,
        "measure": Measure.MINUTES,
        "peak_only": False,
        "at_most": 240,
        "starts_at": week.starts_at,
        "ends_at": week.ends_at,
        "used": 0,
    }
    return QuotaUse(**(made | changes))


def rules(standing: Standing, question: StandingAsked) -> list[str]:
    return [reason.rule for reason in standing_refusals(standing, question, at=NOW)]


def test_nothing_is_refused_where_nothing_is_configured():
    assert [] == rules(Standing(), asked())
    assert operators_for(Standing(), asked()) is None


WORST = Standing(
    suspended=Suspended(NOW + timedelta(days=30)),
    quotas=(a_quota(used=240), a_quota(quota_id=6, at_most=0)),
)


def test_everything_that_stands_against_somebody_is_told_at_once():
    strict = asked(operation="operator", qualification="always")

    assert ["suspended", "qualification", "operator", "quota", "quota"] == rules(WORST, strict)


@pytest.mark.parametrize("purpose", [Purpose.MAINTENANCE, Purpose.TEST_RUN])
def test_upkeep_is_never_stopped(purpose: Purpose):
    strict = asked(operation="operator", qualification="always", purpose=purpose)

    assert [] == rules(WORST, strict)
    assert operators_for(WORST, strict) is None


def test_a_suspension_says_until_when_and_how_to_appeal_and_stays_whatever_staff_say():
    (reason,) = standing_refusals(
        Standing(suspended=Suspended(shanghai_instant(date(2025, 4, 2)))), asked(), at=NOW
    )

    assert "until 2025-04-02 00:00" in reason.message
    assert "POST /strikes/{id}/appeal" in reason.message
    assert not reason.overridable


@pytest.mark.parametrize(
    ("needed", "operation", "assisted", "refused"),
    [
        ("none", "self", None, False),
        ("self_operated", "self", None, True),
        ("self_operated", "either", None, True),
        ("self_operated", "either", False, True),
        ("self_operated", "either", True, False),
        ("self_operated", "operator", None, False),
        ("always", "either", True, True),
        ("always", "operator", None, True),
    ],
)
def test_who_operates_alone_must_be_qualified_and_where_it_says_so_everybody(
    needed: str, operation: str, assisted: bool | None, refused: bool
):
    known = Standing(operators=(Operator(ANN, OFFICE),))
    question = asked(qualification=needed, operation=operation, assisted=assisted)

    assert (["qualification"] if refused else []) == rules(known, question)


@pytest.mark.parametrize(
    ("valid_until", "refused"),
    [(None, False), (MORNING.ends_at, False), (MORNING.ends_at - timedelta(minutes=1), True)],
)
def test_the_whole_reservation_lies_before_the_qualification_ends(valid_until: Any, refused: bool):
    known = Standing(qualified=Qualified(valid_until))

    assert refused == bool(rules(known, asked(qualification="always")))


@pytest.mark.parametrize(
    ("known", "terms", "words"),
    [
        (Standing(), {}, "Ask for training: POST /instruments/7/training-requests."),
        (Standing(qualified=Qualified(NOW)), {}, "ends 2025-03-03 09:00. Ask for training"),
        (Standing(training=TrainingStatus.ASKED), {}, "the provider will name a date"),
        (Standing(training=TrainingStatus.SCHEDULED), {}, "Your training has a date"),
        (
            Standing(),
            {"qualification": "self_operated", "operation": "either"},
            "Or reserve it with an operator",
        ),
    ],
)
def test_who_is_not_qualified_reads_what_to_do(known: Standing, terms: dict[str, Any], words: str):
    question = asked(**({"qualification": "always"} | terms))

    (reason,) = standing_refusals(known, question, at=NOW)

    assert words in reason.message
    assert not reason.overridable


def test_an_operator_of_the_instrument_needs_neither_qualification_nor_an_operator():
    known = Standing(is_operator=True)

    assert [] == rules(known, asked(qualification="always", operation="operator"))
    assert [] == rules(known, asked(operation="operator", assisted=False))
    assert not is_attended(known, asked(operation="operator"))


def test_an_operator_is_needed_for_the_whole_time_and_nobody_attends_themselves():
    known = Standing(
        operators=(
            Operator(ME, OFFICE),
            Operator(ANN, OFFICE, busy=(at(10, 12),)),
            Operator(BOB, OFFICE),
        )
    )
    question = asked(operation="operator")

    assert [BOB] == operators_for(known, question)
    assert [] == candidates(known, replace(question, during=at(16, 18)))
    assert ["operator"] == rules(known, replace(question, during=at(16, 18)))
    (reason,) = standing_refusals(known, replace(question, during=at(16, 18)), at=NOW)
    assert {
        "starts_at": shanghai_instant(date(2025, 3, 6), 540),
        "ends_at": shanghai_instant(date(2025, 3, 6), 660),
    } == reason.limit


@pytest.mark.parametrize(("operation", "assisted"), [("self", True), ("operator", False)])
def test_nobody_gets_what_the_instrument_does_not_offer(operation: str, assisted: bool):
    known = Standing(operators=(Operator(ANN, OFFICE),))

    assert ["operation"] == rules(known, asked(operation=operation, assisted=assisted))


@pytest.mark.parametrize(
    ("operation", "assisted", "purpose", "expected"),
    [
        ("self", None, Purpose.EXTERNAL, False),
        ("operator", None, Purpose.EXTERNAL, True),
        ("operator", None, Purpose.MAINTENANCE, False),
        ("operator", False, Purpose.EXTERNAL, False),
        ("either", None, Purpose.EXTERNAL, False),
        ("either", True, Purpose.TEACHING, True),
    ],
)
def test_operators_are_looked_up_only_where_one_may_come(
    operation: str, assisted: bool | None, purpose: Purpose, expected: bool
):
    question = asked(operation=operation, assisted=assisted, purpose=purpose)

    assert expected == question.may_be_assisted


def test_before_a_time_is_chosen_only_what_lasts_is_told():
    question = asked(operation="operator", qualification="always")

    assert ["suspended", "qualification", "operator", "quota", "quota"] == [
        reason.rule for reason in lasting_refusals(WORST, question)
    ]
    assert () == lasting_refusals(
        Standing(
            qualified=Qualified(None),
            quotas=(a_quota(used=239),),
            operators=(Operator(ANN),),
        ),
        question,
    )
    assert () == lasting_refusals(Standing(is_operator=True), question)


@pytest.mark.parametrize("present", TrainingStatus)
@pytest.mark.parametrize("following", TrainingStatus)
def test_a_request_for_training_goes_from_state_to_state_and_never_back(
    present: TrainingStatus, following: TrainingStatus
):
    if following in TRANSITIONS[present]:
        require_training_step(present, following)
    else:
        with pytest.raises(TrainingNotInState):
            require_training_step(present, following)
    assert bool(TRANSITIONS[present]) == (present in OPEN)
    assert TrainingStatus.ASKED not in TRANSITIONS[present]
