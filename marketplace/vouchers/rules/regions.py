"""Which region lies in which: GB/T 2260 codes, where trailing zeros name the wider region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PROVINCE = "province"
COUNTRY = "000000"


def region_prefix(code: str) -> str:
    """`320000` → `32`, `320500` → `3205`, `320583` → itself, `000000` → the whole country."""
    if code == COUNTRY:
        return ""
    if code.endswith("0000"):
        return code[:2]
    return code[:4] if code.endswith("00") else code


def lies_in(code: str, region_code: str) -> bool:
    """Whether the place `code` lies in `region_code`."""
    return code.startswith(region_prefix(region_code))


@dataclass(frozen=True, slots=True)
class LayerRegion:
    """A funder's layer, where it pays, and its part of the service value."""

    layer_id: int
    funder: str
    region_code: str
    ratio_basis_points: int
    budget_year: int | None = None
    """The year of its budget; None: every year of the programme."""


def lies_in_any(code: str, region_codes: Sequence[str]) -> bool:
    """Whether the place lies in one of the regions; where none is named, it does."""
    return not region_codes or any(lies_in(code, region) for region in region_codes)


def layers_for(
    region_code: str, layers: Sequence[LayerRegion], year: int | None = None
) -> list[LayerRegion]:
    """The layers that pay for an SME at `region_code`; empty when the SME has no claim on any.

    A programme that regions co-fund serves the SMEs of those regions only. With a `year`, layers
    whose budget is of another one do not pay.

    Policy: J.22a
    """
    paying = [
        layer
        for layer in layers
        if lies_in(region_code, layer.region_code)
        and (year is None or layer.budget_year in (None, year))
    ]
    co_funded = any(layer.funder != PROVINCE for layer in layers)
    if co_funded and all(layer.funder == PROVINCE for layer in paying):
        return []
    return paying


def highest_ratio(layers: Sequence[LayerRegion]) -> int:
    """The most that any one place is paid in a year by all layers together, in basis points."""
    return max(
        (
            sum(
                layer.ratio_basis_points
                for layer in layers
                if lies_in(place.region_code, layer.region_code)
                and (
                    None in (place.budget_year, layer.budget_year)
                    or place.budget_year == layer.budget_year
                )
            )
            for place in layers
        ),
        default=0,
    )
