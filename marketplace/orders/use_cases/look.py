"""Looking at a change of an order's time before anybody agrees: whether it can be, what it costs.

The same look decides the change itself, so that nobody pays other figures than were shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from marketplace.billing.pricing import queries as pricing
from marketplace.booking import queries as booking_queries
from marketplace.booking.queries import Reservation
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import During, shanghai_day
from marketplace.orders.errors import OrderMissing, TimeUnclear
from marketplace.orders.queries.changes import (
    ChangesMade,
    OrderChange,
    changes_made,
    open_proposal,
)
from marketplace.orders.queries.items import OrderItem, order_items, quote_items
from marketplace.orders.queries.offers import EARLIEST, LATEST
from marketplace.orders.queries.orders import Order, order, order_quote
from marketplace.orders.queries.quotes import Quote
from marketplace.orders.rules.items import ItemStatus
from marketplace.orders.rules.rescheduling import (
    NO_TIME_LEFT,
    ChangeKind,
    Figures,
    MoveFee,
    MoveTerms,
    Side,
    Standing,
    Wanted,
    answer_until,
    answered_by,
    move_fee,
    reasons_against,
)
from marketplace.orders.rules.settlement import Parts
from marketplace.orders.rules.states import Status
from marketplace.orders.use_cases.appointment import (
    Appointment,
    TimeAnswer,
    appointment,
    time_answer,
    timed_item,
)
from marketplace.orders.use_cases.items import frozen_again, reservation_of, service_again
from marketplace.orders.use_cases.make_quote import lines_of
from marketplace.orders.use_cases.money import short_of, wallet_available
from marketplace.orders.use_cases.voucher_told import voucher_told
from marketplace.parties import queries as parties
from marketplace.rulebook import rulebook
from marketplace.vouchers import queries as vouchers


@dataclass(frozen=True, slots=True)
class ChangeAsked:
    """Another time for an order; to extend it only the end is given. `item` says of which item."""

    order_id: int
    kind: ChangeKind
    ends_at: datetime
    starts_at: datetime | None = None
    item: int | None = None


@dataclass(frozen=True, slots=True)
class NewPrice:
    """What the service comes to at the new time, line by line, and why the voucher pays its part.

    `amends` is the quote that it takes the place of; `items` are the new one's, of which one has
    another time and the others are as they were.
    """

    amends: Quote
    items: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    explanation: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A change as it would be: every reason against it, the figures, who else has to agree.

    `available_fen` is what the buyer's wallet has, told to the buyer only.
    """

    wanted: Wanted
    standing: Standing
    figures: Figures
    price: NewPrice
    fee: MoveFee
    made: ChangesMade
    reasons: tuple[Reason, ...]
    alternatives: tuple[Mapping[str, Any], ...]
    reserved: Reservation
    answered_by: Side | None
    answer_until: datetime
    available_fen: int | None

    @property
    def missing_fen(self) -> int | None:
        """What the wallet lacks for it; None for those who may not know."""
        if self.available_fen is None:
            return None
        return max(self.figures.needed_fen - self.available_fen, 0)

    @property
    def shortage(self) -> Reason | None:
        """The reason why the buyer's own money does not do, told to the buyer only."""
        if self.available_fen is None or not self.missing_fen:
            return None
        return short_of(self.figures.needed_fen, available_fen=self.available_fen)


async def preview_change(tx: Tx, asked: ChangeAsked) -> ChangeView:
    """What a change would be: allowed or every reason, the price before and after, the fee.

    Nothing is held by looking. For the two sides and the agent who asked for the quote.
    Policy: J.18a, J.21d, J.22b

    Raises:
        OrderMissing: for everybody else.
        WrongMode: for samples.
        TimeUnclear: when the time ends before it starts, or is not of this century.
    """
    found = await order(tx, asked.order_id)
    side = side_of(tx, found)
    reserved = await reserved_time(tx, found, asked.item)
    return await look(tx, found, reserved, wanted_by(asked, side, reserved))


def side_of(tx: Tx, found: Order) -> Side:
    """For whom the actor speaks.

    Raises:
        OrderMissing: for those who only read.
    """
    mine = tx.actor.organisation_id
    if mine == found.buyer_id or tx.actor.has("system"):
        return Side.BUYER
    if mine == found.provider_id:
        return Side.PROVIDER
    if mine == found.agent_id:
        return Side.AGENT
    raise OrderMissing()


async def reserved_time(tx: Tx, found: Order, position: int | None = None) -> Reservation:
    """The reservation of an item on machine time.

    Raises:
        WrongMode: for samples.
        ItemMissing, ItemUnclear: when it is not clear which item is meant.
    """
    item = await timed_item(tx, found, position)
    return await booking_queries.reservation(tx, reservation_of(item))


def wanted_by(asked: ChangeAsked, side: Side, reserved: Reservation) -> Wanted:
    """The time asked for; an extension begins when the present time does.

    Raises:
        TimeUnclear: when it ends before it starts, or is not of this century.
    """
    starts_at = reserved.starts_at if asked.starts_at is None else asked.starts_at
    if starts_at.tzinfo is None or asked.ends_at.tzinfo is None:
        raise TimeUnclear("Say the time zone, for instance 2025-03-10T09:00:00+08:00.")
    if not EARLIEST <= starts_at < asked.ends_at <= LATEST:
        raise TimeUnclear("The time ends before it starts, or is not of this century.")
    return Wanted(asked.kind, side, starts_at, asked.ends_at)


async def look(
    tx: Tx,
    found: Order,
    reserved: Reservation,
    wanted: Wanted,
    *,
    answering: OrderChange | None = None,
) -> ChangeView:
    """The change as it would be now; `answering` is a proposal that would be performed.

    What a buyer proposed keeps the fee of the moment in which it asked: the provider's silence
    makes nothing late.
    """
    quote = await order_quote(tx, found)
    ordered = await order_items(tx, found.id)
    item = next(item for item in ordered if item.reservation_id == reserved.id)
    made, terms = await changes_made(tx, found.id), move_terms(quote)
    standing = Standing(
        status=_standing_of(found, item),
        starts_at=reserved.starts_at,
        ends_at=reserved.ends_at,
        moves=made.moves,
        moves_max=terms.moves_max,
        proposal_open=answering is None and await open_proposal(tx, found.id) is not None,
    )
    met = await appointment(tx, reserved)
    own = reasons_against(wanted, standing, at=tx.now)
    # A time that is over, begun or given back is none to ask booking about.
    asks = not NO_TIME_LEFT & {reason.rule for reason in own}
    answer = await time_answer(tx, reserved, wanted) if asks else TimeAnswer()
    price, after = await _new_price(tx, found, quote, wanted, position=item.position)
    fee = _fee(tx, found, wanted, standing, terms, met, answering)
    return ChangeView(
        wanted=wanted,
        standing=standing,
        figures=Figures(
            order_id=found.id,
            quote_id=found.quote_id,
            revision=reserved.revision,
            kind=wanted.kind,
            starts_at=wanted.starts_at,
            ends_at=wanted.ends_at,
            before=found.held,
            after=after,
            fee_fen=fee.amount_fen,
            item=item.position,
        ),
        price=price,
        fee=fee,
        made=made,
        reasons=(
            *own,
            *await _suspended(tx, found),
            *answer.reasons,
        ),
        alternatives=tuple(answer.alternatives),
        reserved=reserved,
        answered_by=answered_by(wanted, standing, needs_approval=met.needs_approval),
        answer_until=answer_until(wanted, standing, terms=terms, at=tx.now),
        available_fen=await _told_available(tx, found),
    )


def _standing_of(found: Order, item: OrderItem) -> str:
    """Where the item stands as its order would: one that has not begun may still be moved."""
    if found.status == Status.IN_SERVICE and item.status == ItemStatus.ORDERED:
        return Status.CONFIRMED
    return found.status


async def _suspended(tx: Tx, found: Order) -> list[Reason]:
    """A suspended side makes no new terms; what was agreed before stands."""
    sides = await parties.organisations(tx, {found.buyer_id, found.provider_id})
    return [
        Reason("suspended", f"{side.name} is suspended.", asked=side.id)
        for side in sides.values()
        if side.suspended_at is not None
    ]


def _fee(
    tx: Tx,
    found: Order,
    wanted: Wanted,
    standing: Standing,
    terms: MoveTerms,
    met: Appointment,
    answering: OrderChange | None,
) -> MoveFee:
    asked_by_buyer = answering is not None and answering.side == Side.BUYER
    return move_fee(
        found.own_fen,
        wanted,
        standing,
        terms=terms,
        at=answering.proposed_at if answering is not None and asked_by_buyer else tx.now,
        instrument_down=met.instrument_down,
    )


def move_terms(quote: Quote) -> MoveTerms:
    """The terms of moving as the quote froze them; an older quote's are those of its day.

    Policy: J.gap
    """
    dated = rulebook().booking.snapshot(quote.priced_on)
    frozen = dated | quote.terms["booking"]
    return MoveTerms(
        late_minutes=frozen["late_cancel_minutes"]["value"],
        fee_basis_points=frozen["late_move_fee_basis_points"]["value"],
        moves_max=frozen["moves_per_order"]["value"],
        answer_minutes=frozen["move_answer_minutes"]["value"],
    )


async def _new_price(
    tx: Tx, found: Order, quote: Quote, wanted: Wanted, *, position: int
) -> tuple[NewPrice, Parts]:
    """The new time by the item's own frozen price list, and what the voucher would pay of all."""
    items = await _amended_items(tx, quote, wanted, position=position)
    total_fen = sum(item["total_fen"] for item in items)
    served_on = items[0]["starts_at"] or wanted.starts_at
    voucher_fen, told = await voucher_told(
        tx,
        vouchers.VoucherQuestion(
            organisation_id=found.buyer_id,
            provider_id=found.provider_id,
            service_kind=quote.service_kind,
            service_value_fen=total_fen,
            on=shanghai_day(served_on),
            instead_of_order_id=found.id,
            instrument_id=found.instrument_id,
            grant_ids=quote.chosen_grants,
            persons=quote.persons,
        ),
        asked=quote.explanation["voucher"]["asked"],
    )
    price = NewPrice(
        amends=quote,
        items=items,
        lines=lines_of(items),
        explanation={
            "cost_sheet_id": quote.explanation.get("cost_sheet_id"),
            "voucher": told,
        },
    )
    return price, Parts(voucher_fen=voucher_fen, own_fen=total_fen - voucher_fen)


async def _amended_items(
    tx: Tx, quote: Quote, wanted: Wanted, *, position: int
) -> list[dict[str, Any]]:
    """The items of the quote, the one at `position` at its new time and price."""
    told = await quote_items(tx, quote.id)
    items = [frozen_again(item) for item in told]
    moving = told[position - 1]
    minutes = During(wanted.starts_at, wanted.ends_at).minutes
    asked = service_again(quote, moving, minutes=minutes, extras=moving.agreed_extras)
    priced = await pricing.price_service_by_list(
        tx, moving.price_list_id, replace(asked, starts_at=wanted.starts_at)
    )
    items[position - 1] |= {
        "starts_at": wanted.starts_at,
        "ends_at": wanted.ends_at,
        "lines": [asdict(line) for line in priced.lines],
        "total_fen": priced.total_fen,
    }
    return items


async def _told_available(tx: Tx, found: Order) -> int | None:
    if tx.actor.organisation_id != found.buyer_id and not tx.actor.has("system"):
        return None
    return await wallet_available(tx, found.buyer_id)


def every_reason(view: ChangeView) -> Sequence[Reason]:
    """Why the change cannot be, the buyer's own money included."""
    return view.reasons if view.shortage is None else (*view.reasons, view.shortage)
