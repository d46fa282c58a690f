"""What others may hear of prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.kernel.events import Event


@dataclass(frozen=True, slots=True)
class PriceListFiled(Event):
    """New prices stand public and will be in force from `in_force_from`."""

    price_list_id: int
    instrument_id: int
    in_force_from: date


@dataclass(frozen=True, slots=True)
class PriceListTakenBack(Event):
    """A provider withdrew its prices: nothing more is sold by them."""

    price_list_id: int
    instrument_id: int


@dataclass(frozen=True, slots=True)
class PricesObjected(Event):
    """Somebody objects to prices in notice: they wait for the provider's answer."""

    price_list_id: int
    instrument_id: int
    objection_id: int


@dataclass(frozen=True, slots=True)
class SurplusFound(Event):
    """Customers of a year paid more than it cost: the next ceiling is lower by that."""

    instrument_id: int
    year: int
    surplus_fen: int
