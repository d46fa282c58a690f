"""Calendars by secret address: making one, giving it another address, revoking it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from sqlalchemy import func, insert, select, update

from marketplace.booking.errors import FeedRevoked, TooManyFeeds
from marketplace.booking.queries.feeds import (
    STAFF,
    Feed,
    locked_feed,
    made_feed,
    secret_digest,
)
from marketplace.booking.rules.ical import FeedKind
from marketplace.booking.tables import calendar_feed as table
from marketplace.catalogue.queries import visible_instrument
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Forbidden
from marketplace.parties.queries import organisation, person

FEEDS_MAX = 50
# 192 bits: nobody guesses one, however many there are.
SECRET_BYTES = 24


@dataclass(frozen=True, slots=True)
class MakeFeed:
    """Make a calendar of one's own time, of an instrument, or of one's provider."""

    kind: FeedKind
    instrument_id: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class FeedWithSecret:
    """A feed with the secret of its address, which is shown this once."""

    feed: Feed
    secret: str


async def make_feed(tx: Tx, command: MakeFeed) -> FeedWithSecret:
    """A new calendar; who knows its address reads what its maker may see, while they are there.

    Raises:
        InstrumentMissing: when there is no such instrument to be seen.
        Forbidden: for a provider's calendar, unless the actor is of its staff.
        TooManyFeeds: when the actor keeps as many as one may keep.
    """
    actor = tx.actor
    if command.kind is FeedKind.PROVIDER and not actor.has(*STAFF):
        raise Forbidden("A provider's calendar is for its own staff.", roles=sorted(STAFF))
    name = await _usual_name(tx, command)
    if command.name.strip():
        name = command.name.strip()
    kept = await tx.scalar(
        select(func.count())
        .select_from(table)
        .where(table.c.person_id == actor.person_id, table.c.revoked_at.is_(None))
    )
    if kept >= FEEDS_MAX:
        raise TooManyFeeds(
            f"You keep {kept} calendar addresses; revoke one that nobody reads.",
            limit=FEEDS_MAX,
            asked=kept + 1,
        )
    secret = secrets.token_urlsafe(SECRET_BYTES)
    feed = await tx.one(
        made_feed,
        insert(table)
        .values(
            kind=command.kind,
            organisation_id=actor.organisation_id,
            person_id=actor.person_id,
            instrument_id=command.instrument_id,
            name=name[:100],
            secret_sha256=secret_digest(secret),
            made_at=tx.now,
        )
        .returning(*(table.c[field] for field in Feed.__dataclass_fields__)),
    )
    tx.audit("make", subject="calendar_feed", subject_id=feed.id, kind=command.kind.value)
    return FeedWithSecret(feed, secret)


async def _usual_name(tx: Tx, command: MakeFeed) -> str:
    if command.instrument_id is not None:
        return (await visible_instrument(tx, command.instrument_id)).cname
    if command.kind is FeedKind.PROVIDER:
        return (await organisation(tx, tx.actor.organisation_id)).name
    return f"{(await person(tx, tx.actor.person_id)).name} · 仪器预约 Reservations"


@dataclass(frozen=True, slots=True)
class RotateFeed:
    """Give a calendar another address; the one before is dead at once."""

    feed_id: int


async def rotate_feed(tx: Tx, command: RotateFeed) -> FeedWithSecret:
    """The same calendar under a new address, for when the old one became known.

    Raises:
        FeedMissing: when there is none of the actor's own.
        FeedRevoked: when it was revoked.
    """
    feed = await locked_feed(tx, command.feed_id)
    if feed.revoked_at is not None:
        raise FeedRevoked("Make another one.", revoked_at=feed.revoked_at)
    if feed.person_id != tx.actor.person_id:
        # Its new address would let one person see with another's eyes.
        raise Forbidden("Only who made it gets its address; you may revoke it.")
    secret = secrets.token_urlsafe(SECRET_BYTES)
    await tx.execute(
        update(table)
        .where(table.c.id == feed.id)
        .values(secret_sha256=secret_digest(secret), rotated_at=tx.now, read_at=None)
    )
    tx.audit("rotate", subject="calendar_feed", subject_id=feed.id)
    return FeedWithSecret(replace(feed, rotated_at=tx.now, read_at=None), secret)


@dataclass(frozen=True, slots=True)
class RevokeFeed:
    """Let nobody read a calendar any more."""

    feed_id: int


async def revoke_feed(tx: Tx, command: RevokeFeed) -> Feed:
    """The calendar's address is dead; revoking it twice is once.

    Raises:
        FeedMissing: when there is none of the actor's own, or of the organisation they keep.
    """
    feed = await locked_feed(tx, command.feed_id)
    if feed.revoked_at is not None:
        return feed
    by = tx.actor.person_id
    await tx.execute(
        update(table).where(table.c.id == feed.id).values(revoked_at=tx.now, revoked_by=by)
    )
    tx.audit("revoke", subject="calendar_feed", subject_id=feed.id, made_by=feed.person_id)
    return replace(feed, revoked_at=tx.now, revoked_by=by)
