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
