"""The order: time reserved, voucher and money held, contract signed, or nothing at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import insert, update

from marketplace.billing.credit import use_cases as credit
from marketplace.billing.credit.queries import LineInUse
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.orders import tables
from marketplace.orders.errors import (
    QuoteExpired,
    QuoteMissing,
    QuoteUsed,
    SampleSetMissing,
)
from marketplace.orders.events import OrderConfirmed, OrderPlaced
from marketplace.orders.queries.items import quote_items
from marketplace.orders.queries.orders import Order
from marketplace.orders.queries.quotes import Quote, quote_columns
from marketplace.orders.rules.contract import (
    VERSION,
    Party,
    Service,
    contract_document,
    contract_text,
    document_sha256,
    require_clauses,
)
from marketplace.orders.rules.states import Status
from marketplace.orders.use_cases.items import agreed_items, insert_items
from marketplace.orders.use_cases.make_quote import require_good_standing, require_offered
from marketplace.orders.use_cases.money import hold_own_money, hold_voucher
from marketplace.orders.use_cases.reserve import reserve_items
from marketplace.orders.use_cases.steps import note
from marketplace.parties import queries as parties
from marketplace.rulebook import rulebook


@dataclass(frozen=True, slots=True)
class SamplesSent:
    """What the buyer says of its samples: what they are, dangers, and where they go after."""

    description: str
    hazards: str
    disposal: str


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Turn a quote into an order, signed by the buyer.

    `clauses` has a text for every required clause; `own_fen_max` is the most the buyer agrees to
    pay itself where the voucher covers less than quoted; `on_account` lets it owe that part on its
    credit line with the provider; `signed_from` is the signer's address.
    """

    quote_id: int
    clauses: Mapping[str, str]
    samples: SamplesSent | None = None
    own_fen_max: int | None = None
    signed_from: str = ""
    on_account: bool = False


@dataclass(frozen=True, slots=True)
class _Sides:
    """Both parties as they are on the day of the order."""

    buyer: parties.Organisation
    provider: parties.Organisation
    buyer_entity: parties.LegalEntity
    provider_entity: parties.LegalEntity
    profile: parties.SmeProfile | None
    affiliated_because: str | None


@dataclass(frozen=True, slots=True)
class _Agreed:
    """A quote as it is ordered: who pays which part of it, and from what."""

    quote: Quote
    reimbursed_fen: int
    on_account: bool


async def place_order(tx: Tx, command: PlaceOrder) -> Order:
    """Place the order that a quote describes, whole or not at all.

    The story, in the order in which locks are taken: the quote is used up; the time is reserved;
    the voucher's part is held; the buyer's own part is held on its wallet; the contract is made
    with both parties as they are today and signed by the buyer. Where the provider lets its time
    be booked at once, its published offer is its signature; otherwise it answers.
    Policy: J.18a, J.22b, N.24c, N.25b

    Raises:
        QuoteMissing, QuoteExpired, QuoteUsed: when the quote makes no order (any more).
        ClausesIncomplete: naming every clause that is wanting.
        ReservationRefused: with every reason, when the time cannot be had.
        ItemsNotFree: with every reason of every item, when not all of several can be had.
        VoucherCoversLess: when the buyer has to agree to a larger own part.
        WalletShort: with what is missing.
        CreditRefused, CreditShort: when the own part cannot be owed on account.
        FreeUseNotApproved: when its purpose makes it free and nobody has approved that.
    """
    quote = await _lock_quote(tx, command.quote_id)
    required = quote.term("orders", "contract_clauses")
    require_clauses(command.clauses, required=required)
    items = await quote_items(tx, quote.id)
    samples = sum(item.samples or 0 for item in items)
    if (samples > 0) != (command.samples is not None):
        raise SampleSetMissing("An order for samples describes them; another has none.")
    known = await catalogue.instruments(tx, {item.instrument_id for item in items})
    for one in known.values():
        require_offered(one, to=quote.customer_class)
    titles = {one.id: one.cname for one in known.values()}
    sides = await _sides(tx, quote)
    placed = await _insert_order(tx, quote, sides, title=titles[quote.instrument_id])
    await insert_items(tx, placed.id, items, titles=titles)
    reserved = await reserve_items(tx, placed, quote, items, titles=titles)
    held = await hold_voucher(tx, placed.id, quote, own_fen_max=command.own_fen_max)
    parts = held.parts
    line = await _line(tx, placed, own_fen=parts.own_fen) if command.on_account else None
    own_hold_id = await hold_own_money(
        tx, placed.id, buyer_id=placed.buyer_id, own_fen=parts.own_fen, line=line
    )
    # A free purpose is a claim that the provider has to look at (N.25a): no standing offer.
    by_standing_offer = (
        len(reserved) == len(items)
        and all(one.status == "confirmed" for one in reserved.values())
        and quote.purpose is None
    )
    placed = await _complete_order(
        tx,
        placed,
        status=Status.CONFIRMED if by_standing_offer else Status.PLACED,
        confirmed_at=tx.now if by_standing_offer else None,
        credit_line_id=None if line is None else line.line.id,
        voucher_fen=parts.voucher_fen,
        own_fen=parts.own_fen,
        own_hold_id=own_hold_id,
        reservation_id=reserved[1].id if 1 in reserved else None,
    )
    terms = _Agreed(quote, held.reimbursed_fen, on_account=line is not None)
    await _make_contract(tx, placed, terms, sides, command, by_standing_offer=by_standing_offer)
    if command.samples is not None:
        await tx.execute(
            insert(tables.sample_set).values(
                order_id=placed.id, samples=samples, **asdict(command.samples)
            )
        )
    await tx.execute(
        update(tables.quote).where(tables.quote.c.id == quote.id).values(used_at=tx.now)
    )
    await _tell(tx, placed, terms, by_standing_offer=by_standing_offer)
    return placed


async def _line(tx: Tx, placed: Order, *, own_fen: int) -> LineInUse | None:
    """The credit line that an order on account is owed on; none where nothing is to be owed."""
    if own_fen == 0:
        return None
    return await credit.usable_line(tx, provider_id=placed.provider_id, buyer_id=placed.buyer_id)


async def _lock_quote(tx: Tx, quote_id: int) -> Quote:
    """The buyer's own quote, locked, unused and valid."""
    found = await tx.one(
        Quote,
        quote_columns().where(tables.quote.c.id == quote_id).with_for_update(),
        missing=QuoteMissing,
    )
    if tx.actor.organisation_id != found.buyer_id and not tx.actor.has("system"):
        raise QuoteMissing("An order is signed by the buyer itself.")
    if found.used_at is not None:
        raise QuoteUsed("Ask for a new quote to order the same again.")
    if found.valid_until <= tx.now:
        raise QuoteExpired(
            f"It was valid until {found.valid_until.isoformat()}; ask for a new one.",
            valid_until=found.valid_until.isoformat(),
        )
    return found


async def _sides(tx: Tx, quote: Quote) -> _Sides:
    buyer = await parties.organisation(tx, quote.buyer_id)
    provider = await parties.organisation(tx, quote.provider_id)
    require_good_standing(buyer, provider)
    tie = await parties.affiliation(
        tx,
        parties.Pair(buyer.legal_entity_id, provider.legal_entity_id),
        rulebook().voucher.common_control_basis_points.on(tx.today),
    )
    return _Sides(
        buyer=buyer,
        provider=provider,
        buyer_entity=await parties.legal_entity(tx, buyer.legal_entity_id),
        provider_entity=await parties.legal_entity(tx, provider.legal_entity_id),
        profile=await parties.sme_profile(tx, parties.SmeYear(buyer.id, tx.today.year)),
        affiliated_because=None if tie is None else tie.detail,
    )


async def _insert_order(tx: Tx, quote: Quote, sides: _Sides, *, title: str) -> Order:
    """The order's row, with the quoted amounts; what is held is written when it is held.

    Time, voucher and money point at the order, so it comes first. That nothing of it is left out
    is checked by the database at COMMIT (`service_order_whole`).
    """
    profile = sides.profile
    frozen = None
    if profile is not None:
        frozen = asdict(profile) | {"filed_at": profile.filed_at.isoformat()}
    return await tx.one(
        Order,
        insert(tables.service_order)
        .values(
            quote_id=quote.id,
            buyer_id=quote.buyer_id,
            provider_id=quote.provider_id,
            agent_id=quote.agent_id,
            buyer_legal_entity_id=sides.buyer_entity.id,
            provider_legal_entity_id=sides.provider_entity.id,
            instrument_id=quote.instrument_id,
            title=title,
            mode=quote.mode,
            status=Status.PLACED,
            total_fen=quote.total_fen,
            voucher_fen=quote.voucher_fen,
            own_fen=quote.own_fen,
            affiliated_because=sides.affiliated_because,
            profile=frozen,
            placed_by=tx.actor.person_id,
            placed_at=tx.now,
        )
        .returning(*(tables.service_order.c[name] for name in Order.__dataclass_fields__)),
    )


async def _complete_order(tx: Tx, placed: Order, **held: object) -> Order:
    return await tx.one(
        Order,
        update(tables.service_order)
        .where(tables.service_order.c.id == placed.id)
        .values(**held)
        .returning(*(tables.service_order.c[name] for name in Order.__dataclass_fields__)),
    )


async def _make_contract(
    tx: Tx,
    placed: Order,
    terms: _Agreed,
    sides: _Sides,
    command: PlaceOrder,
    *,
    by_standing_offer: bool,
) -> None:
    quote = terms.quote
    document = contract_document(
        buyer=_party(sides.buyer, sides.buyer_entity),
        provider=_party(sides.provider, sides.provider_entity),
        service=Service(
            order_id=placed.id,
            quote_id=quote.id,
            instrument_id=placed.instrument_id,
            instrument=placed.title,
            mode=placed.mode,
            starts_at=None if quote.starts_at is None else quote.starts_at.isoformat(),
            ends_at=None if quote.ends_at is None else quote.ends_at.isoformat(),
            samples=quote.samples,
            price_list_id=quote.price_list_id,
            lines=quote.lines,
            total_fen=placed.total_fen,
            voucher_fen=placed.voucher_fen,
            own_fen=placed.own_fen,
            arrives_on=None if quote.arrives_on is None else quote.arrives_on.isoformat(),
            items=await agreed_items(tx, placed),
            on_account=terms.on_account,
            reimbursed_fen=terms.reimbursed_fen,
        ),
        clauses=command.clauses,
        order=quote.term("orders", "contract_clauses"),
        signed_at=tx.now.isoformat(),
    )
    # A standing offer published with the prices is accepted by ordering: Civil Code, Art. 491.
    await tx.execute(
        insert(tables.contract).values(
            order_id=placed.id,
            version=VERSION,
            document=document,
            text=contract_text(document),
            sha256=document_sha256(document),
            buyer_signed_by=tx.actor.person_id,
            buyer_signed_at=tx.now,
            buyer_signed_from=command.signed_from,
            provider_signed_how="standing_offer" if by_standing_offer else None,
            provider_signed_at=tx.now if by_standing_offer else None,
        )
    )


def _party(organisation: parties.Organisation, entity: parties.LegalEntity) -> Party:
    return Party(
        organisation_id=organisation.id,
        name=organisation.name,
        legal_entity=entity.name,
        uscc=entity.uscc,
        legal_representative=entity.legal_representative,
    )


async def _tell(tx: Tx, placed: Order, terms: _Agreed, *, by_standing_offer: bool) -> None:
    await note(
        tx,
        placed.id,
        "place",
        quote_id=terms.quote.id,
        total_fen=placed.total_fen,
        voucher_fen=placed.voucher_fen,
        own_fen=placed.own_fen,
        reimbursed_fen=terms.reimbursed_fen,
        on_account=terms.on_account,
        agent_id=placed.agent_id,
    )
    tx.record(OrderPlaced(placed.id, placed.buyer_id, placed.provider_id, placed.total_fen))
    if by_standing_offer:
        await note(tx, placed.id, "confirm", how="standing_offer")
        tx.record(OrderConfirmed(placed.id, placed.buyer_id, placed.provider_id))
