"""How every use case takes an enquiry by the hand and leads it one step on.

The enquiry's row is locked first, then its offer's: whoever comes second sees what the first did.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert, update

from marketplace.kernel.db import Tx
from marketplace.orders.enquiry_errors import EnquiryMissing, EnquiryStepNotOpen
from marketplace.orders.events import EnquiryEnded, OfferEnded
from marketplace.orders.queries.enquiries import Enquiry, enquiry_columns, require_side
from marketplace.orders.rules.enquiries import (
    ENDS,
    EnquiryStatus,
    EnquiryStep,
    OfferStatus,
    after,
    due_at,
)
from marketplace.orders.rules.rescheduling import Side
from marketplace.orders.tables import enquiry, enquiry_event, enquiry_offer
from marketplace.rulebook import rulebook

# What becomes of the offer that stands when its enquiry ends, and of one that awaits approval.
_STANDING_ENDS = {
    EnquiryStatus.DECLINED: OfferStatus.DECLINED,
    EnquiryStatus.LAPSED: OfferStatus.LAPSED,
    EnquiryStatus.WITHDRAWN: OfferStatus.WITHDRAWN,
}


async def lock_enquiry(tx: Tx, enquiry_id: int) -> Enquiry:
    """The enquiry, locked until the transaction ends.

    Raises:
        EnquiryMissing: when there is none.
    """
    return await tx.one(
        Enquiry,
        enquiry_columns().where(enquiry.c.id == enquiry_id).with_for_update(of=enquiry),
        missing=EnquiryMissing,
    )


async def lock_in_time(tx: Tx, enquiry_id: int, *sides: Side) -> tuple[Enquiry, Side]:
    """An enquiry that one of `sides` may act on now, locked, and the side that the caller is.

    Raises:
        EnquiryMissing: for others, and for a side that has nothing to do here.
        EnquiryStepNotOpen: when its time is over, whether or not a worker has said so yet.
    """
    found = await lock_enquiry(tx, enquiry_id)
    side = require_side(tx, found)
    if side not in sides:
        raise EnquiryMissing(f"This is for the {' or the '.join(sides)} to do.")
    if found.due_at is not None and found.due_at <= tx.now:
        raise EnquiryStepNotOpen(
            "Its time is over; it lapses.",
            enquiry_status=str(EnquiryStatus.LAPSED),
            due_at=found.due_at.isoformat(),
        )
    return found, side


async def take_step(
    tx: Tx,
    found: Enquiry,
    step: EnquiryStep,
    *,
    because: str = "",
    offer_until: datetime | None = None,
    answered: bool = False,
    **facts: Any,
) -> Enquiry:
    """Lead the enquiry one step on; at an end, its offers end with it.

    `answered` marks what the provider did for the buyer to see: the first counts as its answer.

    Raises:
        EnquiryStepNotOpen: when the enquiry's status has no such step.
    """
    status = after(EnquiryStatus(found.status), step)
    ended = status in ENDS
    idle_days = rulebook().orders.enquiry_idle_days.on(tx.today)
    changes: dict[str, Any] = {
        "status": status,
        "changed_at": tx.now,
        "due_at": due_at(
            status,
            at=tx.now,
            answer_until=found.answer_until,
            idle_days=idle_days,
            offer_until=offer_until,
        ),
    }
    if answered and found.answered_at is None:
        changes["answered_at"] = tx.now
    if ended:
        changes |= {"ended_at": tx.now, "ended_because": because}
        await _end_offers(tx, found, status, because=because)
    await tx.execute(update(enquiry).where(enquiry.c.id == found.id).values(changes))
    await note(tx, found.id, str(step), status=str(status), because=because, **facts)
    if ended:
        tx.record(EnquiryEnded(found.id, found.buyer_id, found.provider_id, status))
    return await lock_enquiry(tx, found.id)


async def _end_offers(tx: Tx, found: Enquiry, status: EnquiryStatus, *, because: str) -> None:
    table = enquiry_offer
    endings = {OfferStatus.AWAITING_APPROVAL: OfferStatus.REFUSED}
    if status in _STANDING_ENDS:
        endings[OfferStatus.STANDING] = _STANDING_ENDS[status]
    for standing, end in endings.items():
        await tx.execute(
            update(table)
            .where(table.c.enquiry_id == found.id, table.c.status == standing)
            .values(
                status=end,
                ended_by=tx.actor.person_id,
                ended_at=tx.now,
                ended_because=because or f"The enquiry is {status}.",
            )
        )


async def end_standing(tx: Tx, found: Enquiry, status: OfferStatus, *, because: str) -> None:
    """End the offer that stands, if one does, and tell the buyer's side."""
    table = enquiry_offer
    ended = await tx.scalar(
        update(table)
        .where(table.c.enquiry_id == found.id, table.c.status == OfferStatus.STANDING)
        .values(status=status, ended_by=tx.actor.person_id, ended_at=tx.now, ended_because=because)
        .returning(table.c.id)
    )
    if ended is not None:
        tx.record(OfferEnded(found.id, found.buyer_id, found.provider_id, ended, status))


async def note(tx: Tx, enquiry_id: int, kind: str, *, internal: bool = False, **facts: Any) -> None:
    """Write down what happened, for both sides or for the provider alone, and for the audit."""
    await tx.execute(
        insert(enquiry_event).values(
            enquiry_id=enquiry_id,
            at=tx.now,
            person_id=tx.actor.person_id,
            kind=kind,
            internal=internal,
            facts=facts,
        )
    )
    tx.audit(kind, subject="enquiry", subject_id=enquiry_id, **facts)
