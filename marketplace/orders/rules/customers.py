"""Which customer class's price a buyer pays."""

from __future__ import annotations

from enum import StrEnum


class CustomerClass(StrEnum):
    """The classes that price lists distinguish."""

    OWN_UNIT = "own_unit"
    ACADEMIC = "academic"
    SME = "sme"
    ENTERPRISE = "enterprise"


def customer_class(*, kind: str, same_legal_entity: bool, has_sme_profile: bool) -> CustomerClass:
    """The class of a buyer: of the unit itself, academic, a recognised SME, or any enterprise.

    An SME without a profile for the year has not shown that it is one, and pays as an enterprise.
    Policy: J.22b
    """
    if same_legal_entity:
        return CustomerClass.OWN_UNIT
    if kind == "provider":
        return CustomerClass.ACADEMIC
    return CustomerClass.SME if has_sme_profile else CustomerClass.ENTERPRISE


def user_class(customer: str) -> str:
    """The class in which a customer reserves time: booking makes no difference between SMEs."""
    return CustomerClass.ENTERPRISE if customer == CustomerClass.SME else customer
