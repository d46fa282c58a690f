"""Which instruments must be open, and by when they must be listed."""

from __future__ import annotations

from datetime import date

from marketplace.catalogue.rules.states import Exemption, Funds, ShareMode
from marketplace.kernel.errors import Reasons
from marketplace.kernel.money import yuan
from marketplace.kernel.time import working_days_after

PUBLIC_FUNDS = frozenset({Funds.CENTRAL, Funds.LOCAL})


def is_public(funds: Funds) -> bool:
    """Whether an instrument is a public resource: derived from who paid for it. Policy: J.2b"""
    return funds in PUBLIC_FUNDS


def must_open(
    *, funds: Funds, worth_fen: int, exemption: Exemption | None, threshold_fen: int
) -> bool:
    """Whether an instrument must be open to society.

    A public resource worth `threshold_fen` or more must, unless a coded reason exempts it.
    Policy: N.5a, J.2b, J.9
    """
    return is_public(funds) and worth_fen >= threshold_fen and exemption is None


def check_open(
    reasons: Reasons,
    *,
    funds: Funds,
    worth_fen: int,
    exemption: Exemption | None,
    share_mode: ShareMode,
    threshold_fen: int,
) -> None:
    """Note when an instrument that must be open is not offered to society. Policy: N.5a, J.9"""
    obliged = must_open(
        funds=funds, worth_fen=worth_fen, exemption=exemption, threshold_fen=threshold_fen
    )
    if obliged and share_mode is not ShareMode.EXTERNAL:
        reasons.add(
            "must-be-open",
            f"bought with public funds for {yuan(threshold_fen)} CNY or more, it is shared "
            "externally (外部共享) or carries a coded exemption",
            limit=threshold_fen,
            asked=worth_fen,
            source="N.5a",
        )


def listing_due_on(accepted_on: date, *, working_days: int) -> date:
    """The last day on which an instrument accepted on `accepted_on` is listed in time.

    Policy: F.289-11 (30 working days)
    """
    return working_days_after(accepted_on, working_days)


def listed_late(*, due_on: date | None, listed_on: date | None, today: date) -> bool:
    """Whether an instrument was listed after its day, or is past it and still not listed.

    Policy: F.289-11
    """
    return due_on is not None and (listed_on or today) > due_on
