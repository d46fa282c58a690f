"""Moving an order: when it may be asked, who agrees, what it costs, and what is signed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.orders.rules.rescheduling import (
    ChangeKind,
    Figures,
    MoveTerms,
    Side,
    Standing,
    Wanted,
    answer_until,
    answered_by,
    move_fee,
    reasons_against,
)
from marketplace.orders.rules.settlement import Parts
from marketplace.orders.rules.states import ENDS, Status

NINE = datetime(2025, 3, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TERMS = MoveTerms(late_minutes=1440, fee_basis_points=2500, moves_max=3, answer_minutes=1440)
ORDER = Standing(
    status=Status.CONFIRMED,
    starts_at=NINE,
    ends_at=NINE + 2 * HOUR,
    moves=0,
    moves_max=3,
    proposal_open=False,
)
TOMORROW = Wanted(ChangeKind.RESCHEDULE, Side.BUYER, NINE + DAY, NINE + DAY + 2 * HOUR)
LONGER = Wanted(ChangeKind.EXTEND, Side.BUYER, NINE, NINE + 3 * HOUR)


def rules(wanted: Wanted, standing: Standing, *, at: datetime = NINE - 3 * DAY) -> list[str]:
    return [reason.rule for reason in reasons_against(wanted, standing, at=at)]


@pytest.mark.parametrize(
    ("wanted", "statuses"),
    [
        (TOMORROW, {Status.PLACED, Status.CONFIRMED}),
        (LONGER, {Status.CONFIRMED, Status.IN_SERVICE}),
    ],
)
def test_an_order_moves_before_its_service_and_grows_until_the_end_of_it(wanted, statuses):
    free = {status for status in Status if not rules(wanted, replace(ORDER, status=status))}

    assert statuses == free
    assert not free & ENDS


@pytest.mark.parametrize(
    ("wanted", "changes", "at", "told"),
    [
        (TOMORROW, {}, NINE - timedelta(microseconds=1), []),
        (TOMORROW, {}, NINE, ["begun"]),
        (LONGER, {}, NINE + 2 * HOUR - timedelta(microseconds=1), []),
        (LONGER, {}, NINE + 2 * HOUR, ["over"]),
        (TOMORROW, {"moves": 2}, NINE - DAY, []),
        (TOMORROW, {"moves": 3}, NINE - DAY, ["moves-per-order"]),
        # What the provider asks for does not use up the buyer's moves.
        (replace(TOMORROW, side=Side.PROVIDER), {"moves": 3}, NINE - DAY, []),
        (LONGER, {"moves": 3}, NINE - DAY, []),
        (TOMORROW, {"proposal_open": True}, NINE - DAY, ["proposal-open"]),
        (replace(LONGER, ends_at=NINE + 2 * HOUR), {}, NINE, ["extend-later"]),
        (
            replace(TOMORROW, starts_at=NINE, ends_at=NINE + 2 * HOUR),
            {"moves": 3, "proposal_open": True},
            NINE,
            ["begun", "proposal-open", "same-time", "moves-per-order"],
        ),
    ],
)
def test_every_reason_is_told_at_once(wanted, changes, at, told):
    assert told == rules(wanted, replace(ORDER, **changes), at=at)


@pytest.mark.parametrize(
    ("wanted", "status", "at", "down", "fee_fen"),
    [
        (TOMORROW, Status.CONFIRMED, NINE - DAY + timedelta(microseconds=1), False, 25),
        # Exactly at the limit is in time, as for a cancellation.
        (TOMORROW, Status.CONFIRMED, NINE - DAY, False, 0),
        (TOMORROW, Status.CONFIRMED, NINE - HOUR, True, 0),
        (TOMORROW, Status.PLACED, NINE - HOUR, False, 0),
        (replace(TOMORROW, side=Side.PROVIDER), Status.CONFIRMED, NINE - HOUR, False, 0),
        (replace(TOMORROW, side=Side.AGENT), Status.CONFIRMED, NINE - HOUR, False, 25),
        (LONGER, Status.CONFIRMED, NINE - HOUR, False, 0),
        (LONGER, Status.IN_SERVICE, NINE + HOUR, False, 0),
    ],
)
def test_only_a_buyer_that_moves_a_confirmed_order_late_pays_for_it(
    wanted, status, at, down, fee_fen
):
    standing = replace(ORDER, status=status)

    fee = move_fee(101, wanted, standing, terms=TERMS, at=at, instrument_down=down)

    assert fee_fen == fee.amount_fen
    assert fee.why


@given(st.integers(0, 10**12), st.integers(0, 10_000))
def test_a_fee_is_never_more_than_the_own_part_and_rounds_down(own_fen, basis_points):
    terms = replace(TERMS, fee_basis_points=basis_points)

    fee = move_fee(own_fen, TOMORROW, ORDER, terms=terms, at=NINE - HOUR, instrument_down=False)

    assert own_fen * basis_points // 10_000 == fee.amount_fen <= own_fen


@pytest.mark.parametrize(
    ("side", "status", "needs_approval", "who"),
    [
        (Side.BUYER, Status.CONFIRMED, False, None),
        (Side.BUYER, Status.CONFIRMED, True, Side.PROVIDER),
        (Side.BUYER, Status.IN_SERVICE, True, Side.PROVIDER),
        # It has not answered the order yet: it answers both by confirming.
        (Side.BUYER, Status.PLACED, True, None),
        (Side.PROVIDER, Status.CONFIRMED, False, Side.BUYER),
        (Side.PROVIDER, Status.CONFIRMED, True, Side.BUYER),
        (Side.AGENT, Status.CONFIRMED, False, Side.BUYER),
    ],
)
def test_the_buyer_always_signs_and_the_provider_where_it_decides_on_requests(
    side, status, needs_approval, who
):
    wanted, standing = replace(TOMORROW, side=side), replace(ORDER, status=status)

    assert who is answered_by(wanted, standing, needs_approval=needs_approval)


@pytest.mark.parametrize(
    ("wanted", "at", "until"),
    [
        (TOMORROW, NINE - 3 * DAY, NINE - 2 * DAY),
        # Never beyond the start, from which it could not be moved any more,
        (TOMORROW, NINE - HOUR, NINE),
        # nor beyond the time that is asked for.
        (replace(TOMORROW, starts_at=NINE - 2 * HOUR), NINE - 3 * HOUR, NINE - 2 * HOUR),
        (LONGER, NINE + HOUR, NINE + 2 * HOUR),
    ],
)
def test_a_proposal_waits_a_day_and_never_until_it_is_too_late(wanted, at, until):
    assert until == answer_until(wanted, ORDER, terms=TERMS, at=at)


FIGURES = Figures(
    order_id=1,
    quote_id=2,
    revision=3,
    kind=ChangeKind.RESCHEDULE,
    starts_at=NINE,
    ends_at=NINE + HOUR,
    before=Parts(voucher_fen=40, own_fen=60),
    after=Parts(voucher_fen=50, own_fen=75),
    fee_fen=15,
)


def test_figures_say_what_is_added_and_what_has_to_be_held():
    assert (25, 30) == (FIGURES.difference_fen, FIGURES.needed_fen)


@pytest.mark.parametrize(
    "changes",
    [
        {"order_id": 9},
        {"quote_id": 9},
        {"revision": 9},
        {"kind": ChangeKind.EXTEND},
        {"starts_at": NINE + timedelta(minutes=1)},
        {"ends_at": NINE + timedelta(minutes=1)},
        {"before": Parts(voucher_fen=39, own_fen=61)},
        {"after": Parts(voucher_fen=49, own_fen=76)},
        {"fee_fen": 14},
    ],
)
def test_a_token_agrees_to_these_figures_and_to_no_others(changes):
    assert FIGURES.token != replace(FIGURES, **changes).token


def test_a_token_is_of_the_instant_and_not_of_how_it_is_written():
    in_shanghai = NINE.astimezone(timezone(8 * HOUR))

    assert FIGURES.token == replace(FIGURES, starts_at=in_shanghai).token
    assert len(FIGURES.token) == 64
