"""Moving an order to another time: when it may be asked, by whom agreed, and what it costs.

A move is new terms for the same order: the price comes from the same frozen price list, and both
sides see the figures before anything changes. Who agrees signs exactly the figures that were
shown: their digest goes along with the acceptance.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from marketplace.kernel.errors import Reason, Reasons
from marketplace.kernel.money import share
from marketplace.orders.rules.settlement import Parts
from marketplace.orders.rules.states import Status


class ChangeKind(StrEnum):
    """How an order's time changes."""

    RESCHEDULE = "reschedule"
    """Another time, before the service has begun."""
    EXTEND = "extend"
    """A later end."""


class Side(StrEnum):
    """Who asks for a change."""

    BUYER = "buyer"
    """The buyer, who pays for it."""
    PROVIDER = "provider"
    """The provider: it asks, the buyer agrees, and pays no fee for it."""
    AGENT = "agent"
    """The station that asked for the quote: it asks, and the buyer signs."""


class ChangeStatus(StrEnum):
    """Where a change of an order's time stands."""

    PROPOSED = "proposed"
    """Waits for the other side; the present time and price stand until it answers."""
    AGREED = "agreed"
    """Performed: the order has the new time and price."""
    DECLINED = "declined"
    """The other side said no; the order stays as it was."""
    WITHDRAWN = "withdrawn"
    """Who proposed it took it back."""
    LAPSED = "lapsed"
    """Nobody answered in time, or the order began or ended meanwhile."""


OPEN_TO_CHANGE: dict[ChangeKind, tuple[Status, ...]] = {
    ChangeKind.RESCHEDULE: (Status.PLACED, Status.CONFIRMED),
    ChangeKind.EXTEND: (Status.CONFIRMED, Status.IN_SERVICE),
}


# Reasons of the order's own beside which nothing that booking says of a time matters.
NO_TIME_LEFT = frozenset({"order-status", "begun", "over", "extend-later", "same-time"})


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of an order when somebody asks to change its time.

    `moves` counts the moves that the buyer's side asked for and that were performed.
    """

    status: str
    starts_at: datetime
    ends_at: datetime
    moves: int
    moves_max: int
    proposal_open: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """The time asked for, and by whom."""

    kind: ChangeKind
    side: Side
    starts_at: datetime
    ends_at: datetime


def reasons_against(wanted: Wanted, standing: Standing, *, at: datetime) -> list[Reason]:
    """Every reason of the order's own why its time may not change so; booking has its own.

    Policy: J.18a (what was agreed changes by agreement), F.booking
    """
    found = Reasons()
    _require_open(found, wanted, standing, at)
    if standing.proposal_open:
        found.add("proposal-open", "A proposal waits for its answer; answer or withdraw it first.")
    if wanted.kind is ChangeKind.RESCHEDULE:
        _require_move(found, wanted, standing)
    elif wanted.ends_at <= standing.ends_at:
        found.add(
            "extend-later",
            "An extension ends later than now; to shorten the time, reschedule before it begins.",
            limit=standing.ends_at.isoformat(),
            asked=wanted.ends_at.isoformat(),
        )
    return found.found


def _require_open(found: Reasons, wanted: Wanted, standing: Standing, at: datetime) -> None:
    if Status(standing.status) not in OPEN_TO_CHANGE[wanted.kind]:
        allowed = [str(status) for status in OPEN_TO_CHANGE[wanted.kind]]
        found.add(
            "order-status",
            f"The order is {standing.status}; its time changes while it is {' or '.join(allowed)}.",
            limit=allowed,
            asked=standing.status,
            source="J.18a",
        )
    elif wanted.kind is ChangeKind.RESCHEDULE and at >= standing.starts_at:
        found.add(
            "begun",
            "The time has begun; extend it, or let it count as not taken up.",
            limit=standing.starts_at.isoformat(),
            asked=at.isoformat(),
        )
    elif wanted.kind is ChangeKind.EXTEND and at >= standing.ends_at:
        found.add(
            "over",
            "The time is over; order again.",
            limit=standing.ends_at.isoformat(),
            asked=at.isoformat(),
        )


def _require_move(found: Reasons, wanted: Wanted, standing: Standing) -> None:
    if (wanted.starts_at, wanted.ends_at) == (standing.starts_at, standing.ends_at):
        found.add("same-time", "This is the time that the order has.")
    # What the provider asks for does not use up the buyer's moves.
    if wanted.side is not Side.PROVIDER and standing.moves >= standing.moves_max:
        found.add(
            "moves-per-order",
            f"An order moves at most {standing.moves_max} times; cancel it and order again.",
            limit=standing.moves_max,
            asked=standing.moves + 1,
            source="J.gap",
        )


@dataclass(frozen=True, slots=True)
class MoveTerms:
    """What the terms said on the day of the order."""

    late_minutes: int
    fee_basis_points: int
    moves_max: int
    answer_minutes: int


@dataclass(frozen=True, slots=True)
class MoveFee:
    """What moving costs beside the price, and why."""

    amount_fen: int
    why: str


def move_fee(
    own_fen: int,
    wanted: Wanted,
    standing: Standing,
    *,
    terms: MoveTerms,
    at: datetime,
    instrument_down: bool,
) -> MoveFee:
    """What stays due of the buyer's present own part when it moves late, rounded down.

    Late is what is late for a cancellation; exactly at the limit is in time. Nothing is due
    before the provider has confirmed, when the provider asks, when the instrument is down, or for
    more time. It is the buyer's own money only: the voucher pays for services received (J.22b).
    Policy: J.gap, J.22b
    """
    if wanted.kind is ChangeKind.EXTEND:
        return MoveFee(0, "More time costs its price and no fee.")
    if wanted.side is Side.PROVIDER:
        return MoveFee(0, "The provider asks for it.")
    if standing.status != Status.CONFIRMED:
        return MoveFee(0, "The provider has not confirmed the order yet.")
    if instrument_down:
        return MoveFee(0, "The instrument is closed in that time.")
    if standing.starts_at - at >= timedelta(minutes=terms.late_minutes):
        return MoveFee(0, f"Moved at least {terms.late_minutes} minutes before the start.")
    percent = f"{terms.fee_basis_points / 100:g} %"
    return MoveFee(
        share(own_fen, terms.fee_basis_points, "down"),
        f"Moved less than {terms.late_minutes} minutes before the start: {percent} of the buyer's "
        "own part of the time given back.",
    )


def answered_by(wanted: Wanted, standing: Standing, *, needs_approval: bool) -> Side | None:
    """Whose consent is missing, or None when the change is performed at once.

    The buyer always signs, because it pays. The provider's published offer is its signature where
    it lets its time be booked at once; where it decides on each request it decides on the change,
    unless it has not even answered the order itself: then it answers both by confirming.
    Policy: J.18a, N.25b
    """
    if wanted.side is not Side.BUYER:
        return Side.BUYER
    if needs_approval and standing.status != Status.PLACED:
        return Side.PROVIDER
    return None


def answer_until(wanted: Wanted, standing: Standing, *, terms: MoveTerms, at: datetime) -> datetime:
    """Until when a proposal waits: never beyond the moment from which it could not be performed."""
    answered = at + timedelta(minutes=terms.answer_minutes)
    if wanted.kind is ChangeKind.EXTEND:
        return min(answered, standing.ends_at)
    return min(answered, standing.starts_at, wanted.starts_at)


@dataclass(frozen=True, slots=True)
class Figures:
    """What somebody agrees to: the time, the price in its parts, and the fee.

    `quote_id` and `revision` name the order and the reservation as they are now: when either has
    changed, so has what is agreed on.
    """

    order_id: int
    quote_id: int
    revision: int
    kind: ChangeKind
    starts_at: datetime
    ends_at: datetime
    before: Parts
    after: Parts
    fee_fen: int
    item: int = 1

    @property
    def difference_fen(self) -> int:
        """How much more the service costs than before; negative when less."""
        return self.after.total_fen - self.before.total_fen

    @property
    def needed_fen(self) -> int:
        """How much more of the buyer's own money is held; negative when some goes back."""
        return self.after.own_fen + self.fee_fen - self.before.own_fen

    @property
    def token(self) -> str:
        """The digest that an acceptance sends back."""
        facts = {
            name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
