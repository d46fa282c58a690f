"""What a voucher pays of a service: ratio by layer and step, caps, and never more than all of it.

Each layer pays its ratio of the service value, so no layer pays what another paid. The ratio of a
step applies to the part of the value inside the step. Rounding is down and once per layer: a cap
or a budget met by rounding up is one that was passed.
"""

from __future__ import annotations

from collections.abc import Sequence

from marketplace.kernel.money import BASIS_POINTS, share, split, yuan
from marketplace.vouchers.rules.limits import ALONE, Cap, CapScope, Rate
from marketplace.vouchers.rules.purchases import (
    UNSAID,
    LayerRoom,
    LayerShare,
    Purchase,
    Spent,
    VoucherShares,
)
from marketplace.vouchers.rules.regions import lies_in, lies_in_any
from marketplace.vouchers.rules.terms import Step, Terms

__all__ = [
    "UNSAID",
    "LayerRoom",
    "LayerShare",
    "Purchase",
    "Sharing",
    "Spent",
    "VoucherShares",
    "grant_parts",
    "voucher_shares",
    "weighted_value",
]

CAPPED_AT_ORDERS = (
    CapScope.ORDER,
    CapScope.PERSON,
    CapScope.SME_YEAR,
    CapScope.GROUP_YEAR,
    CapScope.INSTRUMENT_YEAR,
)
"""The scopes that an order's voucher money is added up over; the others are met by grants."""

SCOPE_WORDS = {
    CapScope.ORDER: "order",
    CapScope.PERSON: "person trained",
    CapScope.SME_YEAR: "SME and year",
    CapScope.GROUP_YEAR: "controlling group and year",
    CapScope.INSTRUMENT_YEAR: "instrument and year",
}


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
    service_value_fen: int,
    rooms: Sequence[LayerRoom],
    terms: Terms,
    purchase: Purchase = UNSAID,
) -> VoucherShares:
    """What each layer pays of `service_value_fen`.

    In this order: each layer's ratio, by kind, region and first use, of what the steps count; of
    layers that exclude each other the one that pays most; less what other programmes pay where
    they are deducted; together at most the whole service, or what the programme says; at most
    every cap (shared by largest remainder); split with the provider's region; each layer at most
    what it has left; whole vouchers.

    Policy: J.22b
    """
    said: list[str] = []
    ratios, amounts = Sharing(terms).amounts(service_value_fen, rooms, purchase, said)
    layers = tuple(
        LayerShare(room.layer_id, room.funder, ratio, amount)
        for room, ratio, amount in zip(rooms, ratios, amounts, strict=True)
    )
    return VoucherShares(layers, tuple(said))


class Sharing:
    """The sharing of service values under one programme's terms, made ready for many of them."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._stepped = any(step.ratio_basis_points != BASIS_POINTS for step in terms.steps)
        self._flat = not self._stepped and any(step.up_to_fen is None for step in terms.steps)
        self._caps: dict[tuple[str, bool], list[Cap]] = {}

    def amounts(
        self,
        service_value_fen: int,
        rooms: Sequence[LayerRoom],
        purchase: Purchase = UNSAID,
        said: list[str] | None = None,
    ) -> tuple[list[int], list[int]]:
        """Each layer's ratio, and what it pays; the sentences that say why go to `said`."""
        terms = self._terms
        base = service_value_fen
        if terms.stacking.on_rest:
            base = max(base - purchase.others_fen, 0)
        hosts = self._hosts(rooms, purchase)
        if terms.rates:
            ratios = [self.ratio(room, purchase) for room in rooms]
        else:
            ratios = [room.ratio_basis_points for room in rooms]
        weighted = self._weighted(base, purchase.value_in_year_fen)
        amounts = [weighted * ratio // (BASIS_POINTS * BASIS_POINTS) for ratio in ratios]
        for index in hosts:
            amounts[index] = 0
        if said is not None:
            self._say_ratios(said, base, rooms, ratios, amounts, hosts, purchase)
        self._exclude(amounts, rooms, said)
        self._stay_within_price(amounts, service_value_fen, purchase, said)
        self._stay_within_caps(amounts, rooms, purchase, said)
        if terms.cost_split is not None:
            self._split_costs(amounts, rooms, hosts, purchase, said)
            self._stay_within_caps(amounts, rooms, purchase, said)
        for index, room in enumerate(rooms):
            if amounts[index] > room.room_fen:
                amounts[index] = max(room.room_fen, 0)
                if said is not None:
                    said.append(f"{room.funder.title()}: only {yuan(amounts[index])} CNY is left.")
        self._keep_split(amounts, hosts, said)
        return ratios, self._whole(amounts, said)

    def ratio(self, room: LayerRoom, purchase: Purchase) -> int:
        """The ratio of a layer for this purchase: of the first rate that fits, or its own."""
        rate = self._rate(room, purchase)
        return room.ratio_basis_points if rate is None else rate.ratio_basis_points

    def _rate(self, room: LayerRoom, purchase: Purchase) -> Rate | None:
        for rate in self._terms.rates:
            if (
                (rate.funder is None or rate.funder == room.funder)
                and (not rate.service_kinds or purchase.service_kind in rate.service_kinds)
                and lies_in_any(purchase.buyer_region, rate.buyer_regions)
                and lies_in_any(purchase.provider_region, rate.provider_regions)
                and (not rate.beneficiaries or purchase.beneficiary in rate.beneficiaries)
                and (rate.first_use is None or rate.first_use == purchase.first_use)
            ):
                return rate
        return None

    def _weighted(self, base: int, value_in_year_fen: int) -> int:
        if self._flat:
            return base * BASIS_POINTS
        if self._terms.steps_over == "sme-year":
            steps = self._terms.steps
            before = weighted_value(value_in_year_fen, steps)
            return weighted_value(value_in_year_fen + base, steps) - before
        return weighted_value(base, self._terms.steps)

    def _hosts(self, rooms: Sequence[LayerRoom], purchase: Purchase) -> list[int]:
        """The layers of other regions than the buyer's, where costs are split between regions."""
        if self._terms.cost_split is None:
            return []
        return [
            index
            for index, room in enumerate(rooms)
            if not lies_in(purchase.buyer_region, room.region_code)
        ]

    def _exclude(
        self, amounts: list[int], rooms: Sequence[LayerRoom], said: list[str] | None
    ) -> None:
        for funders in self._terms.stacking.exclusive_layers:
            rivals = [index for index, room in enumerate(rooms) if room.funder in funders]
            paying = [index for index in rivals if amounts[index]]
            if len({rooms[index].funder for index in paying}) < 2:
                continue
            best = max(paying, key=lambda index: (amounts[index], -index))
            for index in rivals:
                if rooms[index].funder != rooms[best].funder:
                    amounts[index] = 0
            if said is not None:
                named = " and ".join(sorted(funders))
                said.append(
                    f"Layers of {named} exclude each other: the {rooms[best].funder} pays most."
                )

    def _stay_within_price(
        self,
        amounts: list[int],
        service_value_fen: int,
        purchase: Purchase,
        said: list[str] | None,
    ) -> None:
        stacking, others = self._terms.stacking, purchase.others_fen
        if stacking is ALONE and sum(amounts) + others <= service_value_fen:
            return
        if stacking.deduct_times and others:
            rest = max(sum(amounts) - stacking.deduct_times * others, 0)
            sentence = (
                f"Other programmes pay {yuan(others)} CNY, which is taken off"
                f" {stacking.deduct_times} times."
            )
            _bring_to(amounts, range(len(amounts)), rest, sentence, said)
        together = share(service_value_fen, stacking.together_max_basis_points, "down") - others
        if stacking.together_max_basis_points == BASIS_POINTS:
            sentence = "All layers together pay at most the whole service."
        else:
            percent = f"{stacking.together_max_basis_points / 100:g} %"
            sentence = f"All programmes together pay at most {percent} of the service."
        _bring_to(amounts, range(len(amounts)), together, sentence, said)

    def _stay_within_caps(
        self,
        amounts: list[int],
        rooms: Sequence[LayerRoom],
        purchase: Purchase,
        said: list[str] | None,
    ) -> None:
        paid_fen = sum(amounts)
        for cap in self.caps(purchase.beneficiary, first_use=purchase.first_use):
            if cap.service_kinds and purchase.service_kind not in cap.service_kinds:
                continue
            spent = purchase.spent.get((cap.scope, cap.funder), 0)
            of_person = cap.scope is CapScope.PERSON
            limit = cap.amount_fen * (purchase.persons if of_person else 1) - spent
            if paid_fen <= limit:
                continue
            layers = [
                index
                for index, room in enumerate(rooms)
                if cap.funder is None or room.funder == cap.funder
            ]
            if sum([amounts[index] for index in layers]) <= limit:
                continue
            of = "" if cap.funder is None else f"{cap.funder.title()}: "
            before = f", of which {yuan(spent)} CNY are used" if spent else ""
            if of_person:
                before = f", and there are {purchase.persons}"
            source = f" ({cap.source})" if cap.source else ""
            sentence = (
                f"{of}{'a' if of else 'A'}t most {yuan(cap.amount_fen)} CNY per"
                f" {SCOPE_WORDS[cap.scope]}{before}{source}."
            )
            _bring_to(amounts, layers, limit, sentence, said)
            paid_fen = sum(amounts)

    def caps(self, beneficiary: str, *, first_use: bool) -> list[Cap]:
        """The caps that an order of such a buyer meets, those of single funders first."""
        found = self._caps.get((beneficiary, first_use))
        if found is None:
            found = [
                cap
                for scope in CAPPED_AT_ORDERS
                for cap in self._terms.caps_on(scope, beneficiary=beneficiary, first_use=first_use)
            ]
            found.sort(key=lambda cap: cap.funder is None)
            self._caps[beneficiary, first_use] = found
        return found

    def _split_costs(
        self,
        amounts: list[int],
        rooms: Sequence[LayerRoom],
        hosts: Sequence[int],
        purchase: Purchase,
        said: list[str] | None,
    ) -> None:
        terms = self._terms
        agreed = terms.cost_split
        together = sum(amounts)
        here = any(
            amount and lies_in(purchase.provider_region, room.region_code)
            for room, amount in zip(rooms, amounts, strict=True)
        )
        if agreed is None or not together or not purchase.provider_region or here:
            return
        # A region that has spent its budget takes over nothing, like one that is not in it.
        paying = [
            i
            for i in hosts
            if rooms[i].room_fen > 0 and lies_in(purchase.provider_region, rooms[i].region_code)
        ]
        if not paying and agreed.without_host == "home-pays-all":
            return
        of = agreed.home_parts + agreed.host_parts
        host_fen = together * agreed.host_parts // of
        homes = split(together - host_fen, amounts)
        amounts[:] = homes
        if paying:
            # Of several layers of the provider's region the narrowest is the one that agreed.
            amounts[max(paying, key=lambda i: len(rooms[i].region_code.rstrip("0")))] += host_fen
        if said is not None:
            whose = f"{yuan(host_fen)} CNY" if paying else "nothing, having no layer,"
            said.append(
                f"The regions split the cost {agreed.home_parts} to {agreed.host_parts}:"
                f" the SME's pays {yuan(sum(homes))} CNY, the provider's {whose}."
            )

    def _keep_split(self, amounts: list[int], hosts: Sequence[int], said: list[str] | None) -> None:
        """The provider's region pays beside the voucher, and so no more than its parts of it."""
        agreed = self._terms.cost_split
        host_fen = sum(amounts[index] for index in hosts)
        if agreed is None or not host_fen:
            return
        home_fen = sum(amounts) - host_fen
        # Rounded up, as the SME's region pays what the split rounds off the other one.
        limit = -(-home_fen * agreed.host_parts // agreed.home_parts)
        sentence = (
            f"The provider's region pays {agreed.host_parts} for {agreed.home_parts} of what"
            f" is left of the voucher."
        )
        _bring_to(amounts, hosts, limit, sentence, said)

    def _whole(self, amounts: list[int], said: list[str] | None) -> list[int]:
        terms = self._terms
        unit = terms.face_value_fen or terms.round_to_fen
        together = sum(amounts)
        if unit == 1 or together % unit == 0:
            return amounts
        whole = together // unit * unit
        if said is not None and terms.face_value_fen:
            said.append(
                f"Vouchers of {yuan(unit)} CNY are used whole: {whole // unit} of them are"
                f" {yuan(whole)} CNY."
            )
        elif said is not None:
            said.append(f"Rounded down to a multiple of {yuan(unit)} CNY: {yuan(whole)} CNY.")
        return split(whole, amounts)

    def _say_ratios(
        self,
        said: list[str],
        base_fen: int,
        rooms: Sequence[LayerRoom],
        ratios: Sequence[int],
        amounts: Sequence[int],
        hosts: Sequence[int],
        purchase: Purchase,
    ) -> None:
        for index, room in enumerate(rooms):
            if index not in hosts:
                said.append(
                    self._ratio_sentence(room, ratios[index], amounts[index], base_fen, purchase)
                )

    def _ratio_sentence(
        self, room: LayerRoom, ratio: int, amount: int, base_fen: int, purchase: Purchase
    ) -> str:
        percent = f"{ratio / 100:g} %"
        how = "and less above the steps is" if self._stepped else "is"
        rate = self._rate(room, purchase)
        source = self._terms.source_of("ratio_steps" if self._stepped else "layers")
        if rate is not None:
            source = rate.source or self._terms.source_of("rates")
        return (
            f"{room.funder.title()}: {percent} of {yuan(base_fen)} CNY {how}"
            f" {yuan(amount)} CNY ({source})."
        )


def _bring_to(
    amounts: list[int], layers: Sequence[int], limit: int, sentence: str, said: list[str] | None
) -> None:
    """Bring what these layers pay together down to a limit, by largest remainder."""
    paid = [amounts[index] for index in layers]
    if sum(paid) <= limit:
        return
    for index, part in zip(layers, split(max(limit, 0), paid), strict=True):
        amounts[index] = part
    if said is not None:
        said.append(sentence)


def grant_parts(amount_fen: int, ratios: Sequence[int]) -> list[int]:
    """A granted amount split over the layers by their ratios, so that they run out together."""
    return split(amount_fen, ratios)
