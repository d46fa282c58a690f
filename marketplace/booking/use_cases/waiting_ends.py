"""How offers and entries of waiting lists end, whoever ends them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, func, literal, select, update

from marketplace.booking.events import OfferLapsed
from marketplace.booking.queries.waiting import ended_offers, offer_terms
from marketplace.booking.queries.waitlist import Entry
from marketplace.booking.rules.schedule import RESERVATION_MINUTES_MAX
from marketplace.booking.rules.states import Status
from marketplace.booking.rules.waiting import EntryStatus, Outcome, entry_after, outcome_of
from marketplace.booking.tables import slot_offer, waitlist_entry
from marketplace.booking.use_cases.seats import end_lapsed
from marketplace.kernel.db import Tx
from marketplace.rulebook import rulebook

BATCH = 50


async def settle_offers(tx: Tx, instrument_ids: Sequence[int] | None = None) -> int:
    """End what was offered and is not any more: taken, taken back, or not answered in time.

    Works off a batch, of some instruments or of all, and returns how many there were.
    """
    ended = await ended_offers(tx, instrument_ids=instrument_ids, limit=BATCH)
    lapsed = [one for one in ended if one.reservation.status is Status.OFFERED]
    if lapsed:
        await end_lapsed(tx, [one.reservation for one in lapsed])
    outcomes = [(one.entry, outcome_of(one.reservation.status) or Outcome.LAPSED) for one in ended]
    await end_offers(tx, outcomes)
    return len(ended)


async def end_offers(tx: Tx, ended: Sequence[tuple[Entry, Outcome]]) -> None:
    """Note what became of offers whose entries are locked, and what becomes of the entries."""
    if not ended:
        return
    lapsed_max = rulebook().booking.offers_lapsed_max.on(tx.today)
    rows: list[dict[str, Any]] = []
    for entry, outcome in ended:
        lapsed = entry.offers_lapsed + (outcome is Outcome.LAPSED)
        following = entry_after(outcome, offers_lapsed=lapsed, lapsed_max=lapsed_max)
        closed = following is EntryStatus.CLOSED
        rows.append(
            {
                "of_entry": entry.id,
                "outcome": outcome,
                "following": following,
                "lapsed": lapsed,
                "over_at": None if following is EntryStatus.WAITING else tx.now,
                "because": f"{lapsed} offers were not answered." if closed else None,
            }
        )
        if outcome is Outcome.LAPSED and entry.reservation_id is not None:
            tx.record(
                OfferLapsed(
                    entry_id=entry.id,
                    reservation_id=entry.reservation_id,
                    instrument_id=entry.instrument_id,
                    person_id=entry.person_id,
                    organisation_id=entry.organisation_id,
                    closed=closed,
                )
            )
    await tx.execute(
        update(slot_offer)
        .where(slot_offer.c.entry_id == bindparam("of_entry"), slot_offer.c.outcome.is_(None))
        .values(outcome=bindparam("outcome"), ended_at=tx.now),
        [{"of_entry": row["of_entry"], "outcome": row["outcome"]} for row in rows],
    )
    await tx.execute(
        update(waitlist_entry)
        .where(waitlist_entry.c.id == bindparam("of_entry"))
        .values(
            status=bindparam("following"),
            offers_lapsed=bindparam("lapsed"),
            ended_at=bindparam("over_at"),
            ended_because=bindparam("because"),
            changed_at=tx.now,
        ),
        [{name: value for name, value in row.items() if name != "outcome"} for row in rows],
    )


async def end_entries(tx: Tx, entries: Sequence[Entry], status: EntryStatus, because: str) -> None:
    """End entries whose rows are locked, and say why."""
    if entries:
        await tx.execute(
            update(waitlist_entry)
            .where(waitlist_entry.c.id.in_([entry.id for entry in entries]))
            .values(status=status, ended_at=tx.now, ended_because=because, changed_at=tx.now)
        )


async def end_past_entries(tx: Tx, _: None = None) -> int:
    """End the entries of whose window too little is left; a batch of them."""
    table = waitlist_entry.c
    longest = timedelta(minutes=RESERVATION_MINUTES_MAX + offer_terms(tx).decide_minutes)
    needed = func.make_interval(
        0, 0, 0, 0, 0, table.minutes + literal(offer_terms(tx).decide_minutes)
    )
    over = (
        select(table.id)
        .where(
            table.status == EntryStatus.WAITING,
            # The plain comparison finds them by their index; the other says which of them.
            func.upper(table.during) < tx.now + longest,
            func.upper(table.during) < tx.now + needed,
        )
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    ended = await tx.execute(
        update(waitlist_entry)
        .where(table.id.in_(over))
        .values(
            status=EntryStatus.LAPSED,
            ended_at=tx.now,
            ended_because="No time came free.",
            changed_at=tx.now,
        )
    )
    return ended.rowcount
