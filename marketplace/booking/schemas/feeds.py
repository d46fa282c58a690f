"""Calendar feeds on the wire."""

from __future__ import annotations

from datetime import datetime

from marketplace.booking.queries.feeds import Feed, FeedPage
from marketplace.booking.rules.ical import FeedKind
from marketplace.booking.use_cases import FeedWithSecret, MakeFeed
from marketplace.kernel.errors import Malformed, Reason
from marketplace.kernel.wire import Id, In, Out, Page, Word


class FeedIn(In):
    """Which calendar to make; an instrument's needs the instrument, the others have none."""

    kind: FeedKind
    instrument_id: Id | None = None
    name: Word | None = None

    def to_command(self) -> MakeFeed:
        """What the use case takes.

        Raises:
            Malformed: for an instrument where there is none to name, or none where there is.
        """
        if (self.kind is FeedKind.INSTRUMENT) != (self.instrument_id is not None):
            text = "An instrument's calendar names its instrument, no other calendar does."
            raise Malformed(text, reasons=[Reason("instrument_id", text)])
        return MakeFeed(self.kind, self.instrument_id, self.name or "")


class FeedOut(Out):
    """A calendar that is read by a secret address; the address itself is not known any more."""

    id: int
    kind: FeedKind
    organisation_id: int
    person_id: int
    instrument_id: int | None
    name: str
    made_at: datetime
    rotated_at: datetime | None
    read_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, feed: Feed) -> FeedOut:
        """From a row."""
        return cls.like(feed)


class FeedAddressOut(Out):
    """A calendar with its address, which is shown this once: keep it like a password."""

    feed: FeedOut
    url: str
    webcal_url: str

    @classmethod
    def of(cls, made: FeedWithSecret, *, public_url: str) -> FeedAddressOut:
        """With the address under which people reach the platform."""
        url = f"{public_url}/api/v1/calendars/{made.secret}.ics"
        return cls(
            feed=FeedOut.of(made.feed), url=url, webcal_url=f"webcal://{url.partition('://')[2]}"
        )


def feed_page(found: FeedPage, page: int, page_size: int) -> Page[FeedOut]:
    """One page of calendars."""
    return Page(
        results=[FeedOut.of(each) for each in found.feeds],
        total=found.total,
        page=page,
        page_size=page_size,
    )
