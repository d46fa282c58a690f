"""What the catalogue's questions answer with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column

from marketplace.catalogue.rules.listing import listed_late
from marketplace.catalogue.rules.states import Status
from marketplace.catalogue.tables import instrument
from marketplace.kernel.time import shanghai_day


@dataclass(frozen=True, slots=True)
class Instrument:
    """An instrument with everything that its provider says about it."""

    id: int
    provider_id: int
    inner_id: str
    cstr: str
    cname: str
    ename: str
    category_code: str
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
    registered_at: datetime
    listed_at: datetime | None
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    changed_at: datetime

    @property
    def is_listed(self) -> bool:
        """Whether it can be seen and booked."""
        return self.status == Status.LISTED

    def is_late(self, today: date) -> bool:
        """Whether it was, or is being, listed later than it had to be. Policy: F.289-11"""
        listed_on = shanghai_day(self.listed_at) if self.listed_at else None
        return listed_late(due_on=self.listing_due_on, listed_on=listed_on, today=today)


def columns_of(row_type: Any) -> Sequence[Column[Any]]:
    """The columns of `instrument` that `row_type` holds."""
    return [instrument.c[name] for name in row_type.__dataclass_fields__ if name in instrument.c]


@dataclass(frozen=True, slots=True)
class InstrumentHit:
    """An instrument in a list of results: enough to choose by."""

    id: int
    provider_id: int
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
    provider_name: str = ""
    provider_name_en: str = ""


@dataclass(frozen=True, slots=True)
class FacetValue:
    """How many of the hits have this value; `name` is for people, `value` for the next question."""

    value: str
    name: str
    name_en: str
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """Counts over every hit, by middle class of category, by city, by kind."""

    category: tuple[FacetValue, ...]
    region: tuple[FacetValue, ...]
    kind: tuple[FacetValue, ...]


@dataclass(frozen=True, slots=True)
class SearchHits:
    """One page of results; `total` stops at `HITS_MAX`, and `capped` says that it did."""

    hits: tuple[InstrumentHit, ...]
    total: int
    capped: bool
    facets: Facets


@dataclass(frozen=True, slots=True)
class Closure:
    """A time in which an instrument is closed, whatever its opening hours."""

    id: int
    instrument_id: int
    starts_at: datetime
    ends_at: datetime
    kind: str
    reason: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class ImportBatch:
    """A file that landed, with its counts and what was wrong with its lines."""

    id: int
    provider_id: int
    file_sha256: str
    file_name: str
    lines: int
    added: int
    changed: int
    unchanged: int
    refused: int
    report: dict[str, Any]
    imported_by: int
    imported_at: datetime
