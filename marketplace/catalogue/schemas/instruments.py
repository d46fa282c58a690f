"""Instruments on the wire: what a provider says, what everybody sees, what a search finds."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import msgspec

from marketplace.catalogue.queries import FacetValue, Instrument, InstrumentHit, SearchHits
from marketplace.catalogue.rules.categories import Category, middle_class
from marketplace.catalogue.rules.layout import PASSED_ON
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
    RegisterInstrument,
    WithdrawInstrument,
)
from marketplace.kernel.wire import AmountFen, In, Line, Out, Prose, Word

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
CategoryCode = Annotated[str, msgspec.Meta(pattern="^[0-9]{6}$")]


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
        return cls.like(
            found,
            category=CategoryOut.of(middle_class(found.category_code)),
            listed_late=found.is_late(today),
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
        return cls.like(hit)


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
