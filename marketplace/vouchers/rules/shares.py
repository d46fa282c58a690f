"""What a voucher pays of a service: ratio by layer and step, caps, and never more than all of it.

Each layer pays its ratio of the service value, so no layer pays what another paid. The ratio of a
step applies to the part of the value inside the step. Rounding is down and once per layer: a cap
or a budget met by rounding up is one that was passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.kernel.money import BASIS_POINTS, split, yuan
from marketplace.vouchers.rules.terms import Step, Terms


@dataclass(frozen=True, slots=True)
class LayerRoom:
    """One funder's layer of a voucher and how much of it can still be spent."""

    layer_id: int
    funder: str
    ratio_basis_points: int
    room_fen: int


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


def weighted_value(service_value_fen: int, steps: Sequence[Step]) -> int:
    """The service value with every step's part weighted by its ratio, in fen × basis points.

    A value beyond the last step's end is not paid for.
    """
    weighted = below = 0
    for step in steps:
        if service_value_fen <= below:
            break
        end = service_value_fen if step.up_to_fen is None else step.up_to_fen
        part = max(min(service_value_fen, end) - below, 0)
        weighted += part * step.ratio_basis_points
        below += part
    return weighted


def voucher_shares(
    service_value_fen: int, rooms: Sequence[LayerRoom], terms: Terms
) -> VoucherShares:
    """What each layer pays of `service_value_fen`.

    In this order: each layer's ratio; together at most the whole service; together at most the cap
    per order (shared by largest remainder); each layer at most what it has left.

    Policy: J.22b
    """
    said: list[str] = []
    weighted = weighted_value(service_value_fen, terms.steps)
    amounts = [
        weighted * room.ratio_basis_points // (BASIS_POINTS * BASIS_POINTS) for room in rooms
    ]
    for room, amount in zip(rooms, amounts, strict=True):
        said.append(_ratio_sentence(room, amount, service_value_fen, terms))
    if sum(amounts) > service_value_fen:
        amounts = split(service_value_fen, amounts)
        said.append("All layers together pay at most the whole service.")
    if sum(amounts) > terms.cap_per_order_fen:
        amounts = split(terms.cap_per_order_fen, amounts)
        said.append(
            f"At most {yuan(terms.cap_per_order_fen)} CNY per order"
            f" ({terms.source_of('cap_per_order_fen')})."
        )
    for index, room in enumerate(rooms):
        if amounts[index] > room.room_fen:
            amounts[index] = max(room.room_fen, 0)
            said.append(f"{room.funder.title()}: only {yuan(amounts[index])} CNY is left.")
    layers = tuple(
        LayerShare(room.layer_id, room.funder, room.ratio_basis_points, amount)
        for room, amount in zip(rooms, amounts, strict=True)
    )
    return VoucherShares(layers, tuple(said))


def _ratio_sentence(room: LayerRoom, amount: int, service_value_fen: int, terms: Terms) -> str:
    percent = f"{room.ratio_basis_points / 100:g} %"
    stepped = any(step.ratio_basis_points != BASIS_POINTS for step in terms.steps)
    how = "and less above the steps is" if stepped else "is"
    source = terms.source_of("ratio_steps" if stepped else "layers")
    return (
        f"{room.funder.title()}: {percent} of {yuan(service_value_fen)} CNY {how}"
        f" {yuan(amount)} CNY ({source})."
    )


def grant_parts(amount_fen: int, ratios: Sequence[int]) -> list[int]:
    """A granted amount split over the layers by their ratios, so that they run out together."""
    return split(amount_fen, ratios)
