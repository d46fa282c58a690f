"""Calendars outside the platform: adding one, and what their times do when they come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from marketplace.booking.errors import (
    CalendarFileUnreadable,
    SourceOfOtherKind,
    SourceRefused,
)
from marketplace.booking.queries.outside_busy import (
    Source,
    locked_source,
    own_source,
    require_kind,
)
from marketplace.booking.rules.busy_sources import SOURCES_MAX, PushMode, SourceKind
from marketplace.booking.rules.ical_reading import (
    TIMES_MAX,
    CalendarRead,
    OutsideTime,
    window_of_import,
)
from marketplace.booking.tables import busy_source as table
from marketplace.booking.use_cases.outside_landing import Landed, land
from marketplace.catalogue.queries import own_instrument
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason, Reasons
from marketplace.kernel.outbound import FetchRefused, checked_url
from marketplace.kernel.settings import settings


def allowed_hosts() -> frozenset[str]:
    """Hosts that may be fetched from wherever they are, as the operator set them."""
    named = settings().outside_hosts_allowed.split(",")
    return frozenset(host.strip().lower() for host in named if host.strip())


@dataclass(frozen=True, slots=True)
class AddSource:
    """Keep an instrument out of the times of another calendar."""

    instrument_id: int
    kind: SourceKind
    name: str
    url: str | None = None


async def add_source(tx: Tx, command: AddSource) -> Source:
    """An outside calendar of an instrument of one's own; one with an address is fetched at once.

    Raises:
        InstrumentMissing: when it is not the actor's own.
        SourceRefused: with every reason why not.
        SourceNamed: when the instrument has one of that name.
    """
    instrument = await own_instrument(tx, command.instrument_id)
    kept = await tx.scalar(
        select(func.count()).select_from(table).where(table.c.instrument_id == instrument.id)
    )
    reasons = Reasons()
    if kept >= SOURCES_MAX:
        reasons.add(
            "sources",
            f"An instrument has at most {SOURCES_MAX} outside calendars; remove one.",
            limit=SOURCES_MAX,
            asked=kept + 1,
        )
    _judge_url(command.kind, command.url, reasons)
    reasons.raise_as(SourceRefused)
    source_id = await tx.scalar(
        insert(table)
        .values(
            instrument_id=instrument.id,
            provider_id=instrument.provider_id,
            kind=command.kind,
            name=command.name.strip(),
            url=command.url,
            due_at=tx.now if command.kind is SourceKind.URL else None,
            made_by=tx.actor.person_id,
            made_at=tx.now,
            changed_at=tx.now,
        )
        .returning(table.c.id)
    )
    # Not the address: whoever knows it may read that calendar.
    facts = {"instrument_id": instrument.id, "kind": command.kind.value, "name": command.name}
    tx.audit("add", subject="busy_source", subject_id=source_id, **facts)
    return await own_source(tx, source_id)


def _judge_url(kind: SourceKind, url: str | None, reasons: Reasons) -> None:
    if (kind is SourceKind.URL) != (url is not None):
        reasons.add("url", "Only a calendar that is fetched has an address, and it needs one.")
    elif url is not None:
        try:
            checked_url(url, allowed_hosts=allowed_hosts())
        except FetchRefused as refused:
            reasons.add("url", str(refused))


@dataclass(frozen=True, slots=True)
class ChangeSource:
    """Another name or address, or fetch it no more; what is None stays."""

    source_id: int
    name: str | None = None
    url: str | None = None
    paused: bool | None = None


async def change_source(tx: Tx, command: ChangeSource) -> Source:
    """The outside calendar, changed; its times stay until others land.

    Raises:
        SourceMissing: when there is none of the actor's own.
        SourceRefused: with every reason why not.
    """
    source = await locked_source(tx, command.source_id)
    url = command.url if command.url is not None else source.url
    reasons = Reasons()
    _judge_url(source.kind, url, reasons)
    reasons.raise_as(SourceRefused)
    paused = source.paused if command.paused is None else command.paused
    fetched = source.kind is SourceKind.URL and not paused
    anew = url != source.url or (source.paused and not paused)
    due_at = (tx.now if anew else source.due_at) if fetched else None
    values: dict[str, Any] = {
        "name": source.name if command.name is None else command.name.strip(),
        "url": url,
        "paused": paused,
        "due_at": due_at,
        "changed_at": tx.now,
    }
    if anew or paused:
        # A fetch that is under way lands no more.
        values["attempt"] = source.attempt + 1
    if url != source.url:
        # What one server said of its file means nothing to another.
        values |= {"etag": None, "last_modified": None, "landed_at": None, "fetched_at": None}
    await tx.execute(update(table).where(table.c.id == source.id).values(values))
    tx.audit(
        "change",
        subject="busy_source",
        subject_id=source.id,
        name=values["name"],
        paused=paused,
        other_address=url != source.url,
    )
    return await own_source(tx, source.id)


@dataclass(frozen=True, slots=True)
class RemoveSource:
    """Forget an outside calendar and its times."""

    source_id: int


async def remove_source(tx: Tx, command: RemoveSource) -> Source:
    """The outside calendar as it was; its times keep nobody out any more.

    Raises:
        SourceMissing: when there is none of the actor's own.
    """
    source = await locked_source(tx, command.source_id)
    await land(tx, source, [], mode=PushMode.REPLACE)
    await tx.execute(delete(table).where(table.c.id == source.id))
    facts = {"instrument_id": source.instrument_id, "name": source.name, "times": source.times}
    tx.audit("remove", subject="busy_source", subject_id=source.id, **facts)
    return source


@dataclass(frozen=True, slots=True)
class RefreshSource:
    """Fetch an outside calendar at the next opportunity, however often it failed."""

    source_id: int


async def refresh_source(tx: Tx, command: RefreshSource) -> Source:
    """The outside calendar, due now.

    Raises:
        SourceMissing: when there is none of the actor's own.
        SourceOfOtherKind: when it is not fetched, or paused.
    """
    source = await locked_source(tx, command.source_id)
    if source.due_at is None:
        raise SourceOfOtherKind(
            "It is not fetched: it is paused, or its times are uploaded or pushed.",
            kind=source.kind.value,
            paused=source.paused,
        )
    await tx.execute(update(table).where(table.c.id == source.id).values(due_at=tx.now))
    return await own_source(tx, source.id)


@dataclass(frozen=True, slots=True)
class LandFile:
    """Take over what an uploaded file says."""

    source_id: int
    read: CalendarRead


async def land_file(tx: Tx, command: LandFile) -> Landed:
    """The file's times are all there is; a file with a problem lands nothing.

    Raises:
        SourceMissing: when there is none of the actor's own.
        SourceOfOtherKind: when its times are fetched or pushed.
        CalendarFileUnreadable: with every reason and its line.
    """
    source = await locked_source(tx, command.source_id)
    require_kind(source, SourceKind.UPLOAD)
    if command.read.problems:
        raise CalendarFileUnreadable(
            "Nothing of the file was taken over; see reasons.",
            reasons=[
                Reason(each.rule, f"line {each.line}: {each.message}", asked=each.line)
                for each in command.read.problems
            ],
        )
    landed = await _landed(tx, source, command.read.times, mode=PushMode.REPLACE)
    tx.audit("upload", subject="busy_source", subject_id=source.id, times=landed.times)
    return landed


@dataclass(frozen=True, slots=True)
class PushTimes:
    """What a system of the provider says: its times, and under `gone` those it took back."""

    source_id: int
    mode: PushMode
    times: Sequence[OutsideTime]
    gone: Sequence[str] = ()


async def push_times(tx: Tx, command: PushTimes) -> Landed:
    """The same list sent again changes nothing. Times outside of the next 400 days are left out.

    Raises:
        SourceMissing: when there is none of the actor's own.
        SourceOfOtherKind: when its times are fetched or uploaded.
        SourceRefused: with every reason why not.
    """
    source = await locked_source(tx, command.source_id)
    require_kind(source, SourceKind.PUSH)
    reasons = Reasons()
    names = set()
    for place, time in enumerate(command.times):
        name = (time.uid, time.recurrence_id)
        if name in names:
            reasons.add("uid", f"times[{place}] has the name of another one.", asked=time.uid)
        names.add(name)
    if command.mode is PushMode.REPLACE and command.gone:
        reasons.add("gone", "A list that replaces everything names nothing as gone.")
    reasons.raise_as(SourceRefused)
    within = window_of_import(tx.now)
    near = [time for time in command.times if time.during.overlaps(within)]
    landed = await _landed(tx, source, near, mode=command.mode, gone=command.gone)
    if landed.times > TIMES_MAX:
        raise SourceRefused(
            f"An outside calendar holds at most {TIMES_MAX} times.",
            limit=TIMES_MAX,
            asked=landed.times,
        )
    return landed


async def _landed(
    tx: Tx,
    source: Source,
    times: Sequence[OutsideTime],
    *,
    mode: PushMode,
    gone: Sequence[str] = (),
) -> Landed:
    landed = await land(tx, source, times, mode=mode, gone=gone)
    await tx.execute(
        update(table)
        .where(table.c.id == source.id)
        .values(fetched_at=tx.now, landed_at=tx.now, tried_at=tx.now)
    )
    return landed
