"""What others may hear about orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.kernel.events import Event


@dataclass(frozen=True, slots=True)
class OrderPlaced(Event):
    """A buyer has signed; money, voucher and time are held."""

    order_id: int
    buyer_id: int
    provider_id: int
    total_fen: int


@dataclass(frozen=True, slots=True)
class OrderConfirmed(Event):
    """The provider has signed too."""

    order_id: int
    buyer_id: int
    provider_id: int


@dataclass(frozen=True, slots=True)
class OrderEnded(Event):
    """The order ended without a service: rejected, cancelled, expired or no-show."""

    order_id: int
    buyer_id: int
    provider_id: int
    status: str
    fee_fen: int


@dataclass(frozen=True, slots=True)
class ServiceDelivered(Event):
    """Results are with the buyer; the review window runs."""

    order_id: int
    buyer_id: int
    provider_id: int


@dataclass(frozen=True, slots=True)
class OrderDisputed(Event):
    """The buyer objects; the centre is to rule."""

    order_id: int
    buyer_id: int
    provider_id: int


@dataclass(frozen=True, slots=True)
class OrderSettled(Event):
    """Holds have become entries for what was really used."""

    order_id: int
    buyer_id: int
    provider_id: int
    service_value_fen: int
    voucher_fen: int
    own_fen: int
    settled_on: date


@dataclass(frozen=True, slots=True)
class ServiceReviewed(Event):
    """The buyer has rated the service."""

    order_id: int
    provider_id: int
    stars: int
