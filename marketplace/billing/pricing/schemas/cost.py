"""Cost sheets on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from marketplace.billing.pricing import queries
from marketplace.billing.pricing.rules.states import CostKind, ExtraKind
from marketplace.billing.pricing.use_cases import CostItemAsked, FileCostSheet
from marketplace.kernel.wire import AmountFen, In, Line, Out, Word, Year

PlannedMinutes = Annotated[int, msgspec.Meta(ge=1, le=366 * 24 * 60)]
Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class CostComponentIn(In):
    """One component of a cost sheet."""

    kind: CostKind
    amount_fen: AmountFen


class CostItemIn(In):
    """What one unit of help or material costs; `unit` `hour` is counted in minutes."""

    code: Code
    kind: ExtraKind
    name: Line
    unit: Word
    cost_fen: AmountFen


class CostSheetIn(In):
    """What the instrument costs in a year, by component, and how long it runs.

    `actual` files what the year really was; prices rest on plans.
    """

    year: Year
    planned_minutes: PlannedMinutes
    components: Annotated[list[CostComponentIn], msgspec.Meta(min_length=1, max_length=20)]
    items: Annotated[list[CostItemIn], msgspec.Meta(max_length=100)] = msgspec.field(
        default_factory=list
    )
    actual: bool = False

    def to_command(self, instrument_id: int) -> FileCostSheet:
        """The command for one instrument."""
        return FileCostSheet(
            instrument_id=instrument_id,
            year=self.year,
            planned_minutes=self.planned_minutes,
            components=tuple((part.kind, part.amount_fen) for part in self.components),
            items=tuple(
                CostItemAsked(item.code, item.kind, item.name, item.unit, item.cost_fen)
                for item in self.items
            ),
            actual=self.actual,
        )


class CostComponentOut(Out):
    """One component of a cost sheet."""

    kind: CostKind
    amount_fen: int


class CostItemOut(Out):
    """What one unit of help or material costs."""

    code: str
    kind: ExtraKind
    name: str
    unit: str
    cost_fen: int


class CostSheetOut(Out):
    """A public cost breakdown; `unit_cost_fen` is per hour, rounded down."""

    id: int
    instrument_id: int
    year: int
    version: int
    basis: str
    planned_minutes: int
    total_fen: int
    unit_cost_fen: int
    filed_at: datetime
    components: list[CostComponentOut]
    items: list[CostItemOut]

    @classmethod
    def of(cls, sheet: queries.CostSheet) -> CostSheetOut:
        """The wire form of a cost sheet."""
        return msgspec.convert(sheet, cls, from_attributes=True)
