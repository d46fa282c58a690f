"""What a version may change of a programme's layers: budgets, shares, new layers.

A budget is never less than what is granted, held and used of it. Shares change for new orders and
new grants: what is held keeps the share that it was held by, and a grant its amounts by layer.

Policy: J.22a, J.22b
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.kernel.errors import Reason, Reasons
from marketplace.kernel.money import yuan
from marketplace.vouchers.rules.regions import LayerRegion


@dataclass(frozen=True, slots=True)
class LayerNow:
    """A layer as it is: `bound_fen` of its budget is granted, held or used."""

    layer_id: int
    funder: str
    region_code: str
    budget_year: int | None
    ratio_basis_points: int
    budget_fen: int
    bound_fen: int


@dataclass(frozen=True, slots=True)
class LayerChanged:
    """Another budget or another share of a layer; None: as it is."""

    layer_id: int
    budget_fen: int | None = None
    ratio_basis_points: int | None = None


@dataclass(frozen=True, slots=True)
class LayerAdded:
    """A layer that the programme did not have."""

    funder: str
    region_code: str
    ratio_basis_points: int
    budget_fen: int
    name: str = ""
    budget_year: int | None = None


def wrong_layers(
    now: Sequence[LayerNow], changed: Sequence[LayerChanged], added: Sequence[LayerAdded]
) -> list[Reason]:
    """Every reason why the layers cannot be changed like this; none means that they can.

    Policy: J.22a
    """
    reasons = Reasons()
    known = {layer.layer_id: layer for layer in now}
    seen: set[int] = set()
    for each in changed:
        layer = known.get(each.layer_id)
        if layer is None:
            reasons.add(
                "layer", f"The programme has no layer {each.layer_id}.", asked=each.layer_id
            )
            continue
        if each.layer_id in seen:
            reasons.add("layer", f"Layer {each.layer_id} is named twice.", asked=each.layer_id)
        seen.add(each.layer_id)
        _check_change(reasons, layer, each)
    taken = {(layer.funder, layer.region_code, layer.budget_year) for layer in now}
    for new in added:
        of = (new.funder, new.region_code, new.budget_year)
        if of in taken:
            reasons.add(
                "layer-twice",
                f"The {new.funder} has a layer for {new.region_code} and that year already: change"
                " its budget.",
                asked=new.region_code,
                source="J.22a",
            )
        taken.add(of)
    return reasons.found


def _check_change(reasons: Reasons, layer: LayerNow, asked: LayerChanged) -> None:
    if asked.budget_fen in (None, layer.budget_fen) and asked.ratio_basis_points in (
        None,
        layer.ratio_basis_points,
    ):
        reasons.add("layer", f"Nothing changes of layer {layer.layer_id}.", asked=layer.layer_id)
    if asked.budget_fen is not None and asked.budget_fen < layer.bound_fen:
        reasons.add(
            "budget",
            f"{yuan(layer.bound_fen)} CNY of the budget of the {layer.funder} are granted, held or"
            " used: it cannot be lower. Withdraw unused quota first.",
            limit=layer.bound_fen,
            asked=asked.budget_fen,
            source="J.22a",
        )


def layers_after(
    now: Sequence[LayerNow], changed: Sequence[LayerChanged], added: Sequence[LayerAdded]
) -> list[LayerRegion]:
    """The layers as they are once the version is in force; new ones below nought."""
    ratios = {
        each.layer_id: each.ratio_basis_points
        for each in changed
        if each.ratio_basis_points is not None
    }
    return [
        *(
            LayerRegion(
                layer.layer_id,
                layer.funder,
                layer.region_code,
                ratios.get(layer.layer_id, layer.ratio_basis_points),
                layer.budget_year,
            )
            for layer in now
        ),
        *(
            LayerRegion(
                -number, new.funder, new.region_code, new.ratio_basis_points, new.budget_year
            )
            for number, new in enumerate(added, start=1)
        ),
    ]
