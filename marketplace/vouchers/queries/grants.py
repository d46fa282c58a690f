"""An SME's wallet, and what its vouchers would pay of a service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import func, select

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.parties.errors import OrganisationMissing
from marketplace.parties.queries import Pair, affiliation, organisation
from marketplace.parties.roles import Role
from marketplace.vouchers import tables
from marketplace.vouchers.queries.access import may_see
from marketplace.vouchers.queries.answers import (
    GrantAnswer,
    Together,
    answer_of,
    beside_sanctions,
    instruments_asked,
    part_told,
    together_of,
    use_of,
)
from marketplace.vouchers.queries.rows import Grant, VoucherPart, WalletVoucher
from marketplace.vouchers.queries.sanctions import barred
from marketplace.vouchers.queries.standings import (
    Counting,
    GrantStanding,
    balances_of_grants,
    grants_of,
    programmes_of,
    standings_of,
)


@dataclass(frozen=True, slots=True)
class VoucherQuestion:
    """What would the SME's vouchers pay of this service, on this day?

    `instead_of_order_id` is an order that would let go what is held for it, because it changes.
    `grant_ids` are the vouchers that the buyer chose; None: the combination that pays most.
    `persons` is how many the service trains.
    """

    organisation_id: int
    provider_id: int
    service_kind: str
    service_value_fen: int
    on: date
    instead_of_order_id: int | None = None
    instrument_id: int | None = None
    grant_ids: tuple[int, ...] | None = None
    persons: int = 0


async def wallet(tx: Tx, organisation_id: int) -> list[WalletVoucher]:
    """The vouchers of an SME: issued, frozen for orders, used, left, returned on the last day.

    Raises:
        OrganisationMissing: for another SME, and when there is none.
    """
    if not may_see(tx.actor, organisation_id):
        raise OrganisationMissing()
    await organisation(tx, organisation_id)
    return await vouchers_told(tx, await grants_of(tx, organisation_id))


async def vouchers_told(tx: Tx, grants: Sequence[Grant]) -> list[WalletVoucher]:
    """These grants in money words, with a fixed number of questions."""
    ids = [grant.id for grant in grants]
    used = await _used_by_grant(tx, ids)
    balances_by_grant = await balances_of_grants(tx, ids)
    programmes = await programmes_of(tx, grants, tx.today)
    found = []
    for grant in grants:
        balances = balances_by_grant[grant.id]
        of = programmes[grant.programme_id]
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
    """What the vouchers themselves paid, without what other regions paid beside them."""
    of, part, own = tables.redemption, tables.redemption_part, tables.grant_part
    rows = await tx.execute(
        select(of.c.grant_id, func.sum(part.c.amount_fen).label("amount_fen"))
        .join_from(of, part, part.c.redemption_id == of.c.id)
        .join(own, (own.c.grant_id == of.c.grant_id) & (own.c.layer_id == part.c.layer_id))
        .where(of.c.grant_id.in_(grant_ids), own.c.amount_fen > 0)
        .group_by(of.c.grant_id)
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
    """What the SME's vouchers would pay of the service, and why; 0 with the reasons if none.

    Policy: J.22b
    """
    return part_told(await best_together(tx, question))


async def best_together(tx: Tx, question: VoucherQuestion) -> Together:
    """The combination of the SME's grants that pays most; of equal ones what expires first.

    Of vouchers that the buyer chose, every one has to be usable.
    """
    sme = await organisation(tx, question.organisation_id)
    counting = Counting(
        sme.id,
        sme.legal_entity_id,
        question.instrument_id,
        question.on,
        question.instead_of_order_id,
    )
    standings = await standings_of(tx, sme.id, counting)
    if not standings:
        return Together((), (), ())
    provider = await organisation(tx, question.provider_id)
    pair = Pair(sme.legal_entity_id, provider.legal_entity_id)
    ties = {
        control: await affiliation(tx, pair, control)
        for control in {each.terms.common_control_basis_points for each in standings}
    }
    # Whom a sanction bars on the day of the order may hold no voucher for it.
    sanctioned = await barred(tx, [sme.id, provider.id], tx.today)
    known = await instruments_asked(
        tx, (each.terms for each in standings), [question.instrument_id]
    )
    instrument = known.get(question.instrument_id or 0)
    answers = []
    for standing in _chosen(standings, question.grant_ids):
        tie = ties[standing.terms.common_control_basis_points]
        use = use_of(question.service_kind, question.on, tx.today, sme, provider, tie, instrument)
        use = beside_sanctions(
            replace(use, persons=question.persons),
            standing,
            sanctioned,
            sme_id=sme.id,
            provider_id=question.provider_id,
        )
        answers.append(answer_of(standing, question.service_value_fen, use, sme))
    if question.grant_ids is not None:
        return _as_chosen(answers, question)
    return together_of(answers, question.service_value_fen)


def _chosen(
    standings: Sequence[GrantStanding], grant_ids: Sequence[int] | None
) -> list[GrantStanding]:
    return [each for each in standings if grant_ids is None or each.grant.id in grant_ids]


def _as_chosen(answers: Sequence[GrantAnswer], question: VoucherQuestion) -> Together:
    refused = tuple(each for each in answers if each.refusals)
    if refused or len(answers) < len(set(question.grant_ids or ())):
        return Together((), refused, (), _not_held(answers, question))
    return together_of(answers, question.service_value_fen)


def _not_held(answers: Sequence[GrantAnswer], question: VoucherQuestion) -> tuple[Reason, ...]:
    missing = sorted(set(question.grant_ids or ()) - {each.grant_id for each in answers})
    return tuple(
        Reason("voucher-chosen", f"The SME holds no voucher {each}.", asked=each, source="J.22b")
        for each in missing
    )
