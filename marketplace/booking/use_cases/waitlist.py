"""Wait for time on an instrument; accept, decline, or leave the list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import insert

from marketplace.booking.errors import (
    ExternalTimeIsOrdered,
    NotYourEntry,
    OfferOver,
    ReservationRefused,
    WaitingRefused,
)
from marketplace.booking.events import (
    OfferDeclined,
    ReservationCancelled,
    ReservationPlaced,
    WaitingBegan,
)
from marketplace.booking.queries.free_time import own_class_at
from marketplace.booking.queries.reservations import (
    Reservation,
    as_range,
    locked_reservation,
    reservation,
)
from marketplace.booking.queries.standing import standing
from marketplace.booking.queries.timetables import require_visible, schedule
from marketplace.booking.queries.waiting import offer_terms, offers_like
from marketplace.booking.queries.waitlist import (
    Entry,
    ListedEntry,
    entry_columns,
    locked_entry,
    made_entry,
    open_entries_of,
    visible_entry,
)
from marketplace.booking.rules.alternatives import aligned
from marketplace.booking.rules.schedule import Schedule
from marketplace.booking.rules.standing import StandingAsked, lasting_refusals
from marketplace.booking.rules.states import Purpose, Status, UserClass, first_status
from marketplace.booking.rules.waiting import (
    EntryStatus,
    Outcome,
    Wish,
    require_entry_in,
    waiting_refusals,
)
from marketplace.booking.tables import waitlist_entry
from marketplace.booking.use_cases.change import change_status
from marketplace.booking.use_cases.handing_on import placement
from marketplace.booking.use_cases.place import answer_by, reasons_against
from marketplace.booking.use_cases.waiting_ends import end_entries, end_offers
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing, Reason, Reasons
from marketplace.kernel.time import During
from marketplace.parties.roles import Role
from marketplace.rulebook import rulebook

_MINUTE = timedelta(minutes=1)
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class JoinWaitlist:
    """Wait for a time that fits a wish; `purpose` is for the provider's own people to say."""

    instrument_id: int
    wish: Wish
    purpose: Purpose | None = None


@dataclass(frozen=True, slots=True)
class OnEntry:
    """A step on an entry of a waiting list."""

    entry_id: int


async def join_waitlist(tx: Tx, command: JoinWaitlist) -> ListedEntry:
    """Wait in the list of an instrument; time that is free is offered at once.

    Raises:
        InstrumentMissing: when it is not listed, or of another unit and the actor orders nothing.
        ExternalTimeIsOrdered: when the provider's own people wait for the purpose of others.
        WaitingRefused: with everything that is in the way.
        AlreadyWaiting: for the same window twice.
    """
    around = During(tx.now, max(tx.now, command.wish.during.starts_at) + _A_DAY)
    general = await schedule(tx, command.instrument_id, around)
    require_visible(tx, general)
    user_class = await own_class_at(tx, general.provider_id)
    found = general.for_class(user_class)
    purpose = _purpose(tx, command, found)
    reasons = Reasons(
        [
            *waiting_refusals(
                found, command.wish, purpose=purpose, at=tx.now, terms=offer_terms(tx)
            ),
            *await _in_person(tx, command, found, purpose, user_class),
        ]
    )
    most = rulebook().booking.waitlist_entries_max.on(tx.today)
    if (present := await open_entries_of(tx, tx.actor.person_id)) >= most:
        reasons.add(
            "waitlist-entries",
            f"One person waits for at most {most} times at once. Withdraw another entry first.",
            limit=most,
            asked=present + 1,
            source="J.gap",
        )
    reasons.raise_as(WaitingRefused)
    entry = await _write_entry(tx, command, found, purpose, user_class)
    tx.audit("join", subject="waitlist_entry", subject_id=entry.id, minutes=entry.minutes)
    tx.record(WaitingBegan(entry_id=entry.id, instrument_id=entry.instrument_id))
    return await visible_entry(tx, entry.id)


def _purpose(tx: Tx, command: JoinWaitlist, found: Schedule) -> Purpose:
    if found.provider_id == tx.actor.organisation_id:
        if command.purpose is Purpose.EXTERNAL:
            raise ExternalTimeIsOrdered("The customer waits, and orders what is offered.")
        return command.purpose or Purpose.OWN_RESEARCH
    if not tx.actor.has(Role.BUYER):
        raise InstrumentMissing()
    # As an order reserves it: people of the same legal entity do research of their own.
    own = found.user_class is UserClass.OWN_UNIT
    return Purpose.OWN_RESEARCH if own else Purpose.EXTERNAL


async def _in_person(
    tx: Tx, command: JoinWaitlist, found: Schedule, purpose: Purpose, user_class: UserClass
) -> tuple[Reason, ...]:
    """What stops the person whichever time comes free; quotas of other weeks may have room."""
    starts_at = aligned(max(tx.now, command.wish.during.starts_at), found.terms.step_minutes)
    asked = StandingAsked(
        schedule=found,
        during=During(starts_at, starts_at + _MINUTE * command.wish.minutes),
        purpose=purpose,
        user_class=user_class,
        person_id=tx.actor.person_id,
        organisation_id=tx.actor.organisation_id,
    )
    who = await standing(tx, asked, lock=False)
    return tuple(reason for reason in lasting_refusals(who, asked) if reason.rule != "quota")


async def _write_entry(
    tx: Tx, command: JoinWaitlist, found: Schedule, purpose: Purpose, user_class: UserClass
) -> Entry:
    wish = command.wish
    return await tx.one(
        made_entry,
        insert(waitlist_entry)
        .values(
            instrument_id=found.instrument_id,
            provider_id=found.provider_id,
            organisation_id=tx.actor.organisation_id,
            person_id=tx.actor.person_id,
            user_class=user_class,
            purpose=purpose,
            during=as_range(wish.during),
            minutes=wish.minutes,
            weekdays=sorted(set(wish.weekdays)),
            earliest_minute=wish.earliest_minute,
            latest_minute=wish.latest_minute,
            status=EntryStatus.WAITING,
            made_at=tx.now,
            changed_at=tx.now,
        )
        .returning(*entry_columns()),
    )


async def withdraw_entry(tx: Tx, command: OnEntry) -> ListedEntry:
    """Leave the list; a time that was offered is the next one's.

    Raises:
        Missing: when the entry is another organisation's.
        NotYourEntry: for a colleague who is no administrator of the organisation.
        EntryNotInState: when it is over.
    """
    entry, offered = await _own_entry(tx, command.entry_id)
    require_entry_in(entry.status, EntryStatus.WAITING, EntryStatus.OFFERED)
    if offered is not None and offered.status is Status.OFFERED:
        await _give_back(tx, offered, "Who waited left the list.")
        await end_offers(tx, [(entry, Outcome.WITHDRAWN)])
    await end_entries(tx, [entry], EntryStatus.WITHDRAWN, "Withdrawn.")
    tx.audit("withdraw", subject="waitlist_entry", subject_id=entry.id)
    return await visible_entry(tx, entry.id)


async def decline_offer(tx: Tx, command: OnEntry) -> ListedEntry:
    """Let an offered time go, and wait on for another: this one is not offered again.

    Raises:
        Missing: when the entry is another organisation's.
        NotYourEntry: for a colleague who is no administrator of the organisation.
        EntryNotInState: when nothing is offered.
        OfferOver: when it has lapsed.
    """
    entry, offered = await _standing_offer(tx, command.entry_id)
    await _give_back(tx, offered, "Declined by who waited for it.")
    await end_offers(tx, [(entry, Outcome.DECLINED)])
    tx.audit("decline", subject="waitlist_entry", subject_id=entry.id, reservation_id=offered.id)
    tx.record(
        OfferDeclined(
            entry_id=entry.id, reservation_id=offered.id, instrument_id=entry.instrument_id
        )
    )
    return await visible_entry(tx, entry.id)


async def accept_offer(tx: Tx, command: OnEntry) -> Reservation:
    """Take an offered time on an instrument of the own unit; a request where it needs approval.

    Raises:
        Missing: when the entry is another organisation's.
        ExternalTimeIsOrdered: for customers, who order exactly this time instead.
        NotYourEntry: for a colleague of who waits.
        EntryNotInState: when nothing is offered.
        OfferOver: when it has lapsed.
        ReservationRefused: when a rule has changed meanwhile, with every reason.
    """
    entry, offered = await _standing_offer(tx, command.entry_id, colleagues=False)
    if entry.is_ordered:
        raise ExternalTimeIsOrdered(
            "Make a quote for exactly this time and order it: the order takes the offer over.",
            instrument_id=entry.instrument_id,
            starts_at=offered.starts_at,
            ends_at=offered.ends_at,
            held_until=offered.held_until,
        )
    asked = placement(entry, offered.during)
    found = await schedule(tx, entry.instrument_id, asked.during, user_class=entry.user_class)
    reasons = await reasons_against(tx, asked, found, besides=offered.id)
    Reasons(list(reasons)).raise_as(ReservationRefused)
    status = first_status(needs_approval=found.terms.needs_approval, purpose=entry.purpose)
    confirmed = status is Status.CONFIRMED
    await change_status(
        tx,
        offered,
        status,
        placed_at=tx.now,
        confirmed_at=tx.now if confirmed else None,
        held_until=None if confirmed else answer_by(tx, asked, found),
    )
    await end_offers(tx, [(entry, Outcome.ACCEPTED)])
    tx.audit("accept", subject="waitlist_entry", subject_id=entry.id, reservation_id=offered.id)
    tx.record(
        ReservationPlaced(
            reservation_id=offered.id,
            order_id=0,
            instrument_id=entry.instrument_id,
            status=status,
        )
    )
    return await reservation(tx, offered.id)


@dataclass(frozen=True, slots=True)
class NoteTaken:
    """A reservation was placed: perhaps it is what somebody was offered."""

    reservation_id: int


async def note_taken(tx: Tx, command: NoteTaken) -> bool:
    """End the entry whose offered time its organisation has taken, for instance by an order.

    Where an instrument has several seats the order may have got another one: then the seat that
    was kept is given back.
    """
    like = await offers_like(tx, command.reservation_id)
    if not like:
        return False
    entry = like[0]
    if entry.reservation_id is not None and entry.reservation_id != command.reservation_id:
        kept = await locked_reservation(tx, entry.reservation_id)
        if kept.status is not Status.OFFERED:
            return False
        await _give_back(tx, kept, "The same time was taken on another seat.")
    await end_offers(tx, [(entry, Outcome.ACCEPTED)])
    return True


async def _own_entry(
    tx: Tx, entry_id: int, *, colleagues: bool = True
) -> tuple[Entry, Reservation | None]:
    """An entry that the actor may act on, with what is offered to it: first time, then entry."""
    seen = (await visible_entry(tx, entry_id)).entry
    if seen.organisation_id != tx.actor.organisation_id:
        raise Missing("There is no such entry in a waiting list.")
    may = colleagues and tx.actor.has(Role.SME_ADMINISTRATOR, Role.PROVIDER_MANAGER)
    if seen.person_id != tx.actor.person_id and not may:
        raise NotYourEntry("Ask the person who waits, or an administrator of your organisation.")
    offered = None
    if seen.status is EntryStatus.OFFERED and seen.reservation_id is not None:
        offered = await locked_reservation(tx, seen.reservation_id)
    entry = await locked_entry(tx, entry_id)
    if entry.status is EntryStatus.OFFERED and offered is None:
        # Offered between the two looks: the caller has not seen it, and nobody waits for a lock.
        require_entry_in(entry.status, EntryStatus.WAITING)
    return entry, offered if entry.status is EntryStatus.OFFERED else None


async def _standing_offer(
    tx: Tx, entry_id: int, *, colleagues: bool = True
) -> tuple[Entry, Reservation]:
    entry, offered = await _own_entry(tx, entry_id, colleagues=colleagues)
    require_entry_in(entry.status, EntryStatus.OFFERED)
    if (
        offered is None
        or offered.id != entry.reservation_id
        or offered.status is not Status.OFFERED
        or (offered.held_until is not None and offered.held_until <= tx.now)
    ):
        raise OfferOver("You wait on for another time, unless too many offers lapsed.")
    return entry, offered


async def _give_back(tx: Tx, offered: Reservation, reason: str) -> None:
    await change_status(tx, offered, Status.CANCELLED, reason=reason)
    tx.record(
        ReservationCancelled(
            reservation_id=offered.id,
            order_id=0,
            instrument_id=offered.instrument_id,
            late=False,
            fee_basis_points=0,
            by_provider=False,
            reason=reason,
        )
    )
