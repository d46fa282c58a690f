"""The items of an order: where each stands, what of it is due, and what of it was used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from marketplace.kernel.errors import Reasons
from marketplace.orders.errors import DeliveryRefused

ITEMS_MAX = 10
EXTRAS_MAX = 20

Extras = Sequence[tuple[str, int]]


class ItemStatus(StrEnum):
    """Where an item of an order stands."""

    ORDERED = "ordered"
    """Nothing has been done about it."""
    IN_SERVICE = "in_service"
    """Its session was opened, or the samples have arrived; a part may be delivered."""
    DELIVERED = "delivered"
    """Everything of it that will ever be delivered is."""
    UNDELIVERABLE = "undeliverable"
    """The provider cannot give it, and has said why."""
    CANCELLED = "cancelled"
    """Its time was given back."""
    MISSED = "missed"
    """The buyer did not come."""


DUE = (ItemStatus.ORDERED, ItemStatus.IN_SERVICE)


class DeliveryKind(StrEnum):
    """What is said of a part of an item."""

    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"


def status_of(*, quantity: int, delivered: int, undeliverable: int) -> ItemStatus:
    """Where an item stands of which so much was delivered, and so much never will be."""
    if delivered + undeliverable < quantity:
        return ItemStatus.IN_SERVICE
    return ItemStatus.DELIVERED if delivered else ItemStatus.UNDELIVERABLE


def added(before: Extras, more: Extras) -> list[tuple[str, int]]:
    """Both together, by code."""
    found: dict[str, int] = {}
    for code, quantity in (*before, *more):
        found[code] = found.get(code, 0) + quantity
    return sorted(found.items())


def check_extras(reasons: Reasons, used: Extras, *, agreed: Extras) -> None:
    """Nothing was used that was not agreed, and no more of anything than was.

    Policy: J.gap
    """
    limits: Mapping[str, int] = dict(added(agreed, ()))
    for code, quantity in added(used, ()):
        limit = limits.get(code, 0)
        if quantity > limit:
            reasons.add(
                "extra-agreed",
                f"{code}: {limit} were agreed; more needs a new quote that the buyer accepts.",
                limit=limit,
                asked=quantity,
            )


def check_runs(reasons: Reasons, used: int, *, agreed: int) -> None:
    """No more runs than were agreed. Policy: J.gap"""
    if used > agreed:
        reasons.add(
            "runs-agreed",
            f"{agreed} runs were agreed; more needs a new quote that the buyer accepts.",
            limit=agreed,
            asked=used,
        )


def check_ready(reasons: Reasons, quantity: int, *, ready: int, item: int) -> None:
    """At least one piece is handed over, and at most those that are ready."""
    if not 1 <= quantity <= ready:
        reasons.add(
            "item-ready",
            f"{ready} of item {item} are ready and not delivered yet.",
            limit=ready,
            asked=quantity,
        )


def check_due(reasons: Reasons, quantity: int, *, due: int, item: int) -> None:
    """At least one piece is given up, and at most those that are due."""
    if not 1 <= quantity <= due:
        reasons.add("item-due", f"{due} of item {item} are due.", limit=due, asked=quantity)


def refuse(reasons: Reasons) -> None:
    """Raise what was found, all at once.

    Raises:
        DeliveryRefused: with every reason.
    """
    reasons.raise_as(DeliveryRefused)
