"""What the questions answer with: typed rows, built by column name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Organisation:
    """A party of the platform: what others may know of it."""

    id: int
    kind: str
    legal_entity_id: int
    name: str
    name_en: str
    region_code: str
    is_agency: bool
    suspended_at: datetime | None


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """The legal entity behind one or more organisations."""

    id: int
    uscc: str
    name: str
    name_en: str
    region_code: str
    kind: str
    capital: str
    legal_representative: str
    registered_by: int
    registered_at: datetime
    verified_by: int | None
    verified_at: datetime | None
    address: str
    phone: str


@dataclass(frozen=True, slots=True)
class SmeProfile:
    """What an SME filed about itself for a year; the voucher rules judge it."""

    organisation_id: int
    year: int
    staff: int
    sales_fen: int
    assets_fen: int
    registration_number: str
    filed_by: int
    filed_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in."""

    id: int
    email: str
    name: str
    phone: str
    disabled_at: datetime | None
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """One role of one person in one organisation."""

    person_id: int
    organisation_id: int
    role: str
    granted_by: int
    granted_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A person with a role, as the organisation sees them."""

    person_id: int
    name: str
    email: str
    phone: str
    role: str
    granted_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """An organisation in which somebody holds roles."""

    organisation: Organisation
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class SmeYear:
    """Which profile: whose, and for which year."""

    organisation_id: int
    year: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two legal entities that may be tied to each other."""

    legal_entity_id: int
    other_id: int


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """One page of a list and how many there are in all."""

    rows: list[T]
    total: int


def columns(row_type: Any, table: Any) -> list[ColumnElement[Any]]:
    """The columns of `table` that a `row_type` is built from."""
    return [table.c[name] for name in row_type.__dataclass_fields__]
