"""When something about vouchers is so unusual that a person has to look at it.

Read by `vouchers.rules.guards`. No policy gives these numbers: each is a province's experience.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from marketplace.rulebook.sections import BasisPoints, Frozen, SomeDays
from marketplace.rulebook.terms import Schedule, Section

Several = Annotated[int, Field(ge=2, le=1000)]
Percentage = Annotated[int, Field(ge=100, le=100_000)]

Severity = Literal["notice", "warning", "blocking"]
Detector = Literal[
    "affiliated-parties",
    "duplicate-contract",
    "duplicate-invoice",
    "duplicate-payment-proof",
    "duplicate-result",
    "split-orders",
    "circular-trade",
    "price-above-list",
    "price-outlier",
    "session-impossible",
    "operator-overlap",
    "hours-above-opening",
    "result-before-samples",
    "burst-before-expiry",
    "settled-no-show",
    "shared-identity",
]


class SplitOrders(Frozen):
    """Orders of one pair on one instrument within days, each near its cap, together above it."""

    window_days: SomeDays
    near_basis_points: BasisPoints


class RingLevel(Frozen):
    """The smallest sum of a ring of its largest, and each sum of what either side trades at all."""

    similar_basis_points: BasisPoints
    share_basis_points: Annotated[int, Field(ge=500, le=10_000)]


class Rings(Frozen):
    """Who buys from whom in a ring that closes within days, for sums of one size.

    `window_days` of trade are looked at; `suspect` is listed, only `certain` can block.
    """

    window_days: SomeDays
    longest: Annotated[int, Field(ge=2, le=6)]
    closing_days: SomeDays
    suspect: RingLevel
    certain: RingLevel


class SimilarInvoices(Frozen):
    """Within how many days one sum is compared, and how far apart neighbouring numbers may be."""

    window_days: SomeDays
    neighbours: Annotated[int, Field(ge=0, le=1_000_000)]


class Prices(Frozen):
    """How far a price may lie above its own list, and from the middle of its category.

    `deviations_percent` counts median absolute deviations of the logarithm, in hundredths.
    """

    above_list_percent: Percentage
    deviations_percent: Percentage
    orders_min: Several


class ImpossibleHours(Frozen):
    """How much longer than possible a record may be, and what one operator can look after."""

    tolerance_minutes: Annotated[int, Field(ge=0, le=1440)]
    operator_sessions_max: Annotated[int, Field(ge=1, le=50)]


class Burst(Frozen):
    """Most of a voucher spent with one provider in its last days."""

    last_days: SomeDays
    share_basis_points: BasisPoints
    orders: Several


class NoShows(Frozen):
    """Orders of one pair that were settled though nobody came."""

    window_days: SomeDays
    orders: Several


class SharedIdentity(Frozen):
    """How many SMEs may share an address, a telephone number or a representative."""

    smes: Several


class GuardSection(Section):
    """Thresholds of the detectors, what each finding weighs, and how deep ownership is followed."""

    severities: Schedule[dict[Detector, Severity]]
    ownership_depth: Schedule[Annotated[int, Field(ge=1, le=20)]]
    look_back_days: Schedule[SomeDays]
    split_orders: Schedule[SplitOrders]
    rings: Schedule[Rings]
    similar_invoices: Schedule[SimilarInvoices]
    prices: Schedule[Prices]
    impossible_hours: Schedule[ImpossibleHours]
    burst: Schedule[Burst]
    no_shows: Schedule[NoShows]
    shared_identity: Schedule[SharedIdentity]
