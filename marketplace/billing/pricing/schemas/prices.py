"""Price lists, objections and priced services on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec

from marketplace.billing.pricing import queries
from marketplace.billing.pricing.rules.states import CustomerClass, ExtraKind, Unit
from marketplace.billing.pricing.schemas.cost import Code, PlannedMinutes
from marketplace.billing.pricing.use_cases import (
    AnswerObjection,
    FilePriceList,
    HoursFactor,
    ObjectToPrices,
    PriceAsked,
    Tier,
)
from marketplace.kernel.errors import Malformed, Reason
from marketplace.kernel.wire import AmountFen, Id, In, Line, Out, Page, Prose

Weekday = Annotated[int, msgspec.Meta(ge=0, le=6)]
MinuteOfDay = Annotated[int, msgspec.Meta(ge=0, le=1440)]


class TierIn(In):
    """From the `from_quantity`-th unit on, each costs `amount_fen`."""

    from_quantity: Annotated[int, msgspec.Meta(ge=2, le=1_000_000)]
    amount_fen: AmountFen


class PriceIn(In):
    """What a class of customers pays for a unit.

    All but a price per hour say how many minutes of the instrument one unit takes: its cost is
    that of the time.
    """

    customer_class: CustomerClass
    unit: Unit
    amount_fen: AmountFen
    minimum_fen: AmountFen = 0
    minutes_per_unit: PlannedMinutes | None = None
    tiers: Annotated[list[TierIn], msgspec.Meta(max_length=10)] = msgspec.field(
        default_factory=list
    )


class HoursFactorIn(In):
    """Hours of the week (Monday is 0) in which an hour's price is multiplied."""

    name: Line
    weekday: Weekday
    opens_minute: MinuteOfDay
    closes_minute: MinuteOfDay
    factor_basis_points: Annotated[int, msgspec.Meta(ge=0, le=50_000)]


class ExtraPriceIn(In):
    """What help or material of the cost sheet is sold for."""

    code: Code
    amount_fen: AmountFen


class PriceListIn(In):
    """New prices, in force from `in_force_from` or as soon as the notice has ended."""

    prices: Annotated[list[PriceIn], msgspec.Meta(min_length=1, max_length=24)]
    in_force_from: date | None = None
    state_source: Line = ""
    hours: Annotated[list[HoursFactorIn], msgspec.Meta(max_length=100)] = msgspec.field(
        default_factory=list
    )
    urgent_basis_points: Annotated[int, msgspec.Meta(ge=1, le=20_000)] | None = None
    extras: Annotated[list[ExtraPriceIn], msgspec.Meta(max_length=100)] = msgspec.field(
        default_factory=list
    )

    def to_command(self, instrument_id: int) -> FilePriceList:
        """The command for one instrument.

        Raises:
            Malformed: when minutes are missing or too many, or hours end before they begin.
        """
        wrong = [
            Reason(
                f"prices[{index}].minutes_per_unit",
                "a price per hour has none, every other price has it",
            )
            for index, line in enumerate(self.prices)
            if (line.unit is Unit.HOUR) != (line.minutes_per_unit is None)
        ] + [
            Reason(f"hours[{index}].closes_minute", "hours end after they begin")
            for index, one in enumerate(self.hours)
            if one.closes_minute <= one.opens_minute
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
                    minutes_per_unit=line.minutes_per_unit,
                    tiers=tuple(Tier(one.from_quantity, one.amount_fen) for one in line.tiers),
                )
                for line in self.prices
            ),
            wanted_from=self.in_force_from,
            state_source=self.state_source.strip(),
            hours=tuple(
                HoursFactor(
                    one.name,
                    one.weekday,
                    one.opens_minute,
                    one.closes_minute,
                    one.factor_basis_points,
                )
                for one in self.hours
            ),
            urgent_basis_points=self.urgent_basis_points,
            extras=tuple((one.code, one.amount_fen) for one in self.extras),
        )


class TierOut(Out):
    """From the `from_quantity`-th unit on, each costs `amount_fen`."""

    from_quantity: int
    amount_fen: int


class PriceOut(Out):
    """A price beside the cost of the same unit."""

    customer_class: CustomerClass
    unit: Unit
    amount_fen: int
    minimum_fen: int
    minutes_per_unit: int | None
    cost_fen: int
    tiers: list[TierOut]


class HoursFactorOut(Out):
    """Hours of the week (Monday is 0) in which an hour's price is multiplied."""

    name: str
    weekday: int
    opens_minute: int
    closes_minute: int
    factor_basis_points: int


class ExtraPriceOut(Out):
    """Help or material, beside its cost."""

    code: str
    kind: ExtraKind
    name: str
    unit: str
    amount_fen: int
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
    urgent_basis_points: int | None
    carried_surplus_fen: int
    prices: list[PriceOut]
    hours: list[HoursFactorOut]
    extras: list[ExtraPriceOut]

    @classmethod
    def of(cls, filed: queries.PriceList) -> PriceListOut:
        """The wire form of a price list."""
        return msgspec.convert(filed, cls, from_attributes=True)


class DifferenceOut(Out):
    """One term that differs between two versions: null where a version does not have it."""

    what: str
    before: int | str | None
    after: int | str | None
    change_basis_points: int | None

    @classmethod
    def of(cls, found: queries.Difference) -> DifferenceOut:
        """The wire form of a difference."""
        return cls(
            what=found.what,
            before=found.before,
            after=found.after,
            change_basis_points=found.change_basis_points,
        )


class ObjectionIn(In):
    """What is wrong with prices in notice; everybody can read it."""

    text: Prose

    def to_command(self, price_list_id: int) -> ObjectToPrices:
        """The command for one price list."""
        return ObjectToPrices(price_list_id, self.text)


class AnswerIn(In):
    """The provider's answer; upheld, it takes the prices back."""

    upheld: bool
    answer: Prose

    def to_command(self, objection_id: int) -> AnswerObjection:
        """The command for one objection."""
        return AnswerObjection(objection_id, self.upheld, self.answer)


class ObjectionOut(Out):
    """An objection, and its answer once there is one."""

    id: Id
    price_list_id: int
    organisation_id: int
    filed_at: datetime
    text: str
    outcome: str | None
    answer: str | None
    answered_at: datetime | None

    @classmethod
    def of(cls, row: queries.Objection) -> ObjectionOut:
        """The wire form of an objection."""
        return msgspec.convert(row, cls, from_attributes=True)


def objection_page(found: queries.ObjectionPage, page: int, page_size: int) -> Page[ObjectionOut]:
    """One page of the list."""
    return Page(
        results=[ObjectionOut.of(row) for row in found.objections],
        total=found.total,
        page=page,
        page_size=page_size,
    )


class PriceNoticeOut(Out):
    """Prices in public notice: objections are taken until the end of `notice_ends_on`."""

    price_list_id: Id
    instrument_id: int
    cname: str
    category_code: str
    provider_id: int
    version: int
    state_set: bool
    filed_at: datetime
    notice_ends_on: date
    in_force_from: date
    objections: int
    open_objections: int


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
    unit: Unit
    total_fen: int
    lines: list[PriceLineOut]

    @classmethod
    def of(cls, priced: queries.PricedService) -> PricedServiceOut:
        """The wire form of a priced service."""
        return msgspec.convert(priced, cls, from_attributes=True)
