"""Machine-hours on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import msgspec

from marketplace.booking.errors import WindowRefused
from marketplace.booking.queries import (
    Dimension,
    HoursFound,
    HoursRow,
    MeteredSession,
    SessionsFound,
)
from marketplace.booking.rules.machine_hours import Figures, Grain, buckets_of
from marketplace.booking.rules.states import Purpose, UserClass
from marketplace.booking.schemas.periods import YEARS
from marketplace.kernel.time import During, shanghai_instant
from marketplace.kernel.wire import Out

DIMENSIONS_MAX = 3
HOURS_DAYS_MAX = 3_660
BUCKETS_MAX = 120
GroupBy = Annotated[list[Dimension], msgspec.Meta(max_length=DIMENSIONS_MAX)]
Digits = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2,6}$")]


def hours_period_of(starts_on: date, ends_before: date, grain: Grain = Grain.TOTAL) -> During:
    """The period from the beginning of one day to that of another, in Shanghai, to be cut.

    Raises:
        WindowRefused: when it is empty, longer than ten years, outside the years of a calendar,
            or falls into too many parts.
    """
    if starts_on.year not in YEARS or ends_before.year not in YEARS:
        raise WindowRefused(f"Years from {YEARS[0]} to {YEARS[-1]}.")
    days = (ends_before - starts_on).days
    if not 1 <= days <= HOURS_DAYS_MAX:
        raise WindowRefused(f"From 1 to {HOURS_DAYS_MAX} days.", limit=HOURS_DAYS_MAX, asked=days)
    period = During(shanghai_instant(starts_on), shanghai_instant(ends_before))
    parts = buckets_of(period, grain)
    if parts > BUCKETS_MAX:
        raise WindowRefused(
            f"That is {parts} parts; ask for a coarser grain or a shorter period.",
            limit=BUCKETS_MAX,
            asked=parts,
        )
    return period


class FiguresOut(Out):
    """Minutes, counts and ratios of a group.

    Ratios are computed from the sums, in hundredths of a per cent; those of a quota are null where
    the row is not of whole machines (by purpose or class of user).
    """

    effective_minutes: int
    external_minutes: int
    own_research_minutes: int
    teaching_minutes: int
    maintenance_minutes: int
    test_run_minutes: int
    machine_minutes: int
    session_minutes: int
    idle_minutes: int
    overlap_minutes: int
    reserved_minutes: int
    self_operated_minutes: int
    sessions: int
    samples: int
    no_shows: int
    late_cancellations: int
    quota_minutes: int | None
    national_quota_minutes: int | None
    utilisation_basis_points: int | None
    national_utilisation_basis_points: int | None
    sharing_basis_points: int

    @classmethod
    def of(cls, figures: Figures, *, has_quota: bool) -> FiguresOut:
        """From sums."""
        unknown = (
            {}
            if has_quota
            else dict.fromkeys(
                (
                    "quota_minutes",
                    "national_quota_minutes",
                    "utilisation_basis_points",
                    "national_utilisation_basis_points",
                )
            )
        )
        return cls.like(figures, **unknown)


class HoursRowOut(Out):
    """One group in one stretch; `from` is the day on which the stretch begins."""

    keys: dict[str, int | str]
    names: dict[str, str]
    starts_on: date | None
    figures: FiguresOut

    @classmethod
    def of(cls, row: HoursRow, *, has_quota: bool) -> HoursRowOut:
        """From a row of the answer."""
        return cls(
            keys={str(one): key for one, key in row.keys.items()},
            names={str(one): name for one, name in row.names.items()},
            starts_on=row.bucket,
            figures=FiguresOut.of(row.figures, has_quota=has_quota),
        )


class MachineHoursPage(Out):
    """One page of machine-hours; `all` sums every page, to the minute."""

    results: list[HoursRowOut]
    total: int
    page: int
    page_size: int
    all: FiguresOut

    @classmethod
    def of(cls, found: HoursFound, *, page: int, page_size: int) -> MachineHoursPage:
        """From the answer of the query."""
        return cls(
            results=[HoursRowOut.of(row, has_quota=found.has_quota) for row in found.rows],
            total=found.total,
            page=page,
            page_size=page_size,
            all=FiguresOut.of(found.figures, has_quota=found.has_quota),
        )


class MeteredSessionOut(Out):
    """A session behind a figure, and what of it falls into the period."""

    session_id: int
    reservation_id: int
    instrument_id: int
    machine_id: int
    provider_id: int
    organisation_id: int
    purpose: Purpose
    user_class: UserClass
    opened_at: datetime
    closed_at: datetime
    preparation_minutes: int
    test_minutes: int
    post_minutes: int
    minutes: int
    effective_minutes: int
    session_minutes: int
    idle_minutes: int
    overlap_minutes: int
    self_operated_minutes: int
    samples: int

    @classmethod
    def of(cls, row: MeteredSession) -> MeteredSessionOut:
        """From a row of the answer."""
        return cls.like(row, machine_id=row.calendar_id)


class MeteredSessionsPage(Out):
    """One page of sessions; the minutes sum all pages."""

    results: list[MeteredSessionOut]
    total: int
    page: int
    page_size: int
    minutes: int
    effective_minutes: int

    @classmethod
    def of(cls, found: SessionsFound, *, page: int, page_size: int) -> MeteredSessionsPage:
        """From the answer of the query."""
        return cls(
            results=[MeteredSessionOut.of(row) for row in found.rows],
            total=found.total,
            page=page,
            page_size=page_size,
            minutes=found.minutes,
            effective_minutes=found.effective_minutes,
        )


_TITLES = {
    "effective_minutes": "有效机时（分钟） effective minutes",
    "external_minutes": "对外服务 external",
    "own_research_minutes": "科研 own research",
    "teaching_minutes": "教学 teaching",
    "maintenance_minutes": "维护 maintenance",
    "test_run_minutes": "试运行 test run",
    "machine_minutes": "开机合计 machine minutes",
    "session_minutes": "上机合计 session minutes",
    "idle_minutes": "空闲 idle",
    "overlap_minutes": "重叠 overlap",
    "reserved_minutes": "预约 reserved",
    "self_operated_minutes": "校外自主上机 self-operated by others",
    "sessions": "上机次数 sessions",
    "samples": "样品数 samples",
    "no_shows": "爽约 no-shows",
    "late_cancellations": "迟撤 late cancellations",
    "quota_minutes": "定额机时（分钟） quota minutes",
    "national_quota_minutes": "国家口径定额（分钟） national quota",
    "utilisation_basis_points": "利用率（万分比） utilisation, basis points",
    "national_utilisation_basis_points": "国家口径利用率（万分比） national utilisation",
    "sharing_basis_points": "共享率（万分比） sharing rate",
}


def hours_table(page: MachineHoursPage, by: list[Dimension]) -> list[list[Any]]:
    """The same rows as a table: a header, the groups, and what all of them sum to."""
    named = [one for one in by if any(one in row.names for row in page.results)]
    header = ["from", *by, *(f"{one}_name" for one in named), *_TITLES.values()]
    rows: list[list[Any]] = [list(map(str, header))]
    for row in page.results:
        rows.append(
            [
                row.starts_on,
                *(row.keys[one] for one in by),
                *(row.names.get(one, "") for one in named),
                *(getattr(row.figures, name) for name in _TITLES),
            ]
        )
    blank = [""] * (len(by) + len(named))
    rows.append(["合计 all", *blank, *(getattr(page.all, name) for name in _TITLES)])
    return rows
