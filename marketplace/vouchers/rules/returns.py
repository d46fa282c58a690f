"""What comes back of redemptions: how it is shared out, and whether an SME may spend it again.

Policy: J.22a, J.22b
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from marketplace.kernel.money import split


def shared_out(amount_fen: int, nets_fen: Sequence[int]) -> list[int]:
    """What of `amount_fen` comes back of each, in proportion to what is left of it.

    No part takes more than is left, as long as the whole does not.
    """
    if amount_fen > sum(nets_fen):
        raise ValueError("no more comes back than was used")
    return split(amount_fen, nets_fen)


def spendable_again(
    *, restores: bool, grant_status: str, valid_until: date, returned_on: date
) -> bool:
    """Whether what comes back is the SME's again: its terms say so and the voucher is still valid.

    Otherwise the budgets that it came from have it.
    """
    return restores and grant_status in ("active", "exhausted") and returned_on <= valid_until
