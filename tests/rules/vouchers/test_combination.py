"""Policy: J.22b. Of several vouchers the legal combination that pays most, explained."""

from datetime import date, timedelta
from itertools import combinations, product

from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.vouchers.rules.combination import VOUCHERS_MAX, Payer, barred, combine, in_order

EARLY, LATE = date(2025, 6, 30), date(2025, 12, 31)


def payer(grant_id: int, most_fen: int, *, until: date = LATE, **changes) -> Payer:
    return Payer(grant_id, f"Programme {grant_id}", until, most_fen, **changes)


def test_two_vouchers_pay_together_at_most_the_service_and_the_first_to_expire_pays_first():
    found = combine(1_000, [payer(1, 700), payer(2, 600, until=EARLY)])

    assert found.paid_fen == {2: 600, 1: 400}
    assert found.explanation == (
        "Programme 2 pays 6.00 CNY; valid until 2025-06-30.",
        "Programme 1 pays 4.00 CNY instead of 7.00 CNY: more is not allowed beside the others;"
        " valid until 2025-12-31.",
    )


def test_vouchers_that_may_not_stand_together_do_not_and_the_better_one_pays():
    found = combine(
        1_000,
        [payer(1, 500), payer(2, 400, until=EARLY, never_with={1: "J.22b"}), payer(3, 100)],
    )

    assert found.paid_fen == {1: 500, 3: 100}
    assert found.explanation[0] == (
        "Programme 2 is not used: it may not be combined with Programme 1 (J.22b), and this way"
        " the vouchers pay most."
    )


def test_two_smaller_vouchers_beat_a_larger_one_that_stands_alone():
    alone = payer(1, 700, until=EARLY, never_with={2: "A", 3: "A"})

    assert {2: 400, 3: 400} == combine(1_000, [alone, payer(2, 400), payer(3, 400)]).paid_fen


def test_a_voucher_of_a_face_value_pays_whole_pieces_and_the_other_makes_room_for_them():
    pieces = payer(1, 500_000, piece_fen=500_000)
    found = combine(700_000, [payer(2, 400_000, until=EARLY), pieces])

    assert found.paid_fen == {2: 200_000, 1: 500_000}
    assert "in 1 piece of 5,000.00 CNY" in found.explanation[1]


def test_less_than_one_piece_is_not_used_and_told():
    found = combine(400_000, [payer(1, 499_999, piece_fen=500_000)])

    assert found.paid_fen == {}
    assert found.explanation == (
        "Programme 1 is not used: one piece of 5,000.00 CNY is more than its part of 4,999.99 CNY.",
    )


def test_a_voucher_that_the_others_leave_nothing_to_is_told_why():
    found = combine(1_000, [payer(1, 1_000, until=EARLY), payer(2, 1_000)])

    assert found.paid_fen == {1: 1_000}
    assert found.explanation[1] == ("Programme 2 is not used: the others pay the whole service.")


def test_an_order_takes_at_most_eight_vouchers():
    found = combine(10_000, [payer(number, 100 + number) for number in range(1, 12)])

    assert VOUCHERS_MAX == len(found.paid_fen)
    assert found.total_fen == sum(range(104, 112))
    assert found.explanation[0].endswith("an order takes at most 8 vouchers.")


def test_a_ratio_on_the_rest_is_one_of_what_the_others_left():
    rest = payer(2, 500, until=EARLY, beside=lambda paid: (1_000 - paid) // 2)

    assert {2: 375, 1: 250} == combine(1_000, [payer(1, 250), rest]).paid_fen


def test_what_is_deducted_twice_may_be_a_reason_to_leave_the_other_out():
    # Zhenjiang: 40 %, less twice what the provincial voucher pays.
    city = payer(2, 400, beside=lambda paid: 400 - 2 * paid)

    assert {2: 400} == combine(1_000, [payer(1, 250), city]).paid_fen
    assert {1: 450} == combine(1_000, [payer(1, 450), city]).paid_fen


def test_together_at_most_the_lowest_part_that_one_of_them_allows():
    half = payer(1, 400, until=EARLY, together_max_basis_points=5_000)

    assert {1: 400, 2: 100} == combine(1_000, [half, payer(2, 300)]).paid_fen
    assert {2: 600} == combine(1_000, [half, payer(2, 600)]).paid_fen


def test_an_older_voucher_is_used_up_before_a_newer_one():
    newer = payer(2, 600, until=EARLY, used_up_first=frozenset({1}))

    assert {1: 600, 2: 400} == combine(1_000, [newer, payer(1, 600)]).paid_fen
    assert {1: 600} == combine(600, [newer, payer(1, 600)]).paid_fen


payers_strategy = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.sampled_from((0, 0, 2, 3, 4)),
        st.integers(0, 2),
        st.sets(st.integers(0, 3)),
    ),
    max_size=4,
)


def brute_force(value: int, payers: list[Payer]) -> dict[int, int]:
    """Every amount of every voucher is tried."""
    ordered = in_order(payers)
    choices = [range(0, each.most_fen + 1, each.piece_fen or 1) for each in ordered]
    legal = [
        amounts
        for amounts in product(*choices)
        if sum(amounts) <= value
        and not any(
            amounts[one] and amounts[other] and barred(ordered[one], ordered[other])
            for one, other in combinations(range(len(ordered)), 2)
        )
    ]
    best = max(legal, key=lambda amounts: (sum(amounts), amounts))
    return {each.grant_id: amount for each, amount in zip(ordered, best, strict=True) if amount}


@settings(max_examples=300, deadline=None)
@given(value=st.integers(0, 20), given_payers=payers_strategy)
def test_no_combination_of_any_amounts_is_better(value, given_payers):
    payers = [
        payer(
            number,
            most,
            until=EARLY + timedelta(days=day),
            piece_fen=piece,
            never_with=dict.fromkeys(never - {number}, "J.22b"),
        )
        for number, (most, piece, day, never) in enumerate(given_payers)
    ]
    found = combine(value, payers)

    assert brute_force(value, payers) == found.paid_fen
    assert len(found.explanation) == len(payers)


@settings(max_examples=200, deadline=None)
@given(
    value=st.integers(0, 20),
    plain=st.lists(st.integers(0, 9), max_size=2),
    most=st.integers(0, 9),
    times=st.integers(0, 3),
    share=st.sampled_from((10_000, 5_000)),
)
def test_no_choice_beside_a_voucher_that_minds_the_others_pays_more(
    value, plain, most, times, share
):
    minding = payer(
        9, most, beside=lambda paid: most - times * paid, together_max_basis_points=share
    )
    payers = [payer(number, each) for number, each in enumerate(plain)]
    best = max(
        sum(amounts) + last
        for amounts in product(*(range(each + 1) for each in plain))
        for last in range(max(most - times * sum(amounts), 0) + 1)
        if sum(amounts) + last <= (value * share // 10_000 if last and sum(amounts) else value)
    )

    assert best == combine(value, [*payers, minding]).total_fen


@given(value=st.integers(0, 20), given_payers=payers_strategy)
def test_what_was_combined_for_a_service_is_combined_again_for_the_same(value, given_payers):
    payers = [
        payer(number, most, until=EARLY + timedelta(days=day), piece_fen=piece)
        for number, (most, piece, day, _) in enumerate(given_payers)
    ]
    held = combine(value, payers).paid_fen
    again = [
        payer(each.grant_id, held[each.grant_id], until=each.valid_until, piece_fen=each.piece_fen)
        for each in payers
        if each.grant_id in held
    ]

    assert held == combine(value, again).paid_fen
