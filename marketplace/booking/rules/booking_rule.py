"""What a provider may write into an instrument's booking rule."""

from __future__ import annotations

from marketplace.booking.errors import BookingRuleRefused
from marketplace.booking.rules.availability import BookingTerms
from marketplace.kernel.errors import Reasons


def require_possible_rule(terms: BookingTerms, *, province: BookingTerms) -> None:
    """Nothing, when `terms` make sense and go no further than the province's.

    The province bounds how long and how far ahead one customer may keep a shared instrument;
    step, notice, buffers and seats follow from the instrument and are the provider's.

    Policy: J.15 (open restrictions are the unit's to publish).

    Raises:
        BookingRuleRefused: with everything that is wrong.
    """
    found = Reasons()
    if terms.minimum_minutes < terms.step_minutes or terms.minimum_minutes % terms.step_minutes:
        found.add(
            "minimum",
            f"The minimum is a multiple of the step of {terms.step_minutes} minutes.",
            limit=terms.step_minutes,
            asked=terms.minimum_minutes,
        )
    if terms.maximum_minutes < terms.minimum_minutes or terms.maximum_minutes % terms.step_minutes:
        found.add(
            "maximum",
            "The maximum is a multiple of the step and not below the minimum.",
            limit=terms.minimum_minutes,
            asked=terms.maximum_minutes,
        )
    if terms.maximum_minutes > province.maximum_minutes:
        found.add(
            "maximum-province",
            f"The province allows at most {province.maximum_minutes} minutes at a time.",
            limit=province.maximum_minutes,
            asked=terms.maximum_minutes,
        )
    if terms.horizon_days > province.horizon_days:
        found.add(
            "horizon-province",
            f"The province allows at most {province.horizon_days} days ahead.",
            limit=province.horizon_days,
            asked=terms.horizon_days,
        )
    if terms.notice_minutes >= terms.horizon_days * 1440:
        found.add(
            "notice",
            "The notice ends before the horizon, or nothing could ever be reserved.",
            limit=terms.horizon_days * 1440,
            asked=terms.notice_minutes,
        )
    found.raise_as(BookingRuleRefused)
