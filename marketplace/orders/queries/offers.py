"""Finding a service: instruments with their free week, their price, and what the buyer would pay.

However many hits a page has, the number of questions to the database stays the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from marketplace.billing.pricing import queries as pricing
from marketplace.booking import queries as booking
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During
from marketplace.orders.errors import OffersUnclear
from marketplace.orders.rules.customers import CustomerClass, customer_class, user_class
from marketplace.parties import queries as parties
from marketplace.vouchers import queries as vouchers

HOUR = "hour"
SERVICE_KIND = "research-and-development"
# Free time is looked up for the best hits only; a narrower question reaches the others.
CANDIDATES_MAX = 500
WINDOW_DAYS_MAX = 366
# What lies outside is a typing error, and would not survive the arithmetic of buffers and notice.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FindOffers:
    """What is looked for; `free_from` and `free_until` belong together.

    With `minutes` the instrument must be free for so long inside the window, without for all of it.
    """

    search: catalogue.InstrumentSearch
    free_from: datetime | None = None
    free_until: datetime | None = None
    minutes: int | None = None
    service_kind: str = SERVICE_KIND

    def window(self) -> During | None:
        """The window in which instruments must be free, or None.

        Raises:
            OffersUnclear: when an end or its time zone is missing, or they are the wrong way round.
        """
        if self.free_from is None and self.free_until is None:
            return None
        if self.free_from is None or self.free_until is None:
            raise OffersUnclear("Give both free_from and free_until.")
        if self.free_from.tzinfo is None or self.free_until.tzinfo is None:
            raise OffersUnclear("Say the time zone, for instance 2025-03-10T09:00:00+08:00.")
        span = self.free_until - self.free_from
        if not timedelta(0) < span <= timedelta(days=WINDOW_DAYS_MAX):
            raise OffersUnclear(f"The window ends after it starts, within {WINDOW_DAYS_MAX} days.")
        if not EARLIEST <= self.free_from <= LATEST:
            raise OffersUnclear("The window is not of this century.")
        return During(self.free_from, self.free_until)


@dataclass(frozen=True, slots=True)
class Offer:
    """An instrument, seven days of free minutes, and one hour's price for this buyer.

    The price is None where the provider has none for the buyer's class; then so is `own_fen`.
    `reimbursed_fen` of it are the buyer's to claim by voucher once it has paid.
    """

    instrument: catalogue.InstrumentHit
    free_minutes: tuple[int, ...]
    price_list_id: int | None
    hour_fen: int | None
    voucher_fen: int
    own_fen: int | None
    reimbursed_fen: int = 0


@dataclass(frozen=True, slots=True)
class Offers:
    """One page of offers. `capped`: more was found than could be looked at."""

    offers: list[Offer]
    total: int
    capped: bool
    facets: catalogue.Facets
    page: int
    page_size: int


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of instruments that fit, free in the window where one is asked for."""

    hits: tuple[catalogue.InstrumentHit, ...]
    total: int
    capped: bool
    facets: catalogue.Facets


async def find_offers(tx: Tx, question: FindOffers) -> Offers:
    """Instruments that fit, with free time and with what the caller's organisation would pay.

    Policy: J.21d, J.22b

    Raises:
        OffersUnclear: for half a window.
    """
    found = await find_hits(tx, question)
    return Offers(
        offers=await offers_of(tx, found.hits, service_kind=question.service_kind),
        total=found.total,
        capped=found.capped,
        facets=found.facets,
        page=question.search.page,
        page_size=question.search.page_size,
    )


async def find_hits(tx: Tx, question: FindOffers) -> Hits:
    """Instruments that fit, for anybody: free as the caller, or a company, may reserve them.

    Raises:
        OffersUnclear: for half a window.
    """
    window = question.window()
    if window is None:
        found = await catalogue.search(tx, question.search)
        return Hits(found.hits, found.total, found.capped, found.facets)
    found, classes = await candidates(tx, question)
    asked = booking.FreeIn(
        [hit.id for hit in found.hits], window, minutes=question.minutes, classes=classes
    )
    among = await booking.free_among(tx, asked)
    free = tuple(hit for hit in found.hits if hit.id in among)
    first = (question.search.page - 1) * question.search.page_size
    return Hits(
        hits=free[first : first + question.search.page_size],
        total=len(free),
        capped=found.total > CANDIDATES_MAX,
        facets=found.facets,
    )


async def candidates(
    tx: Tx, question: FindOffers
) -> tuple[catalogue.SearchHits, dict[int, booking.UserClass]]:
    """The best hits of a search, and as which class of user the caller comes to each of them.

    Who acts for no organisation has no class of its own.
    """
    whole = replace(question.search, page=1, page_size=CANDIDATES_MAX)
    found = await catalogue.search(tx, whole)
    if not tx.actor.organisation_id:
        return found, {}
    classes = await _classes(tx, {hit.provider_id for hit in found.hits})
    return found, _user_classes(found.hits, classes)


async def offers_of(
    tx: Tx, hits: Sequence[catalogue.InstrumentHit], *, service_kind: str = SERVICE_KIND
) -> list[Offer]:
    """The offers of instruments to the caller's organisation, in the order of `hits`."""
    ids = [hit.id for hit in hits]
    if not ids:
        return []
    classes = await _classes(tx, {hit.provider_id for hit in hits})
    week = booking.WeekOf(ids, tx.today, _user_classes(hits, classes))
    weeks = await booking.week_strips(tx, week)
    hours = {
        (price.instrument_id, price.customer_class): price
        for price in await pricing.prices_in_force(tx, ids, tx.today)
        if price.unit == HOUR
    }
    prices = {hit.id: hours.get((hit.id, classes[hit.provider_id])) for hit in hits}
    parts = await vouchers.voucher_parts(
        tx,
        vouchers.ManyVoucherQuestions(
            organisation_id=tx.actor.organisation_id,
            service_kind=service_kind,
            on=tx.today,
            services=tuple(
                vouchers.ServiceValue(hit.id, hit.provider_id, _one_hour(price), hit.id)
                for hit in hits
                if (price := prices[hit.id]) is not None
            ),
        ),
    )
    own_claims = await vouchers.reimbursing(
        tx, {each.grant_id for part in parts.values() for each in part.vouchers}
    )
    return [
        _offer(hit, weeks.get(hit.id, ()), prices[hit.id], parts.get(hit.id), own_claims)
        for hit in hits
    ]


async def _classes(tx: Tx, provider_ids: Iterable[int]) -> dict[int, CustomerClass]:
    """The class in which the caller's organisation buys from each provider."""
    buyer = await parties.organisation(tx, tx.actor.organisation_id)
    providers = await parties.organisations(tx, provider_ids)
    profile = await parties.sme_profile(tx, parties.SmeYear(buyer.id, tx.today.year))
    return {
        provider.id: customer_class(
            kind=buyer.kind,
            same_legal_entity=provider.legal_entity_id == buyer.legal_entity_id,
            has_sme_profile=profile is not None,
        )
        for provider in providers.values()
    }


def _user_classes(
    hits: Iterable[catalogue.InstrumentHit], classes: Mapping[int, CustomerClass]
) -> dict[int, booking.UserClass]:
    """For each instrument, the class of user in which the caller would reserve it."""
    return {hit.id: booking.UserClass(user_class(classes[hit.provider_id])) for hit in hits}


def _one_hour(price: pricing.PriceInForce) -> int:
    return max(price.amount_fen, price.minimum_fen)


def _offer(
    hit: catalogue.InstrumentHit,
    week: tuple[int, ...],
    price: pricing.PriceInForce | None,
    part: vouchers.VoucherPart | None,
    own_claims: set[int],
) -> Offer:
    if price is None:
        return Offer(hit, week, None, None, 0, None)
    hour_fen = _one_hour(price)
    if part is None:
        return Offer(hit, week, price.price_list_id, hour_fen, 0, hour_fen)
    back_fen = vouchers.reimbursed_of(part, own_claims)
    paid_fen = part.total_fen - back_fen
    return Offer(hit, week, price.price_list_id, hour_fen, paid_fen, hour_fen - paid_fen, back_fen)
