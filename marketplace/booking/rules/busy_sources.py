"""Calendars outside the platform: how often they are fetched, and when they are too old."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

FETCH_EVERY = timedelta(minutes=15)
FETCH_AFTER_FAILURES_MAX = timedelta(hours=24)
STALE_AFTER = timedelta(hours=1)
# A file that never changes is read again all the same: it repeats into days that came nearer.
READ_IN_FULL_EVERY = timedelta(days=7)
SOURCES_MAX = 10


class SourceKind(StrEnum):
    """How busy times come in."""

    URL = "url"
    """The platform fetches a file from an address, every quarter of an hour."""
    UPLOAD = "upload"
    """Somebody uploads a file."""
    PUSH = "push"
    """A system of the provider sends them."""


class PushMode(StrEnum):
    """What times that a system sends do to those it sent before."""

    REPLACE = "replace"
    """They are all there is: what it does not name is gone."""
    UPSERT = "upsert"
    """They are added or changed by their names; the others stay."""


def next_fetch(at: datetime, *, failures: int) -> datetime:
    """When to fetch again: half as often after each failure, and once a day at least.

    A server that is down is not helped by many questions.
    """
    # Beyond seven the wait is a day anyway.
    wait: timedelta = FETCH_EVERY * 2 ** min(failures, 7)
    return at + min(wait, FETCH_AFTER_FAILURES_MAX)


def is_stale(kind: SourceKind, fetched_at: datetime | None, *, at: datetime) -> bool:
    """Whether nobody knows any more if the times of a fetched calendar are still right."""
    return kind is SourceKind.URL and (fetched_at is None or fetched_at < at - STALE_AFTER)


def may_ask_for_changes(landed_at: datetime | None, *, at: datetime) -> bool:
    """Whether it is enough to ask a server what changed since the file that landed last."""
    return landed_at is not None and landed_at > at - READ_IN_FULL_EVERY
