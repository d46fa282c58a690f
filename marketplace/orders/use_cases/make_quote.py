"""A quote: price, voucher part, own part, every rule that applied, frozen for a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from marketplace.billing.pricing import queries as pricing
from marketplace.billing.pricing.queries import ServiceAsked
from marketplace.catalogue import queries as catalogue
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.kernel.time import During, shanghai_day
from marketplace.orders import tables
from marketplace.orders.errors import (
    InstrumentNotOffered,
    PartySuspended,
    PurposeUnknown,
    QuoteMissing,
    QuoteUnclear,
)
from marketplace.orders.queries.offers import EARLIEST, LATEST, SERVICE_KIND
from marketplace.orders.queries.quotes import Quote, quote_columns
from marketplace.orders.rules.customers import CustomerClass, customer_class
from marketplace.orders.rules.items import ITEMS_MAX
from marketplace.orders.rules.manual_price import Offered
from marketplace.orders.rules.sample_notice import order_until, require_notice
from marketplace.orders.rules.states import Mode
from marketplace.orders.use_cases.voucher_told import voucher_told
from marketplace.parties import queries as parties
from marketplace.parties.roles import Role
from marketplace.rulebook import rulebook
from marketplace.vouchers import queries as vouchers


@dataclass(frozen=True, slots=True)
class ItemAsked:
    """One instrument of a quote: time on it, or samples for it.

    Without a `unit` the cheapest that its price list has is taken. `elements` are per sample,
    `runs` for all of them; `extras` are (code, quantity) of help and material.
    """

    instrument_id: int
    mode: Mode
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    samples: int | None = None
    unit: str | None = None
    elements: int = 0
    runs: int = 0
    urgent: bool = False
    extras: tuple[tuple[str, int], ...] = ()

    def during(self) -> During | None:
        """The interval asked for, or None for samples.

        Raises:
            QuoteUnclear: when it is neither machine time nor samples.
        """
        if self.mode == Mode.SAMPLES:
            if self.samples is None or self.starts_at or self.ends_at:
                raise QuoteUnclear("For samples, say how many, and no times.")
            return None
        if self.starts_at is None or self.ends_at is None or self.samples is not None:
            raise QuoteUnclear("For machine time, say from when until when, and no samples.")
        if self.elements or self.runs:
            raise QuoteUnclear("Elements and runs are counted of samples.")
        if not EARLIEST <= self.starts_at < self.ends_at <= LATEST:
            raise QuoteUnclear("The time ends before it starts, or is not of this century.")
        return During(self.starts_at, self.ends_at)

    def service(self, *, customer_class: str, on: date, purpose: str | None) -> ServiceAsked:
        """The question to the price list."""
        during = self.during()
        return ServiceAsked(
            instrument_id=self.instrument_id,
            customer_class=customer_class,
            mode=self.mode,
            on=on,
            minutes=during.minutes if during else 0,
            samples=self.samples or 0,
            purpose=purpose,
            unit=self.unit,
            elements=self.elements,
            runs=self.runs,
            starts_at=self.starts_at,
            urgent=self.urgent,
            extras=self.extras,
        )


@dataclass(frozen=True, slots=True)
class MakeQuote:
    """What would this service cost this buyer? `buyer_id` is for a station agent to fill in.

    `arrives_on` is the day on which the buyer's samples are to arrive, where it knows it.
    `further` are more instruments of the same provider; the quote's own is the first, its main one.
    `grant_ids` are the vouchers that the buyer chose; None: the combination that pays most.
    `persons` is how many the service trains, where vouchers pay by the person.
    """

    instrument_id: int
    mode: Mode
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    samples: int | None = None
    purpose: str | None = None
    service_kind: str = SERVICE_KIND
    use_voucher: bool = True
    buyer_id: int | None = None
    arrives_on: date | None = None
    unit: str | None = None
    elements: int = 0
    runs: int = 0
    urgent: bool = False
    extras: tuple[tuple[str, int], ...] = ()
    further: tuple[ItemAsked, ...] = ()
    grant_ids: tuple[int, ...] | None = None
    persons: int = 0

    @property
    def items(self) -> tuple[ItemAsked, ...]:
        """Everything asked for, the main one first."""
        main = ItemAsked(**{name: getattr(self, name) for name in ItemAsked.__dataclass_fields__})
        return (main, *self.further)

    def during(self) -> During | None:
        """The interval asked for of the main item, or None for samples.

        Raises:
            QuoteUnclear: when it is not clear what any of the items is.
        """
        items = self.items
        if len(items) > ITEMS_MAX:
            raise QuoteUnclear(f"A quote has at most {ITEMS_MAX} items.")
        times = [item.during() for item in items]
        self._require_arrival()
        for place, (item, during) in enumerate(zip(items, times, strict=True)):
            for other, beside in zip(items[:place], times[:place], strict=True):
                same = other.instrument_id == item.instrument_id
                if same and during and beside and during.overlaps(beside):
                    raise QuoteUnclear("Two items take the same instrument at one time.")
        return times[0]

    def _require_arrival(self) -> None:
        if self.arrives_on is None:
            return
        if all(item.mode != Mode.SAMPLES for item in self.items):
            raise QuoteUnclear("Machine time has its start; only samples arrive on a day.")
        if not EARLIEST.date() <= self.arrives_on < LATEST.date():
            raise QuoteUnclear("The samples' day is not of this century.")


async def make_quote(tx: Tx, command: MakeQuote, offered: Offered | None = None) -> Quote:
    """Price services for a buyer and freeze what was said: lists, lines, voucher, terms.

    Several instruments of one provider are priced each by its own list, and paid as one. Nothing is
    reserved or held by a quote; the order does that.
    Policy: J.15, J.21d, J.22b

    Raises:
        QuoteUnclear: when it is not clear what is asked.
        PartySuspended: when buyer or provider is.
        SamplesTooSoon: when the samples would arrive before the provider has its notice.
        PurposeUnknown: when the purpose is none that is free of charge.
        InstrumentNotOffered: when the instrument takes no orders from this buyer.
        NoPriceInForce: when it has no price for this buyer, mode and unit.
        UrgencyNotOffered, ExtraNotPriced: when its list has no price for what else is asked.
    """
    during = command.during()
    _require_notice(tx, command)
    _require_purpose(tx, command.purpose)
    buyer = await parties.organisation(tx, offered.buyer_id if offered else _buyer_id(tx, command))
    items = command.items
    known = await _instruments(tx, items)
    instrument = known[command.instrument_id]
    provider = await parties.organisation(tx, instrument.provider_id)
    require_good_standing(buyer, provider)
    profile = await parties.sme_profile(tx, parties.SmeYear(buyer.id, tx.today.year))
    buyer_class = customer_class(
        kind=buyer.kind,
        same_legal_entity=buyer.legal_entity_id == provider.legal_entity_id,
        has_sme_profile=profile is not None,
    )
    for one in known.values():
        require_offered(one, to=buyer_class)
    by_hand = offered.by_hand if offered else {}
    asked: dict[str, Any] = {
        "customer_class": buyer_class,
        "on": tx.today,
        "purpose": command.purpose,
    }
    priced = await pricing.price_services(
        tx, [replace(item.service(**asked), **by_hand) for item in items]
    )
    total_fen = sum(one.total_fen for one in priced)
    voucher_fen, told = await voucher_told(
        tx,
        vouchers.VoucherQuestion(
            organisation_id=buyer.id,
            provider_id=provider.id,
            service_kind=command.service_kind,
            service_value_fen=total_fen,
            on=tx.today if during is None else shanghai_day(during.starts_at),
            instrument_id=instrument.id,
            grant_ids=command.grant_ids,
            persons=command.persons,
        ),
        asked=command.use_voucher,
    )
    return await _freeze(
        tx,
        command,
        [_frozen(item, one) for item, one in zip(items, priced, strict=True)],
        offered,
        buyer_id=buyer.id,
        provider_id=provider.id,
        customer_class=buyer_class,
        total_fen=total_fen,
        voucher_fen=voucher_fen,
        own_fen=total_fen - voucher_fen,
        explanation={"cost_sheet_id": priced[0].cost_sheet_id, "voucher": told},
    )


async def _instruments(tx: Tx, items: Sequence[ItemAsked]) -> dict[int, catalogue.Instrument]:
    """The instruments asked for, all of one provider.

    Raises:
        InstrumentMissing: when there is no such one.
        QuoteUnclear: when they are of several providers.
    """
    if len(items) == 1:
        only = await catalogue.instrument(tx, items[0].instrument_id)
        return {only.id: only}
    known = await catalogue.instruments(tx, {item.instrument_id for item in items})
    if any(item.instrument_id not in known for item in items):
        raise InstrumentMissing
    if len({one.provider_id for one in known.values()}) > 1:
        raise QuoteUnclear("A quote is one provider's; ask each provider for its own.")
    return known


def _frozen(item: ItemAsked, priced: pricing.PricedService) -> dict[str, Any]:
    """An item as it is quoted."""
    asked = {name: getattr(item, name) for name in ItemAsked.__dataclass_fields__}
    return asked | {
        "extras": [list(extra) for extra in item.extras],
        "unit": priced.unit,
        "price_list_id": priced.price_list_id,
        "lines": [asdict(line) for line in priced.lines],
        "total_fen": priced.total_fen,
    }


async def _freeze(
    tx: Tx,
    command: MakeQuote,
    items: Sequence[dict[str, Any]],
    offered: Offered | None,
    *,
    buyer_id: int,
    **told: Any,
) -> Quote:
    valid_days = rulebook().orders.quote_valid_days.on(tx.today)
    valid_until = _valid_until(tx, command, valid_days=valid_days)
    agent_id = None if buyer_id == tx.actor.organisation_id else tx.actor.organisation_id
    asked = Offered(buyer_id, agent_id, valid_until) if offered is None else offered
    return await insert_quote(
        tx,
        {
            "buyer_id": buyer_id,
            "purpose": command.purpose,
            "service_kind": command.service_kind,
            "terms": terms_on(tx),
            "arrives_on": command.arrives_on,
            "made_by": tx.actor.person_id,
            "made_at": tx.now,
            "priced_on": tx.today,
        }
        | asked.frozen(valid_until)
        | told,
        items,
    )


# What a quote repeats of its first item.
OF_MAIN = ("instrument_id", "mode", "starts_at", "ends_at", "samples", "price_list_id")


async def insert_quote(tx: Tx, facts: dict[str, Any], items: Sequence[dict[str, Any]]) -> Quote:
    """Write a quote with its items; it repeats the first of them, and the lines of all."""
    quote_id = await tx.scalar(
        insert(tables.quote)
        .values(facts | {name: items[0][name] for name in OF_MAIN} | {"lines": lines_of(items)})
        .returning(tables.quote.c.id)
    )
    await tx.execute(
        insert(tables.quote_item),
        [item | {"quote_id": quote_id, "position": n} for n, item in enumerate(items, start=1)],
    )
    return await tx.one(Quote, quote_columns().where(tables.quote.c.id == quote_id))


def lines_of(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The lines of all items; of several, each says whose it is."""
    if len(items) == 1:
        return list(items[0]["lines"])
    return [
        {**line, "item": position}
        for position, item in enumerate(items, start=1)
        for line in item["lines"]
    ]


def _require_notice(tx: Tx, command: MakeQuote) -> None:
    """Samples arrive no earlier than the provider can be ready. Policy: F.booking"""
    if command.arrives_on is not None:
        notice = rulebook().booking.sample_notice_minutes.on(tx.today)
        require_notice(command.arrives_on, at=tx.now, notice_minutes=notice)


def _valid_until(tx: Tx, command: MakeQuote, *, valid_days: int) -> datetime:
    """For the days of the terms, and while the samples' day leaves the provider its notice."""
    until = tx.now + timedelta(days=valid_days)
    if command.arrives_on is None:
        return until
    notice = rulebook().booking.sample_notice_minutes.on(tx.today)
    return min(until, order_until(command.arrives_on, notice_minutes=notice))


def _require_purpose(tx: Tx, purpose: str | None) -> None:
    """Only a purpose that the policy makes free of charge is one to claim. Policy: N.25a"""
    free = rulebook().pricing.free_purposes.on(tx.today)
    if purpose is not None and purpose not in free:
        raise PurposeUnknown(
            "Leave the purpose out, or name one that is free of charge.",
            limit=list(free),
            asked=purpose,
            source="N.25a",
        )


def require_offered(instrument: catalogue.Instrument, *, to: str) -> None:
    """The instrument is listed, and shared with others where the buyer is not its own unit.

    Raises:
        InstrumentNotOffered: when it takes no orders from this buyer.
    """
    if not instrument.is_listed:
        raise InstrumentNotOffered(f"It is {instrument.status}.")
    if instrument.share_mode != "external" and to != CustomerClass.OWN_UNIT:
        raise InstrumentNotOffered("Its unit does not share it with others.")


def _buyer_id(tx: Tx, command: MakeQuote) -> int:
    own = tx.actor.organisation_id
    if command.buyer_id is None or command.buyer_id == own:
        return own
    # An agent may ask for an SME; the order itself is signed and paid by the SME.
    if tx.actor.has(Role.STATION_AGENT, "system"):
        return command.buyer_id
    raise QuoteMissing("A quote can be asked for by the buyer itself or by a station's agent.")


def require_good_standing(*organisations: parties.Organisation) -> None:
    """None of the organisations is suspended.

    Raises:
        PartySuspended: naming each that is.
    """
    reasons = Reasons()
    for organisation in organisations:
        if organisation.suspended_at is not None:
            reasons.add("suspended", f"{organisation.name} is suspended.", asked=organisation.id)
    reasons.raise_as(PartySuspended)


def terms_on(tx: Tx) -> dict[str, Any]:
    """The dated terms that will decide about the order, as they are today."""
    book, day = rulebook(), tx.today
    return {
        "orders": book.orders.snapshot(day),
        "booking": book.booking.snapshot(day),
    }
