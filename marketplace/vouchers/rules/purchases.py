"""What is asked of a voucher, what its layers have left, and what they are found to pay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from marketplace.vouchers.rules.limits import TECHNOLOGY_SME, CapScope
from marketplace.vouchers.rules.regions import COUNTRY

Spent: TypeAlias = Mapping[tuple[CapScope, str | None], int]
"""What counts towards a cap already: by scope, and by funder or (None) of all layers together."""


@dataclass(frozen=True, slots=True)
class LayerRoom:
    """One funder's layer of a voucher and how much of it can still be spent."""

    layer_id: int
    funder: str
    ratio_basis_points: int
    room_fen: int
    region_code: str = COUNTRY


@dataclass(frozen=True, slots=True)
class Purchase:
    """What is bought, by whom, where, and what counts towards caps and steps already.

    An empty region is one that nobody named: it lies nowhere but in the whole country.
    """

    service_kind: str = ""
    buyer_region: str = ""
    provider_region: str = ""
    beneficiary: str = TECHNOLOGY_SME
    first_use: bool = False
    others_fen: int = 0
    """What vouchers of other programmes pay of this order."""
    value_in_year_fen: int = 0
    """What services the programme paid for cost this SME in the year so far."""
    spent: Spent = field(default_factory=dict)
    persons: int = 0
    """How many persons the service trains."""


UNSAID = Purchase()


@dataclass(frozen=True, slots=True)
class LayerShare:
    """What one funder pays of a service."""

    layer_id: int
    funder: str
    ratio_basis_points: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class VoucherShares:
    """What a voucher pays of a service, layer by layer, and the sentences that say why."""

    layers: tuple[LayerShare, ...]
    explanation: tuple[str, ...]

    @property
    def total_fen(self) -> int:
        """All layers together."""
        return sum(layer.amount_fen for layer in self.layers)
