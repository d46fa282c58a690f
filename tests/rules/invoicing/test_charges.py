"""What earns a reward, and how far a charge may be corrected."""

import pytest

from marketplace.billing.invoicing.errors import CreditTooLarge
from marketplace.billing.invoicing.rules.charges import (
    Charged,
    earns_reward,
    require_credit_covered,
)
from marketplace.billing.invoicing.rules.states import ChargeKind

CHARGED = Charged(voucher_fen=250, own_fen=750)


@pytest.mark.parametrize(
    ("kind", "affiliated", "earns"),
    [
        (ChargeKind.SERVICE, False, True),
        (ChargeKind.SERVICE, True, False),
        (ChargeKind.CANCELLATION_FEE, False, False),
        (ChargeKind.NO_SHOW_FEE, False, False),
    ],
)
def test_only_services_to_others_earn_a_reward(kind, affiliated, earns):
    assert earns is earns_reward(kind, affiliated=affiliated)


@pytest.mark.parametrize(("voucher_fen", "own_fen"), [(250, 750), (0, 1), (250, 0)])
def test_a_credit_up_to_what_was_charged_is_covered(voucher_fen, own_fen):
    require_credit_covered(CHARGED, voucher_fen=voucher_fen, own_fen=own_fen)


@pytest.mark.parametrize(
    ("voucher_fen", "own_fen", "rules"),
    [
        (251, 0, ["credit-voucher-part"]),
        (0, 751, ["credit-own-part"]),
        (251, 751, ["credit-voucher-part", "credit-own-part"]),
        (-1, 5, ["credit-voucher-part"]),
        (0, 0, ["credit-something"]),
    ],
)
def test_a_credit_of_more_or_of_nothing_is_refused(voucher_fen, own_fen, rules):
    with pytest.raises(CreditTooLarge) as refusal:
        require_credit_covered(CHARGED, voucher_fen=voucher_fen, own_fen=own_fen)

    assert rules == [reason.rule for reason in refusal.value.reasons]
