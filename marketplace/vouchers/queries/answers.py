"""What grants would pay of a service: each alone, and together in the way that pays most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from marketplace.catalogue.queries import Instrument, instruments
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.money import split, yuan
from marketplace.parties.queries import Affiliation, Organisation
from marketplace.vouchers.queries.rows import LayerPart, PartBalance, VoucherPart, VoucherShare
from marketplace.vouchers.queries.standings import GrantStanding
from marketplace.vouchers.rules.combination import Combination, Payer, combine, in_order
from marketplace.vouchers.rules.regions import lies_in
from marketplace.vouchers.rules.shares import (
    Purchase,
    VoucherShares,
    voucher_shares,
)
from marketplace.vouchers.rules.terms import Terms
from marketplace.vouchers.rules.usability import (
    GrantOnDay,
    Use,
    asks_for_instruments,
    reasons_not_to_pay,
)

NO_VOUCHER = Reason("voucher", "The SME holds no voucher.", source="J.22b")


@dataclass(frozen=True, slots=True)
class GrantAnswer:
    """What one grant would pay, with the accounts that the money lies on, or why it may not."""

    standing: GrantStanding
    purchase: Purchase
    shares: VoucherShares
    refusals: tuple[Reason, ...]

    @property
    def grant_id(self) -> int:
        """Which grant."""
        return self.standing.grant.id

    @property
    def balances(self) -> tuple[PartBalance, ...]:
        """The accounts of its layers, and of those of other regions."""
        return (*self.standing.balances, *self.standing.hosts)

    @property
    def total_fen(self) -> int:
        """What it pays: nothing when there is a reason not to."""
        return 0 if self.refusals else self.shares.total_fen


@dataclass(frozen=True, slots=True)
class Together:
    """What the SME's grants pay of one service together; nobody pays where all have reasons."""

    paying: tuple[GrantAnswer, ...]
    refused: tuple[GrantAnswer, ...]
    explanation: tuple[str, ...]
    not_held: tuple[Reason, ...] = ()
    """Of vouchers that the buyer chose, those that it does not hold."""

    @property
    def total_fen(self) -> int:
        """All vouchers together."""
        return sum(each.total_fen for each in self.paying)

    @property
    def refusals(self) -> tuple[Reason, ...]:
        """Why nothing is paid: the reasons of the newest grant, as it is the one that is meant."""
        if self.paying:
            return ()
        of_grant = self.refused[0].refusals if self.refused else ()
        return (*self.not_held, *of_grant) or (NO_VOUCHER,)


def use_of(
    service_kind: str,
    on: date,
    today: date,
    sme: Organisation,
    provider: Organisation,
    tie: Affiliation | None,
    instrument: Instrument | None = None,
) -> Use:
    """What the registers know of a use on its day."""
    return Use(
        on=on,
        service_kind=service_kind,
        sme_suspended=sme.suspended_at is not None,
        provider_suspended=provider.suspended_at is not None,
        affiliated_by=None if tie is None else tie.detail.rstrip("."),
        ordered_on=today,
        sme_region=sme.region_code,
        provider_region=provider.region_code,
        instrument_category=None if instrument is None else instrument.category_code,
        instrument_worth_fen=None if instrument is None else instrument.worth_fen,
    )


async def instruments_asked(
    tx: Tx, agreed: Iterable[Terms], instrument_ids: Iterable[int | None]
) -> dict[int, Instrument]:
    """These instruments, where some of the terms ask for a class or a worth; else none."""
    if not any(asks_for_instruments(each) for each in agreed):
        return {}
    return await instruments(tx, {each for each in instrument_ids if each is not None})


def beside_sanctions(
    use: Use,
    standing: GrantStanding,
    barred: Mapping[int, frozenset[int | None]],
    *,
    sme_id: int,
    provider_id: int,
) -> Use:
    """The use as sanctions leave it; `barred` names the programmes of each party, None for all."""
    of_programme = {None, standing.programme.id}
    return replace(
        use,
        sme_barred=not of_programme.isdisjoint(barred.get(sme_id, ())),
        provider_barred=not of_programme.isdisjoint(barred.get(provider_id, ())),
    )


def purchase_of(standing: GrantStanding, use: Use, sme: Organisation) -> Purchase:
    """What the shares of a grant depend on, besides the value of the service."""
    return Purchase(
        service_kind=use.service_kind,
        buyer_region=sme.region_code,
        provider_region=use.provider_region or "",
        beneficiary=standing.grant.beneficiary,
        first_use=standing.first_use,
        value_in_year_fen=standing.value_in_year_fen,
        spent=standing.spent,
        persons=use.persons,
    )


def answer_of(
    standing: GrantStanding, service_value_fen: int, use: Use, sme: Organisation
) -> GrantAnswer:
    """What the grant alone would pay of a service of this value, or why not. Policy: J.22b"""
    terms, grant, rooms = standing.terms, standing.grant, standing.rooms
    purchase = purchase_of(standing, use, sme)
    shares = voucher_shares(service_value_fen, rooms, terms, purchase)
    refusals = reasons_not_to_pay(
        replace(use, service_value_fen=service_value_fen),
        GrantOnDay(grant.status, grant.valid_until, standing.left_fen),
        terms,
    )
    if not refusals and shares.total_fen == 0:
        refusals = [_nothing(terms, service_value_fen, shares)]
    return GrantAnswer(standing, purchase, shares, tuple(refusals))


def _nothing(terms: Terms, service_value_fen: int, shares: VoucherShares) -> Reason:
    why = "The voucher's part of this amount is less than one fen."
    if service_value_fen and len(shares.explanation) > len(shares.layers):
        why = f"The voucher pays nothing of this: {shares.explanation[-1]}"
    return Reason("amount", why, asked=service_value_fen, source=terms.source_of("layers"))


def together_of(answers: Sequence[GrantAnswer], service_value_fen: int) -> Together:
    """The legal combination that pays most of the service. Policy: J.22b"""
    usable = [each for each in answers if not each.refusals]
    refused = tuple(each for each in answers if each.refusals)
    if not usable:
        return Together((), refused, ())
    payers = [payer_of(each, usable, service_value_fen) for each in usable]
    found = combine(service_value_fen, payers)
    by_id = {each.grant_id: each for each in usable}
    paying = tuple(
        brought_to(by_id[payer.grant_id], service_value_fen, found)
        for payer in in_order(payers)
        if payer.grant_id in found.paid_fen
    )
    said = [sentence for each in paying for sentence in _told(each, several=len(paying) > 1)]
    if len(usable) > 1:
        said += found.explanation
    return Together(paying, refused, tuple(said))


def _told(answer: GrantAnswer, *, several: bool) -> list[str]:
    name = answer.standing.programme.name_en or answer.standing.programme.name
    return [f"{name}: {each}" if several else each for each in answer.shares.explanation]


def payer_of(answer: GrantAnswer, others: Sequence[GrantAnswer], service_value_fen: int) -> Payer:
    """A grant as the search for the best combination sees it."""
    standing, terms = answer.standing, answer.standing.terms
    stacking = terms.stacking
    beside = None
    if stacking.on_rest or stacking.deduct_times:

        def beside(others_fen: int) -> int:
            return shares_beside(answer, service_value_fen, others_fen).total_fen

    return Payer(
        grant_id=answer.grant_id,
        name=standing.programme.name_en or standing.programme.name,
        valid_until=standing.grant.valid_until,
        most_fen=answer.shares.total_fen,
        piece_fen=terms.face_value_fen or (terms.round_to_fen if terms.round_to_fen > 1 else 0),
        never_with={
            other.grant_id: clause
            for other in others
            if other is not answer and (clause := _excluded(standing, other.standing)) is not None
        },
        beside=beside,
        together_max_basis_points=stacking.together_max_basis_points,
        used_up_first=frozenset(
            other.grant_id
            for other in others
            if terms.oldest_first
            and other.standing.programme.code == standing.programme.code != ""
            and other.grant_id < answer.grant_id
        ),
    )


def shares_beside(answer: GrantAnswer, service_value_fen: int, others_fen: int) -> VoucherShares:
    """What the grant pays beside others that pay so much."""
    standing = answer.standing
    purchase = replace(answer.purchase, others_fen=others_fen)
    return voucher_shares(service_value_fen, standing.rooms, standing.terms, purchase)


def _excluded(standing: GrantStanding, other: GrantStanding) -> str | None:
    """The clause by which the terms of one programme exclude the other, or None."""
    stacking = standing.terms.stacking
    source = standing.terms.sources.get("stacking") or "J.22b"
    if other.programme.code and other.programme.code in stacking.excludes_programmes:
        return source
    if stacking.excludes_funders & {each.part.funder for each in other.balances}:
        return source
    return None


def brought_to(answer: GrantAnswer, service_value_fen: int, found: Combination) -> GrantAnswer:
    """The answer with what it pays in the combination, layer by layer."""
    amount = found.paid_fen[answer.grant_id]
    shares = answer.shares
    if amount == shares.total_fen:
        return answer
    stacking = answer.standing.terms.stacking
    if stacking.on_rest or stacking.deduct_times:
        shares = shares_beside(answer, service_value_fen, found.total_fen - amount)
        shares = shares if shares.total_fen >= amount else answer.shares
    amounts = split(amount, [layer.amount_fen for layer in shares.layers])
    layers = tuple(
        replace(layer, amount_fen=part) for layer, part in zip(shares.layers, amounts, strict=True)
    )
    return replace(answer, shares=VoucherShares(layers, shares.explanation))


def part_told(found: Together) -> VoucherPart:
    """What the vouchers pay in the words of an SME; 0 with the reasons where none may."""
    if not found.paying:
        return VoucherPart(None, 0, (), (), found.refusals)
    vouchers = tuple(
        VoucherShare(
            each.grant_id,
            each.standing.programme.name,
            each.standing.programme.name_en,
            each.standing.grant.valid_until,
            each.total_fen,
        )
        for each in found.paying
    )
    return VoucherPart(
        found.paying[0].grant_id,
        found.total_fen,
        tuple(layer for each in found.paying for layer in layer_parts(each)),
        found.explanation,
        (),
        vouchers,
    )


def spent_hosts(found: Together) -> tuple[Reason, ...]:
    """Where the provider's region takes over less than its part, having used up its budget."""
    reasons = []
    for answer in found.paying:
        terms, agreed = answer.standing.terms, answer.standing.terms.cost_split
        if agreed is None:
            continue
        paid = {each.layer_id: each.amount_fen for each in answer.shares.layers}
        home_fen = sum(paid[each.part.layer_id] for each in answer.standing.balances)
        for host in answer.standing.hosts:
            part_fen = home_fen * agreed.host_parts // agreed.home_parts
            if host.available_fen >= part_fen or not lies_in(
                answer.purchase.provider_region, host.part.region_code
            ):
                continue
            reasons.append(
                Reason(
                    "host-budget",
                    f"The region {host.part.region_code} has {yuan(host.available_fen)} CNY left of"
                    " its budget for guests: pay the rest yourself, or buy from a provider of your"
                    " own region.",
                    limit=host.available_fen,
                    asked=part_fen,
                    source=terms.source_of("cost_split"),
                )
            )
    return tuple(reasons)


def layer_parts(answer: GrantAnswer) -> tuple[LayerPart, ...]:
    """What each funder pays."""
    source = answer.standing.terms.source_of("layers")
    return tuple(
        LayerPart(share.layer_id, share.funder, share.ratio_basis_points, share.amount_fen, source)
        for held, share in zip(answer.balances, answer.shares.layers, strict=True)
        if share.amount_fen or held.part.amount_fen
    )
