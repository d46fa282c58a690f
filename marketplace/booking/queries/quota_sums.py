"""How much of quotas is used, summed where the reservations lie: parts of statements.

The rule is that of `rules.quotas`. A quota stands in the statement as `a`, with its period
(`starts_at`, `ends_at`); sums read the index of the person, the organisation or the instrument, so
their cost follows what those reserved in the period, and not how much was ever reserved.
"""

from __future__ import annotations

from collections.abc import Iterable

from marketplace.booking.rules.quotas import COUNTED, UNCOUNTED_PURPOSES
from marketplace.booking.rules.schedule import RESERVATION_MINUTES_MAX
from marketplace.booking.rules.states import LIVE, Status

_LAPSING = frozenset({Status.OFFERED, Status.REQUESTED})


def words(values: Iterable[str]) -> str:
    """Words of the rules as a list in SQL."""
    return ", ".join(f"'{value}'" for value in sorted(values))


def counted(where: str) -> str:
    """The reservations that count against `a`, each clipped to its period; binds `now`.

    Nobody reserves longer than `RESERVATION_MINUTES_MAX`, so nothing that began before reaches in.
    What waits and has lapsed does not count, whether or not the worker has ended it.
    """
    return f"""
      select r.id, r.instrument_id, r.person_id, r.organisation_id,
             greatest(lower(r.during), a.starts_at) as starts_at,
             least(upper(r.during), a.ends_at) as ends_at
        from reservation r
       where {where}
         and lower(r.during) >= a.starts_at - interval '{RESERVATION_MINUTES_MAX} minutes'
         and lower(r.during) < a.ends_at
         and upper(r.during) > a.starts_at
         and r.provider_id = a.provider_id
         and (a.instrument_id is null or r.instrument_id = a.instrument_id)
         and (a.user_class is null or r.user_class = a.user_class)
         and r.status in ({words(COUNTED)})
         and (a.period <> 'open' or r.status in ({words(LIVE)}))
         and r.purpose not in ({words(UNCOUNTED_PURPOSES)})
         and (r.status not in ({words(_LAPSING)}) or r.held_until > :now)
    """  # noqa: S608 the words are written in the rules


def pieces(where: str) -> str:
    """What counts of each: the whole, or for a quota of peak hours its instrument's peak hours."""
    return f"""
      select c.id, c.person_id, c.organisation_id, c.starts_at, c.ends_at
        from ({counted(where)}) as c
       where not a.peak_only
      union all
      select c.id, c.person_id, c.organisation_id,
             greatest(c.starts_at, peak.starts_at), least(c.ends_at, peak.ends_at)
        from ({counted(where)}) as c
        cross join lateral generate_series(
          date_trunc('day', c.starts_at at time zone 'Asia/Shanghai'),
          (c.ends_at - interval '1 microsecond') at time zone 'Asia/Shanghai',
          interval '1 day') as day
        join weekly_hours h
          on h.instrument_id = c.instrument_id and h.kind = 'peak'
         and h.weekday = extract(isodow from day) - 1
        cross join lateral (
          select (day + make_interval(mins => h.opens_minute)) at time zone 'Asia/Shanghai',
                 (day + make_interval(mins => h.closes_minute)) at time zone 'Asia/Shanghai'
        ) as peak(starts_at, ends_at)
       where a.peak_only and peak.starts_at < c.ends_at and peak.ends_at > c.starts_at
    """  # noqa: S608 the words are written in the rules


# Of pieces: in whole minutes, rounded up, or in reservations, as the quota counts.
USED = """
      cast(case a.measure
             when 'reservations' then count(distinct pieces.id)
             else ceil(extract(epoch from
                    coalesce(sum(pieces.ends_at - pieces.starts_at), '0')) / 60)
           end as bigint)
"""


def used(where: str) -> str:
    """How much of `a` is used by the reservations that `where` finds."""
    return f"(select {USED} from ({pieces(where)}) as pieces)"  # noqa: S608
