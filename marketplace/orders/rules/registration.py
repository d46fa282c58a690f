"""Recognition and registration of a contract as a technology contract (技术合同认定登记).

Policy: J.18b
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from marketplace.kernel.errors import Reasons
from marketplace.orders.errors import RegistrationRefused


class RegistrationState(StrEnum):
    """Where a contract stands with the registry. Nobody having said anything, `not_eligible`."""

    NOT_ELIGIBLE = "not_eligible"
    """Not a contract for technology: a routine measurement, or nobody has said otherwise."""
    ELIGIBLE = "eligible"
    """The provider means to have it recognised."""
    SUBMITTED = "submitted"
    """It lies with the registry."""
    REGISTERED = "registered"
    """Recognised, with number, day and place."""
    REFUSED = "refused"
    """The registry did not recognise it, or took its recognition back."""


class Registrar(StrEnum):
    """Who says where a contract stands."""

    PROVIDER = "provider"
    CENTRE = "centre"


_NONE, _ELIGIBLE, _SUBMITTED, _REGISTERED, _REFUSED = RegistrationState
_BOTH = frozenset(Registrar)
_PROVIDER, _CENTRE = frozenset({Registrar.PROVIDER}), frozenset({Registrar.CENTRE})

# Who files is the provider. What the registry said is noted by whoever hears it; that a
# recognition was taken back, by the centre alone, since subsidies and taxes hang on it.
STEPS: dict[tuple[RegistrationState, RegistrationState], frozenset[Registrar]] = {
    (_NONE, _ELIGIBLE): _PROVIDER,
    (_ELIGIBLE, _NONE): _PROVIDER,
    (_ELIGIBLE, _SUBMITTED): _PROVIDER,
    (_SUBMITTED, _ELIGIBLE): _PROVIDER,
    (_SUBMITTED, _REGISTERED): _BOTH,
    (_SUBMITTED, _REFUSED): _BOTH,
    (_REFUSED, _SUBMITTED): _PROVIDER,
    (_REFUSED, _NONE): _PROVIDER,
    (_REGISTERED, _REFUSED): _CENTRE,
}


@dataclass(frozen=True, slots=True)
class Registered:
    """What is said of a registration: the state, and what the registry gave or why it did not."""

    state: RegistrationState
    number: str = ""
    registered_on: date | None = None
    place: str = ""
    reason: str = ""


def steps_open(was: RegistrationState, *, by: Registrar) -> list[RegistrationState]:
    """What may follow `was`, as far as `by` may say it. Policy: J.18b"""
    return [to for (of, to), who in STEPS.items() if of is was and by in who]


def require_registration(
    was: RegistrationState, asked: Registered, *, by: Registrar, today: date, signed_on: date
) -> None:
    """The step is open to who takes it, and says everything that its state needs.

    Policy: J.18b

    Raises:
        RegistrationRefused: with every reason.
    """
    reasons = Reasons()
    allowed = STEPS.get((was, asked.state), frozenset())
    if by not in allowed:
        following = [str(to) for to in steps_open(was, by=by)]
        reasons.add(
            "registration-step",
            f"The {by} may follow {was} with {' or '.join(following) or 'nothing'} only.",
            limit=following,
            asked=str(asked.state),
            source="J.18b",
        )
    _require_facts(asked, reasons, today=today, signed_on=signed_on)
    reasons.raise_as(RegistrationRefused)


def require_registered(asked: Registered, *, today: date, signed_on: date) -> None:
    """What the registry gave is a number and a day that can be.

    Raises:
        RegistrationRefused: with every reason.
    """
    reasons = Reasons()
    _require_facts(asked, reasons, today=today, signed_on=signed_on)
    reasons.raise_as(RegistrationRefused)


def _require_facts(asked: Registered, reasons: Reasons, *, today: date, signed_on: date) -> None:
    if asked.state is RegistrationState.REGISTERED:
        if not asked.number.strip() or asked.registered_on is None:
            reasons.add(
                "registration-number",
                "Say under which number and on which day it was registered.",
                source="J.18b",
            )
    elif asked.number or asked.registered_on is not None:
        reasons.add(
            "registration-number",
            "Only a registered contract has a number and a day.",
            asked=asked.number,
            source="J.18b",
        )
    day = asked.registered_on
    if day is not None and not signed_on <= day <= today:
        reasons.add(
            "registration-day",
            f"It was signed on {signed_on}; the day is from then to today, {today}.",
            limit=[signed_on.isoformat(), today.isoformat()],
            asked=day.isoformat(),
            source="J.18b",
        )
    says_why = asked.state in (RegistrationState.NOT_ELIGIBLE, RegistrationState.REFUSED)
    if says_why and not asked.reason.strip():
        reasons.add(
            "registration-reason", f"Say why the contract is {asked.state}.", source="J.18b"
        )
