"""Instruments on the wire."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime
from typing import Annotated, Any

import msgspec

from marketplace.catalogue.queries import (
    Closure,
    FacetValue,
    ImportBatch,
    Instrument,
    InstrumentHit,
    OpeningHours,
    SearchHits,
)
from marketplace.catalogue.rules.categories import Category, middle_class
from marketplace.catalogue.rules.layout import PASSED_ON
from marketplace.catalogue.rules.line import LineError
from marketplace.catalogue.rules.opening import INTERVALS_MAX
from marketplace.catalogue.rules.states import (
    Condition,
    Exemption,
    Funds,
    Kind,
    ShareMode,
    Source,
)
from marketplace.catalogue.use_cases import (
    ChangeInstrument,
    CloseInstrument,
    ImportReport,
    RegisterInstrument,
    SetOpeningHours,
    WithdrawInstrument,
)
from marketplace.kernel.errors import Malformed
from marketplace.kernel.time import During
from marketplace.kernel.wire import AmountFen, In, Instant, Line, Out, Prose, Word

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
CategoryCode = Annotated[str, msgspec.Meta(pattern="^[0-9]{6}$")]
Weekday = Annotated[int, msgspec.Meta(ge=0, le=6)]
MinuteOfDay = Annotated[int, msgspec.Meta(ge=0, le=1440)]


class InstrumentIn(In):
    """An instrument as its provider describes it; `worth_fen` is the original value.

    `further` holds fields of the national layout that the platform only passes on.
    """

    inner_id: Word
    cname: Name
    category_code: CategoryCode
    worth_fen: AmountFen
    funds: Funds
    customs_supervised: bool
    kind: Kind
    share_mode: ShareMode
    condition: Condition
    ename: Line = ""
    model: Line = ""
    manufacturer: Line = ""
    nation: Line = ""
    source: Source | None = None
    began_on: date | None = None
    accepted_on: date | None = None
    technical: Prose = ""
    functions: Prose = ""
    subjects: Prose = ""
    service_content: Prose = ""
    achievement: Prose = ""
    requirement: Prose = ""
    fee_text: Prose = ""
    service_url: Line = ""
    exemption: Exemption | None = None
    department: Line = ""
    province: Line = ""
    city: Line = ""
    county: Line = ""
    street: Line = ""
    postalcode: Line = ""
    contact: Line = ""
    phone: Line = ""
    email: Line = ""
    further: Annotated[dict[Word, Prose], msgspec.Meta(max_length=len(PASSED_ON))] = msgspec.field(
        default_factory=dict
    )

    def content(self) -> dict[str, Any]:
        """The fields of the description."""
        return {name: getattr(self, name) for name in InstrumentIn.__struct_fields__}

    def to_command(self, instrument_id: int) -> ChangeInstrument:
        """Describe the instrument anew."""
        return ChangeInstrument(instrument_id, self.content())


class NewInstrumentIn(InstrumentIn):
    """A new instrument; `listed` false keeps it for its provider until it is listed."""

    listed: bool = True

    def to_new(self, provider_id: int) -> RegisterInstrument:
        """Register it for the provider that the caller signed in for."""
        return RegisterInstrument(provider_id, self.content(), listed=self.listed)


class CategoryOut(Out):
    """The middle class of a category code."""

    code: str
    name: str
    name_en: str

    @classmethod
    def of(cls, category: Category) -> CategoryOut:
        """What is shown of a category."""
        return cls(code=category.code, name=category.name, name_en=category.name_en)


class InstrumentOut(Out):
    """An instrument with everything its provider says about it.

    `listed_late`: listed, or still not listed, after `listing_due_on`.
    """

    id: int
    provider_id: int
    inner_id: str
    cstr: str
    cname: str
    ename: str
    category_code: str
    category: CategoryOut
    model: str
    manufacturer: str
    nation: str
    worth_fen: int
    funds: str
    source: str | None
    customs_supervised: bool
    began_on: date | None
    accepted_on: date | None
    kind: str
    technical: str
    functions: str
    subjects: str
    service_content: str
    achievement: str
    requirement: str
    fee_text: str
    service_url: str
    share_mode: str
    exemption: str | None
    condition: str
    department: str
    province: str
    city: str
    county: str
    street: str
    postalcode: str
    contact: str
    phone: str
    email: str
    further: dict[str, str]
    region_code: str
    status: str
    listing_due_on: date | None
    listed_late: bool
    listed_at: datetime | None
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    changed_at: datetime

    @classmethod
    def of(cls, found: Instrument, *, today: date) -> InstrumentOut:
        """What is shown of an instrument on `today`."""
        derived = {"category", "listed_late"}
        return cls(
            category=CategoryOut.of(middle_class(found.category_code)),
            listed_late=found.is_late(today),
            **{name: getattr(found, name) for name in cls.__struct_fields__ if name not in derived},
        )


class InstrumentHitOut(Out):
    """An instrument in a list of results."""

    id: int
    provider_id: int
    provider_name: str
    provider_name_en: str
    cstr: str
    cname: str
    ename: str
    category_code: str
    model: str
    manufacturer: str
    worth_fen: int
    kind: str
    share_mode: str
    condition: str
    region_code: str
    city: str
    began_on: date | None

    @classmethod
    def of(cls, hit: InstrumentHit) -> InstrumentHitOut:
        """What is shown of a hit."""
        return cls(**{name: getattr(hit, name) for name in cls.__struct_fields__})


class FacetOut(Out):
    """How many of the hits have this value; send `value` as the filter to see them."""

    value: str
    name: str
    name_en: str
    count: int

    @classmethod
    def of(cls, facet: FacetValue) -> FacetOut:
        """What is shown of a count."""
        return cls(value=facet.value, name=facet.name, name_en=facet.name_en, count=facet.count)


class FacetsOut(Out):
    """Counts over every hit, not only over this page."""

    category: list[FacetOut]
    region: list[FacetOut]
    kind: list[FacetOut]


class SearchOut(Out):
    """One page of instruments; `capped` says that there are more than `total`."""

    results: list[InstrumentHitOut]
    total: int
    capped: bool
    page: int
    page_size: int
    facets: FacetsOut

    @classmethod
    def of(cls, found: SearchHits, *, page: int, page_size: int) -> SearchOut:
        """What is shown of a search."""
        facets = found.facets
        return cls(
            results=[InstrumentHitOut.of(hit) for hit in found.hits],
            total=found.total,
            capped=found.capped,
            page=page,
            page_size=page_size,
            facets=FacetsOut(
                category=[FacetOut.of(value) for value in facets.category],
                region=[FacetOut.of(value) for value in facets.region],
                kind=[FacetOut.of(value) for value in facets.kind],
            ),
        )


class OpeningHoursIn(In):
    """Open on `weekday` (0 is Monday) between two minutes of the day, Shanghai time."""

    weekday: Weekday
    opens_minute: MinuteOfDay
    closes_minute: MinuteOfDay


class WeekIn(In):
    """A usual week; it replaces the one before."""

    hours: Annotated[list[OpeningHoursIn], msgspec.Meta(max_length=INTERVALS_MAX)]

    def to_command(self, instrument_id: int) -> SetOpeningHours:
        """Set the week of an instrument."""
        return SetOpeningHours(
            instrument_id,
            tuple(
                OpeningHours(one.weekday, one.opens_minute, one.closes_minute) for one in self.hours
            ),
        )


class OpeningHoursOut(Out):
    """One interval of a usual week."""

    weekday: int
    opens_minute: int
    closes_minute: int


class WeekOut(Out):
    """A usual week; empty means never open."""

    hours: list[OpeningHoursOut]

    @classmethod
    def of(cls, hours: list[OpeningHours]) -> WeekOut:
        """What is shown of a week."""
        return cls(
            hours=[
                OpeningHoursOut(
                    weekday=one.weekday,
                    opens_minute=one.opens_minute,
                    closes_minute=one.closes_minute,
                )
                for one in hours
            ]
        )


class ClosureIn(In):
    """A time in which an instrument is closed, and why."""

    starts_at: Instant
    ends_at: Instant
    reason: Word

    def to_command(self, instrument_id: int) -> CloseInstrument:
        """Close the instrument.

        Raises:
            Malformed: when the time is empty.
        """
        try:
            during = During(self.starts_at, self.ends_at)
        except ValueError as error:
            raise Malformed("The closure ends after it starts.", field="ends_at") from error
        return CloseInstrument(instrument_id, during, self.reason)


class ClosureOut(Out):
    """A closure that stands."""

    id: int
    instrument_id: int
    starts_at: datetime
    ends_at: datetime
    reason: str

    @classmethod
    def of(cls, closure: Closure) -> ClosureOut:
        """What is shown of a closure."""
        return cls(**{name: getattr(closure, name) for name in cls.__struct_fields__})


class WithdrawIn(In):
    """Why an instrument leaves the platform; `disposed` when it never comes back."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    exemption: Exemption | None = None
    disposed: bool = False

    def to_command(self, instrument_id: int) -> WithdrawInstrument:
        """Withdraw or dispose of the instrument."""
        return WithdrawInstrument(
            instrument_id, self.reason, exemption=self.exemption, disposed=self.disposed
        )


class LineErrorOut(Out):
    """What is wrong with one cell of the file, in Chinese and in English."""

    line: int
    column: str
    value: str
    rule: str
    message: str
    message_en: str


class ReportOut(Out):
    """What became of every line: `lines` = added + changed + unchanged + refused.

    `errors` lists the first ones; `errors_total` counts all. A dry run has no `batch_id`.
    """

    batch_id: int | None
    provider_id: int
    file_name: str
    file_sha256: str
    dry_run: bool
    lines: int
    added: int
    changed: int
    unchanged: int
    refused: int
    errors_total: int
    errors: list[LineErrorOut]
    ignored_columns: list[str]

    @classmethod
    def of(cls, report: ImportReport) -> ReportOut:
        """What is shown of a report."""
        values = {name: getattr(report, name) for name in cls.__struct_fields__}
        values["errors"] = [_error(error) for error in report.errors]
        values["ignored_columns"] = list(report.ignored_columns)
        return cls(**values)


def _error(error: LineError) -> LineErrorOut:
    return LineErrorOut(**dataclasses.asdict(error))


class ImportOut(Out):
    """An import in a list: its counts."""

    id: int
    provider_id: int
    file_name: str
    file_sha256: str
    lines: int
    added: int
    changed: int
    unchanged: int
    refused: int
    imported_by: int
    imported_at: datetime

    @classmethod
    def of(cls, batch: ImportBatch) -> ImportOut:
        """What is shown of an import in a list."""
        return cls(**{name: getattr(batch, name) for name in cls.__struct_fields__})


class ImportDetailOut(ImportOut):
    """An import with what was wrong with its lines, as it was reported then."""

    errors_total: int
    errors: list[LineErrorOut]
    ignored_columns: list[str]

    @classmethod
    def of(cls, batch: ImportBatch) -> ImportDetailOut:
        """What is shown of one import."""
        report = msgspec.convert(batch.report, type=_StoredReport)
        return cls(
            errors_total=report.errors_total,
            errors=report.errors,
            ignored_columns=report.ignored_columns,
            **{name: getattr(batch, name) for name in ImportOut.__struct_fields__},
        )


class _StoredReport(msgspec.Struct):
    errors_total: int
    errors: list[LineErrorOut]
    ignored_columns: list[str]
