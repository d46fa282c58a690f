"""Cost sheets, price lists and prices on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec

from marketplace.billing.pricing import queries
from marketplace.billing.pricing.rules.cost import PriceAsked
from marketplace.billing.pricing.rules.states import CostKind, CustomerClass, Unit
from marketplace.billing.pricing.use_cases import FileCostSheet, FilePriceList
from marketplace.kernel.errors import Malformed, Reason
from marketplace.kernel.wire import AmountFen, In, Line, Out, Year

PlannedMinutes = Annotated[int, msgspec.Meta(ge=1, le=366 * 24 * 60)]


class CostComponentIn(In):
    """One component of a cost sheet."""

    kind: CostKind
    amount_fen: AmountFen


class CostSheetIn(In):
    """What the instrument costs in a year, by component, and how long it is planned to run."""

    year: Year
    planned_minutes: PlannedMinutes
    components: Annotated[list[CostComponentIn], msgspec.Meta(min_length=1, max_length=20)]

    def to_command(self, instrument_id: int) -> FileCostSheet:
        """The command for one instrument."""
        return FileCostSheet(
            instrument_id=instrument_id,
            year=self.year,
            planned_minutes=self.planned_minutes,
            components=tuple((part.kind, part.amount_fen) for part in self.components),
        )


class CostComponentOut(Out):
    """One component of a cost sheet."""

    kind: CostKind
    amount_fen: int


class CostSheetOut(Out):
    """A public cost breakdown; `unit_cost_fen` is per hour, rounded down."""

    id: int
    instrument_id: int
    year: int
    version: int
    planned_minutes: int
    total_fen: int
    unit_cost_fen: int
    filed_at: datetime
    components: list[CostComponentOut]

    @classmethod
    def of(cls, sheet: queries.CostSheet) -> CostSheetOut:
        """The wire form of a cost sheet."""
        return cls(
            id=sheet.id,
            instrument_id=sheet.instrument_id,
            year=sheet.year,
            version=sheet.version,
            planned_minutes=sheet.planned_minutes,
            total_fen=sheet.total_fen,
            unit_cost_fen=sheet.unit_cost_fen,
            filed_at=sheet.filed_at,
            components=[
                CostComponentOut(kind=CostKind(part.kind), amount_fen=part.amount_fen)
                for part in sheet.components
            ],
        )


class PriceIn(In):
    """What a class of customers pays for an hour or a sample.

    A price per sample says how many minutes of the instrument one sample takes: its cost is that
    of the time.
    """

    customer_class: CustomerClass
    unit: Unit
    amount_fen: AmountFen
    minimum_fen: AmountFen = 0
    minutes_per_sample: PlannedMinutes | None = None


class PriceListIn(In):
    """New prices, in force from `in_force_from` or as soon as the notice has ended."""

    prices: Annotated[list[PriceIn], msgspec.Meta(min_length=1, max_length=8)]
    in_force_from: date | None = None
    state_source: Line = ""

    def to_command(self, instrument_id: int) -> FilePriceList:
        """The command for one instrument.

        Raises:
            Malformed: when a price per sample has no minutes, or one per hour has.
        """
        wrong = [
            Reason(
                f"prices[{index}].minutes_per_sample",
                "a price per sample has it, a price per hour has not",
            )
            for index, line in enumerate(self.prices)
            if (line.unit is Unit.SAMPLE) != (line.minutes_per_sample is not None)
        ]
        if wrong:
            raise Malformed("The body does not fit; see reasons.", reasons=wrong)
        return FilePriceList(
            instrument_id=instrument_id,
            prices=tuple(
                PriceAsked(
                    customer_class=line.customer_class,
                    unit=line.unit,
                    amount_fen=line.amount_fen,
                    minimum_fen=line.minimum_fen,
                    minutes_per_sample=line.minutes_per_sample,
                )
                for line in self.prices
            ),
            wanted_from=self.in_force_from,
            state_source=self.state_source.strip(),
        )


class PriceOut(Out):
    """A price beside the cost of the same unit."""

    customer_class: CustomerClass
    unit: Unit
    amount_fen: int
    minimum_fen: int
    minutes_per_sample: int | None
    cost_fen: int


class PriceListOut(Out):
    """A version of an instrument's prices, with its notice."""

    id: int
    instrument_id: int
    version: int
    cost_sheet_id: int
    state_set: bool
    state_source: str
    filed_at: datetime
    notice_ends_on: date
    in_force_from: date
    withdrawn_at: datetime | None
    prices: list[PriceOut]

    @classmethod
    def of(cls, filed: queries.PriceList) -> PriceListOut:
        """The wire form of a price list."""
        return cls(
            id=filed.id,
            instrument_id=filed.instrument_id,
            version=filed.version,
            cost_sheet_id=filed.cost_sheet_id,
            state_set=filed.state_set,
            state_source=filed.state_source,
            filed_at=filed.filed_at,
            notice_ends_on=filed.notice_ends_on,
            in_force_from=filed.in_force_from,
            withdrawn_at=filed.withdrawn_at,
            prices=[
                PriceOut(
                    customer_class=CustomerClass(line.customer_class),
                    unit=Unit(line.unit),
                    amount_fen=line.amount_fen,
                    minimum_fen=line.minimum_fen,
                    minutes_per_sample=line.minutes_per_sample,
                    cost_fen=line.cost_fen,
                )
                for line in filed.prices
            ],
        )


class PriceLineOut(Out):
    """One line of what a service costs."""

    kind: str
    text: str
    unit: str
    quantity: int
    unit_price_fen: int
    amount_fen: int
    source: str


class PricedServiceOut(Out):
    """What a customer would pay, line by line, and by which filed papers."""

    price_list_id: int
    cost_sheet_id: int
    total_fen: int
    lines: list[PriceLineOut]

    @classmethod
    def of(cls, priced: queries.PricedService) -> PricedServiceOut:
        """The wire form of a priced service."""
        return cls(
            price_list_id=priced.price_list_id,
            cost_sheet_id=priced.cost_sheet_id,
            total_fen=priced.total_fen,
            lines=[
                PriceLineOut(
                    kind=line.kind,
                    text=line.text,
                    unit=line.unit,
                    quantity=line.quantity,
                    unit_price_fen=line.unit_price_fen,
                    amount_fen=line.amount_fen,
                    source=line.source,
                )
                for line in priced.lines
            ],
        )
