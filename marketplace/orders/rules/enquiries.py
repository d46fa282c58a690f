"""The life of an enquiry as one table, who may take which step, and when it lapses by itself."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum

from marketplace.kernel.errors import Reasons
from marketplace.kernel.time import shanghai_day, shanghai_instant, working_days_after
from marketplace.orders.enquiry_errors import EnquiryRefused, EnquiryStepNotOpen
from marketplace.orders.rules.rescheduling import Side

INSTRUMENTS_MAX = 10
MESSAGES_MAX = 500
FILES_MAX = 20
# Further ahead nobody plans, and no calendar reaches.
WISHED_DAYS_AHEAD_MAX = 366


class EnquiryStatus(StrEnum):
    """Where an enquiry stands. The last four are ends."""

    OPEN = "open"
    """Asked; the provider has until the deadline to answer."""
    ANSWERED = "answered"
    """The provider has written; no offer stands."""
    OFFERED = "offered"
    """An offer stands, and the buyer decides."""
    ACCEPTED = "accepted"
    """The buyer took the offer: its quote can be ordered while it is valid."""
    DECLINED = "declined"
    """The provider cannot do it, or the buyer wants no other offer."""
    LAPSED = "lapsed"
    """Nobody answered in time, nobody went on, or the offer's time was over."""
    WITHDRAWN = "withdrawn"
    """The buyer, or its agent, does not ask any more."""


class EnquiryStep(StrEnum):
    """What somebody does to an enquiry."""

    ANSWER = "answer"
    OFFER = "offer"
    TURN_DOWN = "turn_down"
    RETRACT = "retract"
    ACCEPT = "accept"
    DECLINE = "decline"
    LAPSE = "lapse"
    WITHDRAW = "withdraw"


TRANSITIONS: dict[tuple[EnquiryStatus, EnquiryStep], EnquiryStatus] = {
    (EnquiryStatus.OPEN, EnquiryStep.ANSWER): EnquiryStatus.ANSWERED,
    (EnquiryStatus.OPEN, EnquiryStep.OFFER): EnquiryStatus.OFFERED,
    (EnquiryStatus.OPEN, EnquiryStep.DECLINE): EnquiryStatus.DECLINED,
    (EnquiryStatus.OPEN, EnquiryStep.LAPSE): EnquiryStatus.LAPSED,
    (EnquiryStatus.OPEN, EnquiryStep.WITHDRAW): EnquiryStatus.WITHDRAWN,
    (EnquiryStatus.ANSWERED, EnquiryStep.OFFER): EnquiryStatus.OFFERED,
    (EnquiryStatus.ANSWERED, EnquiryStep.DECLINE): EnquiryStatus.DECLINED,
    (EnquiryStatus.ANSWERED, EnquiryStep.LAPSE): EnquiryStatus.LAPSED,
    (EnquiryStatus.ANSWERED, EnquiryStep.WITHDRAW): EnquiryStatus.WITHDRAWN,
    # Another round: the offer before it is superseded.
    (EnquiryStatus.OFFERED, EnquiryStep.OFFER): EnquiryStatus.OFFERED,
    (EnquiryStatus.OFFERED, EnquiryStep.TURN_DOWN): EnquiryStatus.ANSWERED,
    (EnquiryStatus.OFFERED, EnquiryStep.RETRACT): EnquiryStatus.ANSWERED,
    (EnquiryStatus.OFFERED, EnquiryStep.ACCEPT): EnquiryStatus.ACCEPTED,
    (EnquiryStatus.OFFERED, EnquiryStep.DECLINE): EnquiryStatus.DECLINED,
    (EnquiryStatus.OFFERED, EnquiryStep.LAPSE): EnquiryStatus.LAPSED,
    (EnquiryStatus.OFFERED, EnquiryStep.WITHDRAW): EnquiryStatus.WITHDRAWN,
}

ENDS = frozenset(EnquiryStatus) - {status for status, _ in TRANSITIONS}


class OfferStatus(StrEnum):
    """Where an offer stands. The buyer sees none of the first two."""

    AWAITING_APPROVAL = "awaiting_approval"
    """Its price was set by hand; a second person of the provider decides."""
    REFUSED = "refused"
    """The second person did not approve, or the enquiry ended first."""
    STANDING = "standing"
    """The buyer decides."""
    ACCEPTED = "accepted"
    """The buyer took it."""
    DECLINED = "declined"
    """The buyer turned it down."""
    SUPERSEDED = "superseded"
    """A later offer took its place."""
    LAPSED = "lapsed"
    """Its time was over."""
    WITHDRAWN = "withdrawn"
    """The provider took it back, or the buyer does not ask any more."""


def after(status: EnquiryStatus, step: EnquiryStep) -> EnquiryStatus:
    """Where `step` takes an enquiry that stands at `status`.

    Raises:
        EnquiryStepNotOpen: when the table has no such step.
    """
    try:
        return TRANSITIONS[status, step]
    except KeyError:
        open_steps = [str(other) for (origin, other) in TRANSITIONS if origin is status]
        raise EnquiryStepNotOpen(
            f"The enquiry is {status}; that allows {', '.join(open_steps) or 'nothing more'}.",
            enquiry_status=str(status),
            asked=str(step),
            open_steps=open_steps,
        ) from None


def require_live(status: EnquiryStatus) -> None:
    """Nobody writes in a thread that has ended.

    Raises:
        EnquiryStepNotOpen: when it has.
    """
    if status in ENDS:
        raise EnquiryStepNotOpen(
            f"The enquiry is {status}; ask anew.", enquiry_status=str(status), open_steps=[]
        )


def answer_until(asked_at: datetime, *, working_days: int) -> datetime:
    """The end of the last working day on which the provider may answer.

    Policy: J.gap
    """
    last = working_days_after(shanghai_day(asked_at), working_days)
    return shanghai_instant(last + timedelta(days=1), 0)


def due_at(
    status: EnquiryStatus,
    *,
    at: datetime,
    answer_until: datetime,
    idle_days: int,
    offer_until: datetime | None,
) -> datetime | None:
    """When the enquiry lapses if nobody does anything from `at` on; None once it has ended.

    Policy: J.gap
    """
    match status:
        case EnquiryStatus.OPEN:
            return answer_until
        case EnquiryStatus.ANSWERED:
            return at + timedelta(days=idle_days)
        case EnquiryStatus.OFFERED:
            return offer_until
    return None


def require_clear(
    *,
    today: date,
    wished_from: date | None,
    wished_until: date | None,
    instruments: int,
    own: bool,
) -> None:
    """An enquiry is about what is to come, about few instruments, and never to oneself.

    Raises:
        EnquiryRefused: with every reason.
    """
    reasons = Reasons()
    if own:
        reasons.add("other-provider", "An enquiry goes to another organisation.")
    if instruments > INSTRUMENTS_MAX:
        reasons.add(
            "instruments",
            f"Name at most {INSTRUMENTS_MAX} instruments, or say in words what is needed.",
            limit=INSTRUMENTS_MAX,
            asked=instruments,
        )
    last = today + timedelta(days=WISHED_DAYS_AHEAD_MAX)
    for name, day in (("wished_from", wished_from), ("wished_until", wished_until)):
        if day is not None and not today <= day <= last:
            reasons.add(
                "wished-days",
                f"Wished days lie between today and {last}.",
                limit=[str(today), str(last)],
                asked=f"{name} {day}",
            )
    if wished_from and wished_until and wished_until < wished_from:
        reasons.add("wished-order", "The last wished day is not before the first.")
    reasons.raise_as(EnquiryRefused)


def side_of(
    organisation_id: int, *, buyer_id: int, provider_id: int, agent_id: int | None
) -> Side | None:
    """For which side somebody of an organisation speaks; None for everybody else."""
    if organisation_id == buyer_id:
        return Side.BUYER
    if organisation_id == provider_id:
        return Side.PROVIDER
    return Side.AGENT if agent_id is not None and organisation_id == agent_id else None
