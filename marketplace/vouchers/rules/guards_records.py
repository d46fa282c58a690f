"""The detectors that look at prices, and at what instruments and operators are said to have done.

Policy: J.21a, J.22b, J.31
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from marketplace.kernel.money import yuan
from marketplace.vouchers.rules.anomalies import AnomalyKind, Finding, Service, subjects_of

# So many median absolute deviations make a standard deviation of what is spread normally.
MAD_TO_DEVIATION = 1.4826
# Lists of one category differ by so much (a tenth up or down) without meaning anything.
MAD_MIN = 0.1


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """What a service cost, and what its own list would have asked."""

    service: Service
    price_list_id: int
    charged_fen: int
    listed_fen: int


def prices_above_list(facts: Iterable[ListedPrice], *, above_percent: int) -> list[Finding]:
    """A service far dearer than the list that its quote names. Policy: J.21a."""
    return [
        Finding(
            kind=AnomalyKind.PRICE_ABOVE_LIST,
            key=(each.service.order_id,),
            summary=(
                f"{yuan(each.charged_fen)} were charged where the own list asks"
                f" {yuan(each.listed_fen)}."
            ),
            proof=(each.charged_fen, each.listed_fen, each.price_list_id),
            subjects=subjects_of([each.service]),
            facts=(
                {
                    "order_id": each.service.order_id,
                    "price_list_id": each.price_list_id,
                    "charged_fen": each.charged_fen,
                    "listed_fen": each.listed_fen,
                },
            ),
        )
        for each in facts
        if each.charged_fen * 100 > each.listed_fen * above_percent
    ]


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """What one unit of a service cost, beside the prices of its category.

    `median` and `mad` are of the logarithms: prices spread by factors, not by sums.
    """

    service: Service
    category_code: str
    unit: str
    unit_price_fen: float
    median: float
    mad: float
    orders: int


def middle_of(prices: Sequence[float]) -> tuple[float, float]:
    """The median of the prices' logarithms, and the median distance from it."""
    logs = [math.log(price) for price in prices]
    median = statistics.median(logs)
    return median, statistics.median(abs(each - median) for each in logs)


def price_outliers(
    facts: Iterable[UnitPrice], *, deviations_percent: int, orders_min: int
) -> list[Finding]:
    """A price that lies far above the middle of its category."""
    found = []
    for each in facts:
        spread = MAD_TO_DEVIATION * max(each.mad, MAD_MIN)
        distance = (math.log(each.unit_price_fen) - each.median) / spread
        if each.orders < orders_min or distance * 100 < deviations_percent:
            continue
        middle = round(math.exp(each.median))
        found.append(
            Finding(
                kind=AnomalyKind.PRICE_OUTLIER,
                key=(each.service.order_id,),
                summary=(
                    f"{yuan(round(each.unit_price_fen))} per {each.unit} where the middle of"
                    f" {each.orders} orders in category {each.category_code} is {yuan(middle)}."
                ),
                proof=(round(each.unit_price_fen),),
                subjects=subjects_of([each.service]),
                facts=(
                    {
                        "order_id": each.service.order_id,
                        "unit": each.unit,
                        "unit_price_fen": round(each.unit_price_fen),
                        "median_fen": middle,
                        "deviations": round(distance, 1),
                        "orders": each.orders,
                    },
                ),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class SessionSpan:
    """A session as it is recorded; without a service where no voucher paid for it."""

    service: Service | None
    session_id: int
    instrument_id: int
    operator_id: int
    opened_at: datetime
    closed_at: datetime
    actual_minutes: int


def impossible_sessions(
    sessions: Iterable[SessionSpan], *, tolerance_minutes: int
) -> list[Finding]:
    """More minutes than passed between beginning and end."""
    found = []
    for each in sessions:
        passed = (each.closed_at - each.opened_at) // timedelta(minutes=1)
        if each.actual_minutes <= passed + tolerance_minutes:
            continue
        found.append(
            Finding(
                kind=AnomalyKind.SESSION_IMPOSSIBLE,
                key=(each.session_id,),
                summary=f"{each.actual_minutes} minutes are recorded where {passed} passed.",
                proof=(each.session_id, each.actual_minutes, passed),
                subjects=subjects_of([each.service] if each.service else []),
                facts=(
                    {
                        "order_id": each.service and each.service.order_id,
                        "session_id": each.session_id,
                        "opened_at": each.opened_at.isoformat(),
                        "closed_at": each.closed_at.isoformat(),
                        "actual_minutes": each.actual_minutes,
                    },
                ),
            )
        )
    return found


def operator_overlaps(sessions: Iterable[SessionSpan], *, sessions_max: int) -> list[Finding]:
    """One person who runs more sessions at once than anybody can look after."""
    by_operator: dict[int, list[SessionSpan]] = defaultdict(list)
    for each in sessions:
        by_operator[each.operator_id].append(each)
    found = []
    for operator_id, own in sorted(by_operator.items()):
        own.sort(key=lambda each: (each.opened_at, each.session_id))
        for together in _crowds(own, sessions_max):
            ids = tuple(sorted(each.session_id for each in together))
            begun = together[0].opened_at
            found.append(
                Finding(
                    kind=AnomalyKind.OPERATOR_OVERLAP,
                    key=(operator_id, ids[0]),
                    summary=f"One operator runs {len(ids)} sessions at once.",
                    proof=ids,
                    subjects=subjects_of(each.service for each in together if each.service),
                    facts=tuple(
                        {
                            "order_id": each.service and each.service.order_id,
                            "session_id": each.session_id,
                            "instrument_id": each.instrument_id,
                            "operator_id": operator_id,
                            "opened_at": each.opened_at.isoformat(),
                            "closed_at": each.closed_at.isoformat(),
                            "began_with": begun.isoformat(),
                        }
                        for each in together
                    ),
                )
            )
    return found


def _crowds(sessions: Sequence[SessionSpan], allowed: int) -> Iterable[list[SessionSpan]]:
    """Stretches in which more than `allowed` sessions run at some moment; each stretch once."""
    running: list[SessionSpan] = []
    stretch: dict[int, SessionSpan] = {}
    for each in sessions:
        running = [other for other in running if other.closed_at > each.opened_at]
        if not running and stretch:
            yield list(stretch.values())
            stretch = {}
        running.append(each)
        if len(running) > allowed:
            stretch |= {other.session_id: other for other in running}
    if stretch:
        yield list(stretch.values())


@dataclass(frozen=True, slots=True)
class MachineDay:
    """What an instrument is said to have run on a day, and how long it was open."""

    instrument_id: int
    day: date
    run_minutes: int
    open_minutes: int
    services: tuple[Service, ...]


def hours_above_opening(days: Iterable[MachineDay], *, tolerance_minutes: int) -> list[Finding]:
    """More machine-hours on a day than the instrument was open."""
    return [
        Finding(
            kind=AnomalyKind.HOURS_ABOVE_OPENING,
            key=(each.instrument_id, each.day.isoformat()),
            summary=(
                f"{each.run_minutes} minutes on {each.day} where the instrument was open for"
                f" {each.open_minutes}."
            ),
            proof=(each.run_minutes, each.open_minutes),
            subjects=subjects_of(each.services),
            facts=(
                {
                    "instrument_id": each.instrument_id,
                    "day": each.day.isoformat(),
                    "run_minutes": each.run_minutes,
                    "open_minutes": each.open_minutes,
                    "order_ids": sorted(service.order_id for service in each.services),
                },
            ),
        )
        for each in days
        if each.run_minutes > each.open_minutes + tolerance_minutes
    ]


@dataclass(frozen=True, slots=True)
class SampleTimes:
    """When samples came, and when the first result of them lay ready."""

    service: Service
    received_at: datetime
    result_at: datetime


def results_before_samples(
    facts: Iterable[SampleTimes], *, tolerance_minutes: int
) -> list[Finding]:
    """Results that are older than their samples."""
    return [
        Finding(
            kind=AnomalyKind.RESULT_BEFORE_SAMPLES,
            key=(each.service.order_id,),
            summary=(
                f"The result is of {each.result_at:%Y-%m-%d %H:%M}, the samples came on"
                f" {each.received_at:%Y-%m-%d %H:%M} (UTC)."
            ),
            proof=(each.received_at.isoformat(), each.result_at.isoformat()),
            subjects=subjects_of([each.service]),
            facts=(
                {
                    "order_id": each.service.order_id,
                    "received_at": each.received_at.isoformat(),
                    "result_at": each.result_at.isoformat(),
                },
            ),
        )
        for each in facts
        if each.result_at + timedelta(minutes=tolerance_minutes) < each.received_at
    ]
