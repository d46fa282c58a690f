"""Where a company's people begin: what is next, what waits for them, what they can spend."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.billing.ledger import queries as ledger
from marketplace.booking import queries as booking
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.kernel.time import During
from marketplace.orders import queries as orders
from marketplace.orders.queries.enquiries import EnquiryList, EnquiryPage, enquiries
from marketplace.orders.queries.saved import KeptSearch, saved_searches
from marketplace.orders.rules.enquiries import EnquiryStatus
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.queries.sanctions import Sanction
from marketplace.web.areas.centre.sanction_cases import standing_sanctions
from marketplace.web.areas.sme.account import wallet_balance
from marketplace.web.areas.sme.roles import BUYERS
from marketplace.web.areas.sme.strikes import own_suspension
from marketplace.web.areas.sme.vouchers import HOLDERS, Wallet, wallet
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members

AHEAD = timedelta(days=60)
SHORT = 6
TO_COME = (booking.Status.REQUESTED, booking.Status.CONFIRMED, booking.Status.IN_USE)


@dataclass(frozen=True, slots=True)
class Start:
    """Everything that the start page shows."""

    now: datetime
    today: date
    next: list[booking.Reservation]
    names: dict[int, catalogue.Instrument]
    to_accept: orders.OrderPage
    disputed: orders.OrderPage
    proposed: list[tuple[orders.Order, orders.OrderChange]]
    quotes: list[orders.Quote]
    offered: EnquiryPage
    searches: list[KeptSearch]
    waiting: list[booking.ListedEntry]
    returned: vouchers.Listed[vouchers.Application] | None
    vouchers: Wallet | None
    balance: ledger.Balance | None
    sanctions: list[Sanction]
    suspension: booking.Suspension | None

    @property
    def is_clear(self) -> bool:
        """Whether nothing waits for anybody here."""
        return not (
            self.to_accept.total
            or self.disputed.total
            or self.proposed
            or self.quotes
            or self.offered.total
            or self.waiting
            or (self.returned and self.returned.total)
        )


async def start(tx: Tx, _: None = None) -> Start:
    """The day of somebody who works for a company, or books for companies."""
    holder = tx.actor.has(*HOLDERS)
    found = await booking.reservations(
        tx,
        booking.ReservationSearch(
            statuses=TO_COME,
            during=During(tx.now, tx.now + AHEAD),
            order=booking.ListOrder.STARTS,
            page_size=SHORT,
        ),
    )
    usable = await orders.quotes(tx, orders.QuoteList(usable_only=True, page_size=SHORT))
    lists = await booking.waitlist(tx, booking.WaitlistSearch(mine=True, page_size=50))
    waiting = [each for each in lists.entries if each.offered_from is not None]
    ids = {each.instrument_id for each in found.reservations}
    ids |= {each.entry.instrument_id for each in waiting}
    quotes = [each for each in usable.rows if each.used_at is None and each.valid_until > tx.now]
    ids |= {each.instrument_id for each in quotes}
    to_accept = await _orders(tx, orders.Status.DELIVERED)
    disputed = await _orders(tx, orders.Status.DISPUTED)
    proposed = await orders.proposals_to_answer(tx, SHORT)
    known = (*to_accept.rows, *disputed.rows, *(order for order, _ in proposed))
    ids |= {each.instrument_id for each in known}
    return Start(
        now=tx.now,
        today=tx.today,
        next=found.reservations,
        names=await catalogue.instruments(tx, ids),
        to_accept=to_accept,
        disputed=disputed,
        proposed=proposed,
        quotes=quotes,
        offered=await enquiries(
            tx, EnquiryList(statuses=(EnquiryStatus.OFFERED,), page_size=SHORT)
        ),
        searches=[each for each in await saved_searches(tx) if each.new],
        waiting=waiting,
        returned=await _returned(tx) if holder else None,
        vouchers=await wallet(tx) if holder else None,
        balance=await wallet_balance(tx, tx.actor.organisation_id) if holder else None,
        sanctions=await standing_sanctions(tx),
        suspension=await own_suspension(tx),
    )


async def _orders(tx: Tx, status: orders.Status) -> orders.OrderPage:
    return await orders.orders(tx, orders.OrderList(status=status, page_size=SHORT))


async def _returned(tx: Tx) -> vouchers.Listed[vouchers.Application]:
    mine = vouchers.ApplicationSearch(
        status="returned",
        organisation_id=tx.actor.organisation_id,
        page=vouchers.PageAsked(1, SHORT),
    )
    return await vouchers.applications(tx, mine)


@get("/me", **members(*BUYERS))
async def show_start(request: PageRequest) -> Response[Any]:
    """What is booked next, what waits for an answer, vouchers and wallet."""
    return page(request, "sme/start.html", start=await read(request, start, None))


routes: list[ControllerRouterHandler] = [show_start]
