"""A quote: price, voucher part, own part, every rule that applied, frozen for a time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from marketplace.billing.pricing import queries as pricing
from marketplace.catalogue import queries as catalogue
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
from marketplace.orders.queries.quotes import Quote
from marketplace.orders.rules.customers import CustomerClass, customer_class
from marketplace.orders.rules.sample_notice import order_until, require_notice
from marketplace.orders.rules.states import Mode
from marketplace.parties import queries as parties
from marketplace.parties.roles import Role
from marketplace.rulebook import rulebook
from marketplace.vouchers import queries as vouchers


@dataclass(frozen=True, slots=True)
class MakeQuote:
    """What would this service cost this buyer? `buyer_id` is for a station agent to fill in.

    `arrives_on` is the day on which the buyer's samples are to arrive, where it knows it.
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

    def during(self) -> During | None:
        """The interval asked for, or None for samples.

        Raises:
            QuoteUnclear: when the command is neither machine time nor samples.
        """
        if self.mode == Mode.SAMPLES:
            if self.samples is None or self.starts_at or self.ends_at:
                raise QuoteUnclear("For samples, say how many, and no times.")
            if self.arrives_on and not EARLIEST.date() <= self.arrives_on < LATEST.date():
                raise QuoteUnclear("The samples' day is not of this century.")
            return None
        if self.arrives_on is not None:
            raise QuoteUnclear("Machine time has its start; only samples arrive on a day.")
        if self.starts_at is None or self.ends_at is None or self.samples is not None:
            raise QuoteUnclear("For machine time, say from when until when, and no samples.")
        if not EARLIEST <= self.starts_at < self.ends_at <= LATEST:
            raise QuoteUnclear("The time ends before it starts, or is not of this century.")
        return During(self.starts_at, self.ends_at)


@dataclass(frozen=True, slots=True)
class Offered:
    """What a provider's offer says beside the service: for whom, until when, and at which price.

    A price set by hand is per unit and takes the place of the list's for that unit.
    """

    buyer_id: int
    agent_id: int | None
    valid_until: datetime
    manual_unit: str | None = None
    manual_unit_fen: int | None = None


async def make_quote(tx: Tx, command: MakeQuote, offered: Offered | None = None) -> Quote:
    """Price a service for a buyer and freeze what was said: list, lines, voucher, terms.

    Nothing is reserved or held by a quote; the order does that.
    Policy: J.15, J.21d, J.22b

    Raises:
        QuoteUnclear: when it is not clear what is asked.
        PartySuspended: when buyer or provider is.
        SamplesTooSoon: when the samples would arrive before the provider has its notice.
        PurposeUnknown: when the purpose is none that is free of charge.
        InstrumentNotOffered: when the instrument takes no orders from this buyer.
        NoPriceInForce: when it has no price for this buyer and mode.
    """
    during = command.during()
    _require_notice(tx, command)
    _require_purpose(tx, command.purpose)
    buyer_id = _buyer_id(tx, command) if offered is None else offered.buyer_id
    buyer = await parties.organisation(tx, buyer_id)
    instrument = await catalogue.instrument(tx, command.instrument_id)
    provider = await parties.organisation(tx, instrument.provider_id)
    require_good_standing(buyer, provider)
    profile = await parties.sme_profile(tx, parties.SmeYear(buyer.id, tx.today.year))
    buyer_class = customer_class(
        kind=buyer.kind,
        same_legal_entity=buyer.legal_entity_id == provider.legal_entity_id,
        has_sme_profile=profile is not None,
    )
    require_offered(instrument, to=buyer_class)
    priced = await pricing.price_service(
        tx,
        pricing.ServiceAsked(
            instrument_id=instrument.id,
            customer_class=buyer_class,
            mode=command.mode,
            on=tx.today,
            minutes=during.minutes if during else 0,
            samples=command.samples or 0,
            starts_at=command.starts_at,
            purpose=command.purpose,
            unit=None if offered is None else offered.manual_unit,
            manual_fen=None if offered is None else offered.manual_unit_fen,
        ),
    )
    voucher_fen, told = await voucher_told(
        tx,
        vouchers.VoucherQuestion(
            organisation_id=buyer.id,
            provider_id=provider.id,
            service_kind=command.service_kind,
            service_value_fen=priced.total_fen,
            on=tx.today if during is None else shanghai_day(during.starts_at),
        ),
        asked=command.use_voucher,
    )
    return await _freeze(
        tx,
        command,
        buyer_id=buyer.id,
        provider_id=provider.id,
        customer_class=buyer_class,
        price_list_id=priced.price_list_id,
        lines=[asdict(line) for line in priced.lines],
        total_fen=priced.total_fen,
        voucher_fen=voucher_fen,
        own_fen=priced.total_fen - voucher_fen,
        explanation={"cost_sheet_id": priced.cost_sheet_id, "voucher": told},
        **_as_offered(tx, command, offered, buyer_id=buyer.id),
    )


def _as_offered(
    tx: Tx, command: MakeQuote, offered: Offered | None, *, buyer_id: int
) -> dict[str, Any]:
    """Who asked, until when it holds, and the price set by hand, if any."""
    valid_days = rulebook().orders.quote_valid_days.on(tx.today)
    valid_until = _valid_until(tx, command, valid_days=valid_days)
    if offered is None:
        own = tx.actor.organisation_id
        return {"agent_id": None if buyer_id == own else own, "valid_until": valid_until}
    return {
        "agent_id": offered.agent_id,
        "valid_until": min(valid_until, offered.valid_until),
        "manual_unit": offered.manual_unit,
        "manual_unit_fen": offered.manual_unit_fen,
    }


async def _freeze(tx: Tx, command: MakeQuote, *, buyer_id: int, **told: Any) -> Quote:
    return await tx.one(
        Quote,
        insert(tables.quote)
        .values(
            buyer_id=buyer_id,
            instrument_id=command.instrument_id,
            mode=command.mode,
            starts_at=command.starts_at,
            ends_at=command.ends_at,
            samples=command.samples,
            purpose=command.purpose,
            service_kind=command.service_kind,
            terms=terms_on(tx),
            arrives_on=command.arrives_on,
            made_by=tx.actor.person_id,
            made_at=tx.now,
            priced_on=tx.today,
            **told,
        )
        .returning(*(tables.quote.c[name] for name in Quote.__dataclass_fields__)),
    )


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


async def voucher_told(
    tx: Tx, question: vouchers.VoucherQuestion, *, asked: bool
) -> tuple[int, dict[str, Any]]:
    """What the voucher would pay, and how that came about."""
    if not asked or question.service_value_fen == 0:
        return 0, {"asked": asked, "layers": [], "explanation": [], "refusals": []}
    part = await vouchers.voucher_part(tx, question)
    return part.total_fen, {
        "asked": True,
        "grant_id": part.grant_id,
        "layers": [asdict(layer) for layer in part.layers],
        "explanation": list(part.explanation),
        "refusals": [asdict(reason) for reason in part.refusals],
    }
