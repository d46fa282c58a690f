"""As which class of user somebody comes to an instrument."""

from __future__ import annotations

from marketplace.booking.rules.states import UserClass


def class_of(*, organisation_kind: str, same_legal_entity: bool) -> UserClass:
    """The own unit's people, those of another provider, or everybody else.

    A legal entity may have several units: for each of them the others are its own.

    Policy: J.16a.
    """
    if same_legal_entity:
        return UserClass.OWN_UNIT
    return UserClass.ACADEMIC if organisation_kind == "provider" else UserClass.ENTERPRISE
