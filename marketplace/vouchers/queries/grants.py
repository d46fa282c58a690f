"""An SME's wallet, and what its voucher would pay of a service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import func, select

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.parties.errors import OrganisationMissing
from marketplace.parties.queries import (
    Affiliation,
    Organisation,
    Pair,
    affiliation,
    organisation,
)
from marketplace.parties.roles import Role
from marketplace.vouchers import tables
from marketplace.vouchers.queries.access import may_see
from marketplace.vouchers.queries.balances import part_balances
from marketplace.vouchers.queries.programmes import programme
from marketplace.vouchers.queries.rows import (
    Grant,
    GrantPart,
    LayerPart,
    PartBalance,
    VoucherPart,
    WalletVoucher,
    columns,
)
from marketplace.vouchers.rules.shares import LayerRoom, VoucherShares, voucher_shares
from marketplace.vouchers.rules.states import HoldStatus
from marketplace.vouchers.rules.terms import Terms
from marketplace.vouchers.rules.usability import GrantOnDay, Use, reasons_not_to_pay

# An SME holds one grant per programme; more than this many at once is not a wallet.
GRANTS_MAX = 100


@dataclass(frozen=True, slots=True)
class VoucherQuestion:
    """What would the SME's voucher pay of this service, on this day?

    `instead_of_order_id` is an order that would let go what is held for it, because it changes.
    """

    organisation_id: int
    provider_id: int
    service_kind: str
    service_value_fen: int
    on: date
    instead_of_order_id: int | None = None


@dataclass(frozen=True, slots=True)
class GrantStanding:
    """A grant with its terms and the accounts that its money lies on."""

    grant: Grant
    terms: Terms
    balances: tuple[PartBalance, ...]

    def with_freed(self, freed: Mapping[int, int]) -> GrantStanding:
        """The same grant once these amounts, by grant part, are held no more."""
        return replace(
            self,
            balances=tuple(
                replace(
                    each,
                    available_fen=each.available_fen + freed.get(each.part.id, 0),
                    held_fen=each.held_fen - freed.get(each.part.id, 0),
                )
                for each in self.balances
            ),
        )


@dataclass(frozen=True, slots=True)
class GrantAnswer:
    """What one grant would pay, with the accounts that the money lies on."""

    grant: Grant
    terms: Terms
    balances: tuple[PartBalance, ...]
    shares: VoucherShares
    refusals: tuple[Reason, ...]

    @property
    def total_fen(self) -> int:
        """What it pays: nothing when there is a reason not to."""
        return 0 if self.refusals else self.shares.total_fen


async def grant_parts_of(tx: Tx, grant_ids: Sequence[int]) -> list[GrantPart]:
    """The parts of these grants with what their layers say."""
    part, layer = tables.grant_part, tables.programme_layer
    return await tx.all(
        GrantPart,
        select(
            part.c.id,
            part.c.grant_id,
            part.c.layer_id,
            part.c.amount_fen,
            layer.c.funder,
            layer.c.region_code,
            layer.c.ratio_basis_points,
        )
        .join_from(part, layer, layer.c.id == part.c.layer_id)
        .where(part.c.grant_id.in_(grant_ids))
        .order_by(part.c.id),
    )


async def balances_of_grants(tx: Tx, grant_ids: Sequence[int]) -> dict[int, list[PartBalance]]:
    """What is left and frozen of each layer of these grants."""
    return await part_balances(tx, await grant_parts_of(tx, grant_ids))


async def grants_of(tx: Tx, organisation_id: int) -> list[Grant]:
    """The grants of an SME, the newest first."""
    table = tables.voucher_grant
    return await tx.all(
        Grant,
        select(*columns(Grant, table))
        .where(table.c.organisation_id == organisation_id)
        .order_by(table.c.id.desc())
        .limit(GRANTS_MAX),
    )


async def wallet(tx: Tx, organisation_id: int) -> list[WalletVoucher]:
    """The vouchers of an SME: issued, frozen for orders, used, left, returned on the last day.

    Raises:
        OrganisationMissing: for another SME, and when there is none.
    """
    if not may_see(tx.actor, organisation_id):
        raise OrganisationMissing()
    await organisation(tx, organisation_id)
    grants = await grants_of(tx, organisation_id)
    used = await _used_by_grant(tx, [grant.id for grant in grants])
    found = []
    balances_by_grant = await balances_of_grants(tx, [grant.id for grant in grants])
    for grant in grants:
        balances = balances_by_grant[grant.id]
        of = await programme(tx, grant.programme_id)
        left = sum(each.available_fen for each in balances)
        frozen = sum(each.held_fen for each in balances)
        spent = used.get(grant.id, 0)
        found.append(
            WalletVoucher(
                grant=grant,
                programme_name=of.name,
                programme_name_en=of.name_en,
                issued_fen=grant.amount_fen,
                frozen_fen=frozen,
                used_fen=spent,
                left_fen=left,
                returned_fen=grant.amount_fen - spent - left - frozen,
                expires_in_days=max((grant.valid_until - tx.today).days, 0),
            )
        )
    return found


async def _used_by_grant(tx: Tx, grant_ids: Sequence[int]) -> dict[int, int]:
    table = tables.redemption.c
    rows = await tx.execute(
        select(table.grant_id, func.sum(table.amount_fen - table.returned_fen).label("amount_fen"))
        .where(table.grant_id.in_(grant_ids))
        .group_by(table.grant_id)
    )
    return {row.grant_id: int(row.amount_fen) for row in rows}


async def visible_voucher_part(tx: Tx, question: VoucherQuestion) -> VoucherPart:
    """`voucher_part` for the SME itself, a station that orders for it, and the centre.

    Raises:
        OrganisationMissing: for everybody else.
    """
    if not may_see(tx.actor, question.organisation_id) and not tx.actor.has(Role.STATION_AGENT):
        raise OrganisationMissing()
    return await voucher_part(tx, question)


async def voucher_part(tx: Tx, question: VoucherQuestion) -> VoucherPart:
    """What the SME's best voucher would pay of the service, and why; 0 with every reason if none.

    Policy: J.22b
    """
    return part_told(await best_grant(tx, question))


def part_told(answer: GrantAnswer | None) -> VoucherPart:
    """The answer of the best grant in the words of an SME; None where there is no grant."""
    if answer is None:
        nothing = Reason("voucher", "The SME holds no voucher.", source="J.22b")
        return VoucherPart(None, 0, (), (), (nothing,))
    if answer.refusals:
        return VoucherPart(None, 0, (), (), answer.refusals)
    source = answer.terms.source_of("layers")
    layers = tuple(
        LayerPart(share.layer_id, share.funder, share.ratio_basis_points, share.amount_fen, source)
        for share in answer.shares.layers
    )
    return VoucherPart(answer.grant.id, answer.total_fen, layers, answer.shares.explanation, ())


async def best_grant(tx: Tx, question: VoucherQuestion) -> GrantAnswer | None:
    """The grant that pays most; of equal ones the one that expires first.

    A grant that may not pay is the answer only when no other may: its reasons say why.
    """
    standings = await standings_of(tx, question.organisation_id)
    if not standings:
        return None
    if question.instead_of_order_id is not None:
        freed = await _held_for(tx, question.instead_of_order_id)
        standings = [standing.with_freed(freed) for standing in standings]
    sme = await organisation(tx, question.organisation_id)
    provider = await organisation(tx, question.provider_id)
    answers = []
    for standing in standings:
        tie = await affiliation(
            tx,
            Pair(sme.legal_entity_id, provider.legal_entity_id),
            standing.terms.common_control_basis_points,
        )
        use = use_of(question.service_kind, question.on, sme, provider, tie)
        answers.append(answer_of(standing, question.service_value_fen, use))
    return best_of(answers)


async def _held_for(tx: Tx, order_id: int) -> dict[int, int]:
    """What is held for an order, by grant part."""
    held, part = tables.voucher_hold, tables.voucher_hold_part
    rows = await tx.execute(
        select(part.c.grant_part_id, part.c.amount_fen)
        .join_from(held, part, part.c.hold_id == held.c.id)
        .where(held.c.order_id == order_id, held.c.status == HoldStatus.HELD)
    )
    return {row.grant_part_id: row.amount_fen for row in rows}


def best_of(answers: Sequence[GrantAnswer]) -> GrantAnswer | None:
    """Of several answers the one that pays most, then the one that expires first."""
    usable = [each for each in answers if not each.refusals]
    if usable:
        return min(
            usable, key=lambda each: (-each.total_fen, each.grant.valid_until, each.grant.id)
        )
    return answers[0] if answers else None


async def standings_of(tx: Tx, organisation_id: int) -> list[GrantStanding]:
    """The SME's grants with their terms and what is left of them."""
    grants = await grants_of(tx, organisation_id)
    balances = await balances_of_grants(tx, [grant.id for grant in grants])
    found = []
    for grant in grants:
        of = await programme(tx, grant.programme_id)
        found.append(GrantStanding(grant, of.agreed, tuple(balances[grant.id])))
    return found


def answer_of(standing: GrantStanding, service_value_fen: int, use: Use) -> GrantAnswer:
    """What the grant would pay of a service of this value, or why not. Policy: J.22b"""
    terms = standing.terms
    rooms = [
        LayerRoom(
            each.part.layer_id,
            each.part.funder,
            each.part.ratio_basis_points,
            each.available_fen,
        )
        for each in standing.balances
    ]
    shares = voucher_shares(service_value_fen, rooms, terms)
    grant = standing.grant
    refusals = reasons_not_to_pay(
        use,
        GrantOnDay(grant.status, grant.valid_until, sum(room.room_fen for room in rooms)),
        terms,
    )
    if not refusals and shares.total_fen == 0:
        refusals = [
            Reason(
                "amount",
                "The voucher's part of this amount is less than one fen.",
                asked=service_value_fen,
                source=terms.source_of("layers"),
            )
        ]
    return GrantAnswer(grant, terms, standing.balances, shares, tuple(refusals))


def use_of(
    service_kind: str,
    on: date,
    sme: Organisation,
    provider: Organisation,
    tie: Affiliation | None,
) -> Use:
    """What the registers know of a use on its day."""
    return Use(
        on=on,
        service_kind=service_kind,
        sme_suspended=sme.suspended_at is not None,
        provider_suspended=provider.suspended_at is not None,
        affiliated_by=None if tie is None else tie.detail.rstrip("."),
    )
