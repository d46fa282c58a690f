"""Contracts on the wire: verified from outside, and where they stand with the registry."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from marketplace.kernel.errors import Malformed, Reason
from marketplace.kernel.wire import In, Line, Out
from marketplace.orders import queries
from marketplace.orders.rules.registration import RegistrationState
from marketplace.orders.use_cases import MoveRegistration

YEARS = range(2000, 2101)


class VerificationOut(Out):
    """Whether there is a contract of this digest, and when it was signed; nothing more."""

    exists: bool
    version: int | None
    buyer_signed_on: date | None
    provider_signed_on: date | None
    signed_by_both: bool

    @classmethod
    def of(cls, found: queries.Verification) -> VerificationOut:
        """The wire form of a verification."""
        return cls.like(found, signed_by_both=found.provider_signed_on is not None)


class RegistrationStepIn(In):
    """Where the contract stands now; number, day and place when registered, else why not."""

    state: RegistrationState
    number: Line = ""
    registered_on: date | None = None
    place: Line = ""
    reason: Line = ""

    def to_command(self, order_id: int) -> MoveRegistration:
        """The command for one order."""
        return MoveRegistration(
            order_id,
            self.state,
            number=self.number.strip(),
            registered_on=self.registered_on,
            place=self.place.strip(),
            reason=self.reason.strip(),
        )


class ContractRegistrationOut(Out):
    """A contract and where it stands; `changed_at` is none while nobody has said anything."""

    order_id: int
    provider_id: int
    buyer_id: int
    title: str
    total_fen: int
    signed_at: datetime | None
    state: RegistrationState
    number: str | None
    registered_on: date | None
    place: str
    reason: str
    changed_at: datetime | None

    @classmethod
    def of(cls, found: queries.Registration) -> ContractRegistrationOut:
        """The wire form of a registration."""
        return msgspec.convert(found, cls, from_attributes=True)


def day_of(name: str, day: date | None) -> date | None:
    """A day of a request, if there is one.

    Raises:
        Malformed: for a day outside the years of a calendar.
    """
    if day is not None and day.year not in YEARS:
        raise Malformed("Ask for another day.", reasons=[Reason(name, "2000 to 2100")])
    return day
