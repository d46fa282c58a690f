"""What each of an order's vouchers pays of what the service really took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from marketplace.kernel.db import Tx
from marketplace.kernel.money import split
from marketplace.parties.queries import organisation, organisations
from marketplace.vouchers import tables
from marketplace.vouchers.queries import (
    Grant,
    HoldPart,
    VoucherHold,
    terms_of_version,
    values_in_year,
)
from marketplace.vouchers.queries.rows import columns
from marketplace.vouchers.rules.combination import Payer, combine
from marketplace.vouchers.rules.shares import (
    LayerRoom,
    LayerShare,
    Purchase,
    VoucherShares,
    voucher_shares,
)
from marketplace.vouchers.rules.terms import Terms


@dataclass(frozen=True, slots=True)
class HeldAmount:
    """A hold with its layers."""

    hold: VoucherHold
    parts: tuple[HoldPart, ...]


@dataclass(frozen=True, slots=True)
class Settling:
    """A hold, the terms it was made under, and what its shares depend on."""

    held: HeldAmount
    terms: Terms
    purchase: Purchase
    value_fen: int
    grant: Grant

    def shares(self, others_fen: int = 0) -> VoucherShares:
        rooms = [
            LayerRoom(
                part.layer_id,
                part.funder,
                part.ratio_basis_points,
                part.amount_fen,
                part.region_code,
            )
            for part in self.held.parts
        ]
        purchase = Purchase(
            service_kind=self.purchase.service_kind,
            buyer_region=self.purchase.buyer_region,
            provider_region=self.purchase.provider_region,
            beneficiary=self.purchase.beneficiary,
            first_use=self.purchase.first_use,
            others_fen=others_fen,
            value_in_year_fen=self.purchase.value_in_year_fen,
            persons=self.purchase.persons,
        )
        return voucher_shares(self.value_fen, rooms, self.terms, purchase)

    def payer(self) -> Payer:
        stacking = self.terms.stacking
        minds = bool(stacking.on_rest or stacking.deduct_times)
        return Payer(
            grant_id=self.grant.id,
            name=str(self.grant.id),
            valid_until=self.grant.valid_until,
            most_fen=self.shares().total_fen,
            piece_fen=self.terms.face_value_fen
            or (self.terms.round_to_fen if self.terms.round_to_fen > 1 else 0),
            beside=(lambda others: self.shares(others).total_fen) if minds else None,
            together_max_basis_points=stacking.together_max_basis_points,
        )


async def amounts_used(
    tx: Tx, holds: Sequence[HeldAmount], service_value_fen: int
) -> dict[int, tuple[LayerShare, ...]]:
    """What each hold pays, layer by layer: by the terms it was held under, never above the hold.

    Policy: J.22b
    """
    return shared_among([await _settling(tx, each, service_value_fen) for each in holds])


def shared_among(settling: Sequence[Settling]) -> dict[int, tuple[LayerShare, ...]]:
    """What each hold of one order pays of what the service took, layer by layer."""
    found = combine(settling[0].value_fen, [each.payer() for each in settling])
    return {
        each.held.hold.id: _brought_to(each, found.paid_fen.get(each.grant.id, 0), found.total_fen)
        for each in settling
    }


def _brought_to(settling: Settling, amount_fen: int, total_fen: int) -> tuple[LayerShare, ...]:
    shares = settling.shares(total_fen - amount_fen)
    if shares.total_fen < amount_fen:
        shares = settling.shares()
    if shares.total_fen == amount_fen:
        return shares.layers
    amounts = split(amount_fen, [layer.amount_fen for layer in shares.layers])
    return tuple(
        LayerShare(layer.layer_id, layer.funder, layer.ratio_basis_points, part)
        for layer, part in zip(shares.layers, amounts, strict=True)
    )


async def _settling(tx: Tx, held: HeldAmount, service_value_fen: int) -> Settling:
    hold, table = held.hold, tables.voucher_grant
    grant = await tx.one(Grant, select(*columns(Grant, table)).where(table.c.id == hold.grant_id))
    terms = await terms_of_version(tx, grant.programme_id, hold.terms_version)
    buyer = await organisation(tx, grant.organisation_id)
    provider = (await organisations(tx, [hold.provider_id]))[hold.provider_id]
    value_in_year = 0
    if terms.steps_over == "sme-year":
        values = await values_in_year(
            tx, [grant.id], hold.counted_year, hold.order_id, before_hold_id=hold.id
        )
        value_in_year = values.get(grant.id, 0)
    return settling_of(
        held,
        grant,
        terms,
        service_value_fen=service_value_fen,
        buyer_region=buyer.region_code,
        provider_region=provider.region_code,
        value_in_year_fen=value_in_year,
    )


def settling_of(
    held: HeldAmount,
    grant: Grant,
    terms: Terms,
    *,
    service_value_fen: int,
    buyer_region: str,
    provider_region: str,
    value_in_year_fen: int = 0,
) -> Settling:
    """A hold with all that its shares depend on."""
    purchase = Purchase(
        service_kind=held.hold.service_kind,
        buyer_region=buyer_region,
        provider_region=provider_region,
        beneficiary=grant.beneficiary,
        first_use=held.hold.first_use,
        value_in_year_fen=value_in_year_fen,
        persons=held.hold.persons or 0,
    )
    return Settling(held, terms, purchase, service_value_fen, grant)
