"""Which of several vouchers pay for one service, and how much each.

Of all legal combinations the one that pays most; of equal ones the one that takes most from the
voucher that expires first, then the next. A voucher in pieces of a face value pays whole pieces
only. Vouchers that may not stand together never both pay. Together they pay at most the service.

Policy: J.22b
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations

from marketplace.kernel.money import BASIS_POINTS, yuan

VOUCHERS_MAX = 8
"""How many vouchers one order may take; a search over more is not worth its time."""


@dataclass(frozen=True, slots=True)
class Payer:
    """A voucher that may pay for the service, and how much it would pay alone."""

    grant_id: int
    name: str
    valid_until: date
    most_fen: int
    piece_fen: int = 0
    """It pays in whole pieces of this; 0 when any amount will do."""
    never_with: Mapping[int, str] = field(default_factory=dict)
    """The vouchers with which it may not pay for one order, and the clause that says so."""
    beside: Callable[[int], int] | None = None
    """The most it pays beside others that pay so much; None when that changes nothing."""
    together_max_basis_points: int = BASIS_POINTS
    """What all vouchers together may pay of the service where this is one of them."""
    used_up_first: frozenset[int] = frozenset()
    """The older vouchers that have to pay all they may before this one pays."""

    @property
    def whole_fen(self) -> int:
        """The most it can pay, in whole pieces."""
        return self.in_pieces(self.most_fen)

    def in_pieces(self, amount_fen: int) -> int:
        """The whole pieces in an amount."""
        return amount_fen - amount_fen % self.piece_fen if self.piece_fen else amount_fen


@dataclass(frozen=True, slots=True)
class Combination:
    """What each voucher pays, those that pay first, and a sentence for every voucher."""

    paid_fen: Mapping[int, int]
    explanation: tuple[str, ...]

    @property
    def total_fen(self) -> int:
        """All vouchers together."""
        return sum(self.paid_fen.values())


def in_order(payers: Sequence[Payer]) -> list[Payer]:
    """The one that expires first comes first, but after those that have to be used up first."""
    until = {each.grant_id: each.valid_until for each in payers}
    for each in payers:
        for older in each.used_up_first & until.keys():
            until[older] = min(until[older], each.valid_until)
    return sorted(
        payers, key=lambda each: (until[each.grant_id], bool(each.used_up_first), each.grant_id)
    )


def combine(service_value_fen: int, payers: Sequence[Payer]) -> Combination:
    """The best legal combination of at most `VOUCHERS_MAX` vouchers for one service.

    A voucher that is used pays all it may beside the others.

    Policy: J.22b
    """
    looked_at = sorted(
        (each for each in payers if each.whole_fen > 0),
        key=lambda each: (-each.whole_fen, each.valid_until, each.grant_id),
    )[:VOUCHERS_MAX]
    ordered = in_order(looked_at)
    best: tuple[int, ...] = (0,) * len(ordered)
    for together in _together(ordered):
        found = [0] * len(ordered)
        for index, amount_fen in _paid(service_value_fen, ordered, together).items():
            found[index] = amount_fen
        if not _out_of_turn(ordered, found):
            best = max(best, tuple(found), key=lambda each: (sum(each), each))
    paid = {each.grant_id: amount for each, amount in zip(ordered, best, strict=True) if amount > 0}
    return Combination(paid, _sentences(service_value_fen, payers, paid))


def _together(ordered: Sequence[Payer]) -> list[tuple[int, ...]]:
    """The sets that may stand together; where nobody minds the others, only the largest ones.

    Then a smaller set never pays more than the larger one it lies in.
    """
    minded = any(
        each.beside or each.used_up_first or each.together_max_basis_points < BASIS_POINTS
        for each in ordered
    )
    found: list[tuple[int, ...]] = []
    for size in range(len(ordered), 0, -1):
        for indices in combinations(range(len(ordered)), size):
            if not minded and any(set(indices) <= set(larger) for larger in found):
                continue
            if all(
                not barred(ordered[one], ordered[other]) for one, other in combinations(indices, 2)
            ):
                found.append(indices)
    return found


def _paid(
    service_value_fen: int, ordered: Sequence[Payer], together: Sequence[int]
) -> dict[int, int]:
    """What each of these pays, by its place: first those that do not mind what the others pay."""
    limit = service_value_fen
    if len(together) > 1:
        share = min(ordered[index].together_max_basis_points for index in together)
        limit = service_value_fen * share // BASIS_POINTS
    plain = [index for index in together if ordered[index].beside is None]
    amounts = _amounts(limit, [ordered[index] for index in plain])
    paid = dict(zip(plain, amounts, strict=True))
    for index in together:
        payer = ordered[index]
        if payer.beside is not None:
            sofar = sum(paid.values())
            most = min(payer.beside(sofar), payer.most_fen, limit - sofar)
            paid[index] = payer.in_pieces(max(most, 0))
    return paid


def _out_of_turn(ordered: Sequence[Payer], amounts: Sequence[int]) -> bool:
    """Whether one pays although an older one that has to be used up first could pay more."""
    full = {
        each.grant_id: amount == each.whole_fen
        for each, amount in zip(ordered, amounts, strict=True)
    }
    return any(
        amount and not all(full.get(older, True) for older in each.used_up_first)
        for each, amount in zip(ordered, amounts, strict=True)
    )


def barred(one: Payer, other: Payer) -> str | None:
    """The clause by which two vouchers may not pay for one order, or None."""
    return one.never_with.get(other.grant_id) or other.never_with.get(one.grant_id)


def _amounts(service_value_fen: int, payers: Sequence[Payer]) -> list[int]:
    """What vouchers that may all stand together pay: the most, the first ones first."""
    rests = [_Rest.of(payers[index:], service_value_fen) for index in range(len(payers) + 1)]
    missing = rests[0].most(service_value_fen)
    amounts = []
    for payer, rest in zip(payers, rests[1:], strict=True):
        amount = _largest(payer, rest, missing)
        amounts.append(amount)
        missing -= amount
    return amounts


def _largest(payer: Payer, rest: _Rest, missing_fen: int) -> int:
    """The most that `payer` can pay so that the others still make up what is missing."""
    limit = min(payer.most_fen, missing_fen)
    if not payer.piece_fen:
        return missing_fen - rest.least_from(missing_fen - limit)
    amount = limit - limit % payer.piece_fen
    while not rest.can_pay(missing_fen - amount):
        amount -= payer.piece_fen
    return amount


@dataclass(frozen=True, slots=True)
class _Rest:
    """What some vouchers can pay together: sums of whole pieces, and up to `free_fen` on top."""

    sums: tuple[int, ...]
    free_fen: int

    @classmethod
    def of(cls, payers: Sequence[Payer], service_value_fen: int) -> _Rest:
        sums = {0}
        for payer in payers:
            if payer.piece_fen:
                most = min(payer.whole_fen, service_value_fen)
                sums = {
                    known + pieces
                    for known in sums
                    for pieces in range(0, most + 1, payer.piece_fen)
                    if known + pieces <= service_value_fen
                }
        free = sum(payer.most_fen for payer in payers if not payer.piece_fen)
        return cls(tuple(sorted(sums)), free)

    def most(self, at_most_fen: int) -> int:
        return max(min(known + self.free_fen, at_most_fen) for known in self.sums)

    def can_pay(self, amount_fen: int) -> bool:
        return any(known <= amount_fen <= known + self.free_fen for known in self.sums)

    def least_from(self, amount_fen: int) -> int:
        """The least they can pay that is not below `amount_fen`; they can pay some such sum."""
        return min(
            max(known, amount_fen)
            for known in self.sums
            if known >= amount_fen or known + self.free_fen >= amount_fen
        )


def _sentences(
    service_value_fen: int, payers: Sequence[Payer], paid: Mapping[int, int]
) -> tuple[str, ...]:
    by_id = {each.grant_id: each for each in payers}
    said = []
    for payer in in_order(payers):
        amount = paid.get(payer.grant_id)
        if amount is not None:
            said.append(_paying(payer, amount, several=len(paid) > 1))
        else:
            said.append(_left_out(payer, [by_id[each] for each in paid], service_value_fen, paid))
    return tuple(said)


def _paying(payer: Payer, amount_fen: int, *, several: bool) -> str:
    pieces = ""
    if payer.piece_fen:
        count = amount_fen // payer.piece_fen
        pieces = f" in {count} {'piece' if count == 1 else 'pieces'} of {yuan(payer.piece_fen)} CNY"
    why = ""
    if amount_fen < payer.whole_fen:
        why = (
            f" instead of {yuan(payer.whole_fen)} CNY: more is not allowed beside the others"
            if several
            else f" instead of {yuan(payer.whole_fen)} CNY: it pays at most the service"
        )
    return (
        f"{payer.name} pays {yuan(amount_fen)} CNY{pieces}{why}; valid until {payer.valid_until}."
    )


def _left_out(
    payer: Payer, paying: Sequence[Payer], service_value_fen: int, paid: Mapping[int, int]
) -> str:
    if payer.whole_fen == 0:
        return (
            f"{payer.name} is not used: one piece of {yuan(payer.piece_fen)} CNY is more than"
            f" its part of {yuan(payer.most_fen)} CNY."
            if payer.piece_fen
            else f"{payer.name} is not used: its part is less than one fen."
        )
    for other in paying:
        clause = barred(payer, other)
        if clause is not None:
            return (
                f"{payer.name} is not used: it may not be combined with {other.name} ({clause}),"
                f" and this way the vouchers pay most."
            )
    left_fen = service_value_fen - sum(paid.values())
    if left_fen == 0:
        return f"{payer.name} is not used: the others pay the whole service."
    if len(paid) >= VOUCHERS_MAX:
        return f"{payer.name} is not used: an order takes at most {VOUCHERS_MAX} vouchers."
    if payer.piece_fen > left_fen:
        return (
            f"{payer.name} is not used: the others leave {yuan(left_fen)} CNY, which is no whole"
            f" piece of {yuan(payer.piece_fen)} CNY."
        )
    if payer.used_up_first & {each.grant_id for each in paying}:
        return f"{payer.name} is not used: an older voucher has to be used up first."
    return f"{payer.name} is not used: beside the others the vouchers would pay no more."
