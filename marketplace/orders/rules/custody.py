"""Samples in other people's hands: how many may be sent, received, returned and disposed of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from marketplace.kernel.errors import Reasons

KEEP_DAYS_MAX = 3_650


class CustodySide(StrEnum):
    """Whose hands."""

    BUYER = "buyer"
    PROVIDER = "provider"


class Direction(StrEnum):
    """Out: from the buyer to the provider. Back: what is left of it."""

    OUT = "out"
    BACK = "back"


class Condition(StrEnum):
    """How a shipment arrived."""

    INTACT = "intact"
    DAMAGED = "damaged"
    LEAKING = "leaking"
    TOO_WARM = "too_warm"
    INCOMPLETE = "incomplete"


class CustodyKind(StrEnum):
    """What happened to samples."""

    HANDED_OVER = "handed_over"
    RECEIVED = "received"
    OPENED = "opened"
    STORED = "stored"
    TESTED = "tested"
    RETURNED = "returned"
    DISPOSED = "disposed"


class Storage(StrEnum):
    """How samples are kept."""

    ROOM = "room"
    COOL = "cool"
    FROZEN = "frozen"
    DEEP_FROZEN = "deep_frozen"
    SPECIAL = "special"


class Hazard(StrEnum):
    """A pictogram of the globally harmonised system for chemicals."""

    EXPLOSIVE = "GHS01"
    FLAMMABLE = "GHS02"
    OXIDISING = "GHS03"
    GAS_UNDER_PRESSURE = "GHS04"
    CORROSIVE = "GHS05"
    TOXIC = "GHS06"
    HARMFUL = "GHS07"
    HEALTH_HAZARD = "GHS08"
    ENVIRONMENT = "GHS09"


# Sending, receiving, testing are steps of their own, which count; these are noted beside them.
NOTED_BY_HAND = {
    CustodySide.BUYER: (CustodyKind.HANDED_OVER,),
    CustodySide.PROVIDER: (
        CustodyKind.HANDED_OVER,
        CustodyKind.OPENED,
        CustodyKind.STORED,
        CustodyKind.RETURNED,
        CustodyKind.DISPOSED,
    ),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the samples of an order are, by their number."""

    ordered: int
    sent: int = 0
    received: int = 0
    returned: int = 0
    disposed: int = 0
    cleared: bool = False

    @property
    def held(self) -> int:
        """How many the provider has; none once it said that nothing is left."""
        return 0 if self.cleared else self.received - self.returned - self.disposed


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is said to have happened, and between which two it can have."""

    at: datetime
    since: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class DisposalTerms:
    """What was agreed on what is left: `return`, `destroy` or `keep`, and from which day on."""

    disposal: str
    from_day: date | None
    today: date
    certificate: str


def sample_code(order_id: int, number: int) -> str:
    """What stands on the label of one sample: `SC-<order>-<number>`."""
    return f"SC-{order_id}-{number}"


_CODE = re.compile(r"SC-([1-9][0-9]{0,15})-([1-9][0-9]{0,4})")


def read_sample_code(code: str) -> tuple[int, int] | None:
    """The order and the number that a code names, or None when it is no code."""
    found = _CODE.fullmatch(code.strip().upper())
    return None if found is None else (int(found[1]), int(found[2]))


def disposal_from(keep_until: date | None, review_until: date | None) -> date | None:
    """The first day on which samples may be destroyed; None before anybody can say.

    The day that the buyer declared; without one the last day of its review, so that a result
    that is doubted can be tested again.
    """
    return keep_until or review_until


def check_moment(reasons: Reasons, moment: Moment) -> None:
    """What is noted has happened, and after what comes before it."""
    if not moment.since <= moment.at <= moment.now:
        reasons.add(
            "custody-moment",
            f"It happened between {moment.since.isoformat()} and now.",
            limit=[moment.since.isoformat(), moment.now.isoformat()],
            asked=moment.at.isoformat(),
        )


def check_sending(reasons: Reasons, standing: Standing, direction: Direction, pieces: int) -> None:
    """No more goes out than was ordered, and no more comes back than the provider has."""
    if direction is Direction.BACK:
        _check_held(reasons, standing, pieces, "returned")
    elif standing.sent + pieces > standing.ordered:
        reasons.add(
            "samples-ordered",
            f"{standing.ordered} samples were ordered and {standing.sent} are sent already.",
            limit=standing.ordered - standing.sent,
            asked=pieces,
        )


def check_receipt(
    reasons: Reasons, standing: Standing, direction: Direction, *, sent: int, received: int
) -> None:
    """No more arrives than was sent, and no more in all than was ordered."""
    if received > sent:
        reasons.add(
            "pieces-sent",
            f"{sent} were sent; what else is in the parcel is not of this shipment.",
            limit=sent,
            asked=received,
        )
    if direction is Direction.OUT and standing.received + received > standing.ordered:
        reasons.add(
            "samples-ordered",
            f"{standing.ordered} samples were ordered and {standing.received} were received"
            " already; return the others.",
            limit=standing.ordered - standing.received,
            asked=received,
        )


def check_custody(
    reasons: Reasons,
    standing: Standing,
    kind: CustodyKind,
    *,
    side: CustodySide,
    samples: int,
) -> None:
    """Each side notes what it can know, and nothing is done to samples that are not there."""
    if kind not in NOTED_BY_HAND[side]:
        reasons.add(
            "custody-kind",
            f"The {side} notes {', '.join(NOTED_BY_HAND[side])} by hand; shipments, receipts and"
            " tests are noted by their own steps.",
            limit=[str(each) for each in NOTED_BY_HAND[side]],
            asked=str(kind),
        )
    elif kind is CustodyKind.HANDED_OVER and side is CustodySide.BUYER:
        if samples > standing.ordered:
            reasons.add(
                "samples-ordered",
                f"{standing.ordered} samples were ordered.",
                limit=standing.ordered,
                asked=samples,
            )
    else:
        _check_held(reasons, standing, samples, str(kind))


def check_disposal(reasons: Reasons, terms: DisposalTerms) -> None:
    """Only as agreed: not what is to go back, not before the day, and with a certificate."""
    if terms.disposal == "return":
        reasons.add(
            "disposal-agreed",
            "The buyer wants back what is left; send it back.",
            limit=terms.disposal,
            asked="destroy",
        )
    if terms.from_day is None:
        reasons.add(
            "disposal-day",
            "Nothing is destroyed before the results are delivered: a test may have to be made"
            " again.",
            asked=terms.today.isoformat(),
        )
    elif terms.today < terms.from_day:
        reasons.add(
            "disposal-day",
            f"The samples are kept until {terms.from_day}; destroy them from that day on.",
            limit=terms.from_day.isoformat(),
            asked=terms.today.isoformat(),
        )
    if not terms.certificate.strip():
        reasons.add("disposal-certificate", "Say who destroyed them and under which certificate.")


def check_keeping(reasons: Reasons, *, keep_until: date | None, today: date) -> None:
    """A day until which samples are kept lies ahead, within ten years."""
    if keep_until is not None and not today <= keep_until <= today + timedelta(KEEP_DAYS_MAX):
        reasons.add(
            "keep-until",
            f"Samples can be kept from today for {KEEP_DAYS_MAX} days.",
            limit=[today.isoformat(), (today + timedelta(KEEP_DAYS_MAX)).isoformat()],
            asked=keep_until.isoformat(),
        )


def _check_held(reasons: Reasons, standing: Standing, samples: int, what: str) -> None:
    if standing.received == 0:
        reasons.add(
            "samples-received",
            f"No sample was received: none can be {what.replace('_', ' ')}.",
            limit=0,
            asked=samples,
        )
    elif samples > standing.held:
        reasons.add(
            "samples-held",
            f"The provider has {standing.held} of the {standing.received} samples it received.",
            limit=standing.held,
            asked=samples,
        )
