"""A month's checklist: what is looked at, what blocks the sign-off, and what only wants attention.

Policy: J.30a
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from marketplace.kernel.errors import Reasons
from marketplace.kernel.money import yuan

# A hold that is older at the month's end is worth a question; it may still be right.
HOLD_DAYS = 90


class ItemName(StrEnum):
    """What a checklist looks at."""

    EARLIER = "earlier"
    """The days before the month are closed."""
    STATEMENTS = "statements"
    """The bank has told of every account of the platform until the month's end."""
    BANK = "bank"
    """Books and bank agree."""
    UNEXPLAINED = "unexplained"
    """Every line of the statements is explained."""
    SUSPENSE = "suspense"
    """Nothing lies in suspense."""
    PAYOUTS_RETURNED = "payouts_returned"
    """What the bank returned is paid again or withdrawn."""
    HOLDS_AGED = "holds_aged"
    """No hold is forgotten."""
    TRIAL_BALANCE = "trial_balance"
    """Each ledger sums to zero."""
    SEALS = "seals"
    """Every entry is sealed."""
    VERIFIED = "verified"
    """The chain was computed again over these seals, and is as it was sealed."""


class ItemState(StrEnum):
    """How an item stands."""

    OK = "ok"
    OPEN = "open"
    """Blocks the sign-off."""
    ATTENTION = "attention"
    """Blocks nothing."""


@dataclass(frozen=True, slots=True)
class OpenItems:
    """What is open of one kind until the month's end; `ids` are the oldest ones."""

    count: int = 0
    amount_fen: int = 0
    oldest_on: date | None = None
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a month."""

    ledgers_open_before: Sequence[str]
    accounts: int
    accounts_not_stated: Sequence[str]
    difference_fen: int
    suspense_fen: int
    unexplained: OpenItems
    payouts_returned: OpenItems
    holds_aged: OpenItems
    ledgers_unbalanced: Sequence[str]
    entries: int
    unsealed: int
    unsealed_ids: tuple[int, ...]
    covering_seal: int | None
    verified_seal: int | None
    verification_problems: int


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its figure counts what is open, `ids` and `names` lead to it."""

    name: ItemName
    state: ItemState
    figure: int
    amount_fen: int
    message: str
    oldest_on: date | None = None
    ids: tuple[int, ...] = ()
    names: tuple[str, ...] = ()


def held_until(last_on: date) -> date:
    """The last day of which a hold counts as aged at the month's end."""
    return last_on - timedelta(days=HOLD_DAYS)


def checklist(found: Found) -> tuple[Item, ...]:
    """Every item in the order in which a clerk works them off."""
    unstated = len(found.accounts_not_stated)
    return (
        _item(
            ItemName.EARLIER,
            len(found.ledgers_open_before),
            "ledgers have open days before the month",
            names=found.ledgers_open_before,
        ),
        _item(
            ItemName.STATEMENTS,
            unstated if found.accounts else 1,
            "accounts have no statement until the month's end"
            if found.accounts
            else "statement at least is needed: none was imported",
            names=found.accounts_not_stated,
        ),
        _item(
            ItemName.BANK,
            int(found.difference_fen != 0),
            f"difference: books less bank are {_yuan(found.difference_fen)} yuan",
            amount_fen=found.difference_fen,
        ),
        _of(ItemName.UNEXPLAINED, found.unexplained, "lines are not explained"),
        _item(
            ItemName.SUSPENSE,
            int(found.suspense_fen != 0),
            f"balance in suspense: {_yuan(found.suspense_fen)} yuan",
            amount_fen=found.suspense_fen,
            oldest_on=found.unexplained.oldest_on,
        ),
        _of(
            ItemName.PAYOUTS_RETURNED,
            found.payouts_returned,
            "returned payouts are neither paid again nor withdrawn",
        ),
        _of(
            ItemName.HOLDS_AGED,
            found.holds_aged,
            f"holds are older than {HOLD_DAYS} days",
            state=ItemState.ATTENTION,
        ),
        _item(
            ItemName.TRIAL_BALANCE,
            len(found.ledgers_unbalanced),
            "ledgers do not sum to zero",
            names=found.ledgers_unbalanced,
        ),
        _item(ItemName.SEALS, found.unsealed, "entries are not sealed yet", ids=found.unsealed_ids),
        _verified(found),
    )


def _verified(found: Found) -> Item:
    if found.verification_problems:
        return _item(
            ItemName.VERIFIED, found.verification_problems, "problems in the last verification"
        )
    late = found.entries > 0 and (
        found.covering_seal is None
        or found.verified_seal is None
        or found.verified_seal < found.covering_seal
    )
    return _item(
        ItemName.VERIFIED,
        int(late),
        f"verification is needed, through seal {found.covering_seal or 'that is still to come'}",
    )


def _of(
    name: ItemName, open_items: OpenItems, message: str, *, state: ItemState = ItemState.OPEN
) -> Item:
    return _item(
        name,
        open_items.count,
        message,
        state=state,
        amount_fen=open_items.amount_fen,
        oldest_on=open_items.oldest_on,
        ids=open_items.ids,
    )


def _item(
    name: ItemName,
    figure: int,
    message: str,
    *,
    state: ItemState = ItemState.OPEN,
    amount_fen: int = 0,
    oldest_on: date | None = None,
    ids: tuple[int, ...] = (),
    names: Sequence[str] = (),
) -> Item:
    if not figure:
        return Item(name, ItemState.OK, 0, amount_fen, "")
    return Item(
        name, state, figure, amount_fen, f"{figure} {message}", oldest_on, ids, tuple(names)
    )


def _yuan(fen: int) -> str:
    return yuan(fen) if fen >= 0 else f"-{yuan(-fen)}"


def open_questions(items: Sequence[Item]) -> Reasons:
    """A reason for each item that blocks the sign-off."""
    reasons = Reasons()
    for item in items:
        if item.state is ItemState.OPEN:
            reasons.add(item.name.value, item.message, limit=0, asked=item.figure)
    return reasons
