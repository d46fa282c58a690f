"""Busy times land: in one statement, and only what differs is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.booking.events import OutsideTimesChanged
from marketplace.booking.queries.outside_busy import ConflictSearch, Source, conflicts
from marketplace.booking.rules.busy_sources import PushMode
from marketplace.booking.rules.ical_reading import OutsideTime, window_of_import
from marketplace.kernel.db import Tx

# Replacing takes out what was not named; both take out what is over.
_LAND = """
    with wanted as (
      select uid, recurrence_id, tstzrange(starts_at, ends_at) as during, summary
        from unnest($3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[])
          as named (uid, recurrence_id, starts_at, ends_at, summary)
    ), before as (
      select uid, recurrence_id, during, summary from outside_busy where source_id = $1
    ), gone as (
      delete from outside_busy o
       where o.source_id = $1
         and not exists (
           select from wanted w where w.uid = o.uid and w.recurrence_id = o.recurrence_id)
         and ($8 or o.uid = any($9::text[]) or upper(o.during) <= $10)
      returning during
    ), put as (
      insert into outside_busy (source_id, instrument_id, uid, recurrence_id, during, summary)
      select $1, $2, uid, recurrence_id, during, summary from wanted
      on conflict (source_id, uid, recurrence_id) do update
        set during = excluded.during, summary = excluded.summary
        where (outside_busy.during, outside_busy.summary)
          is distinct from (excluded.during, excluded.summary)
      returning uid, recurrence_id, during
    ), was as (
      select before.during from before join put using (uid, recurrence_id)
    ), touched as (
      select during from gone union all select during from put union all select during from was
    )
    select (select count(*) from put) - (select count(*) from was) as added,
           (select count(*) from was) as changed,
           (select count(*) from gone) as removed,
           (select count(*) from before) as held,
           (select min(lower(during)) from touched) as starts_at,
           (select max(upper(during)) from touched) as ends_at
"""


@dataclass(frozen=True, slots=True)
class Landed:
    """What times that came in did; `conflicts` are reservations that they are in the way of."""

    times: int
    added: int
    changed: int
    removed: int
    conflicts: int


async def land(
    tx: Tx,
    source: Source,
    times: Sequence[OutsideTime],
    *,
    mode: PushMode,
    gone: Sequence[str] = (),
) -> Landed:
    """Write `times` of a source whose row is locked; each name stands once among them."""
    driver = await tx.raw()
    row = await driver.fetchrow(
        _LAND,
        source.id,
        source.instrument_id,
        [time.uid for time in times],
        [time.recurrence_id for time in times],
        [time.during.starts_at for time in times],
        [time.during.ends_at for time in times],
        [time.summary for time in times],
        mode is PushMode.REPLACE,
        list(gone),
        window_of_import(tx.now).starts_at,
    )
    assert row is not None
    if row["starts_at"] is not None:
        tx.record(
            OutsideTimesChanged(source.id, source.instrument_id, row["starts_at"], row["ends_at"])
        )
    met = (await conflicts(tx, ConflictSearch(source_id=source.id, page_size=1))).total
    return Landed(
        times=row["held"] + row["added"] - row["removed"],
        added=row["added"],
        changed=row["changed"],
        removed=row["removed"],
        conflicts=met,
    )
