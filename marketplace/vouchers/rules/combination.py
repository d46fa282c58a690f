"""Which of several vouchers pay for one service, and how much each.

Of all legal combinations the one that pays most; of equal ones the one that takes most from the
voucher that expires first, then the next. A voucher in pieces of a face value pays whole pieces
only. Vouchers that may not stand together never both pay. Together they pay at most the service.

Policy: J.22b
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations

from marketplace.kernel.money import yuan

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

    @property
    def whole_fen(self) -> int:
        """The most it can pay, in whole pieces."""
        return self.most_fen - self.most_fen % self.piece_fen if self.piece_fen else self.most_fen


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
    """The one that expires first comes first."""
    return sorted(payers, key=lambda each: (each.valid_until, each.grant_id))


def combine(service_value_fen: int, payers: Sequence[Payer]) -> Combination:
    """The best legal combination of at most `VOUCHERS_MAX` vouchers for one service.

    Policy: J.22b
    """
    looked_at = sorted(
        (each for each in payers if each.whole_fen > 0),
        key=lambda each: (-each.whole_fen, each.valid_until, each.grant_id),
    )[:VOUCHERS_MAX]
    ordered = in_order(looked_at)
    best: tuple[int, ...] = (0,) * len(ordered)
    for together in _together(ordered):
        amounts = _amounts(service_value_fen, [ordered[index] for index in together])
        found = [0] * len(ordered)
        for index, amount_fen in zip(together, amounts, strict=True):
            found[index] = amount_fen
        best = max(best, tuple(found), key=lambda each: (sum(each), each))
    paid = {each.grant_id: amount for each, amount in zip(ordered, best, strict=True) if amount > 0}
    return Combination(paid, _sentences(service_value_fen, payers, paid))


def _together(ordered: Sequence[Payer]) -> list[tuple[int, ...]]:
    """The largest sets that may stand together: a smaller one never pays more."""
    found: list[tuple[int, ...]] = []
    for size in range(len(ordered), 0, -1):
        for indices in combinations(range(len(ordered)), size):
            if any(set(indices) <= set(larger) for larger in found):
                continue
            if all(
                not barred(ordered[one], ordered[other]) for one, other in combinations(indices, 2)
            ):
                found.append(indices)
    return found


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
            f" instead of {yuan(payer.whole_fen)} CNY: together the vouchers pay at most the"
            " service"
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
    if sum(paid.values()) == service_value_fen:
        return f"{payer.name} is not used: the others pay the whole service and expire no later."
    if payer.piece_fen:
        rest = service_value_fen - sum(paid.values())
        return (
            f"{payer.name} is not used: the others leave {yuan(rest)} CNY, which is no whole"
            f" piece of {yuan(payer.piece_fen)} CNY."
        )
    return f"{payer.name} is not used: an order takes at most {VOUCHERS_MAX} vouchers."
