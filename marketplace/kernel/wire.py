"""The shapes that requests and answers share: bounded ids, amounts, texts, pages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Self, TypeVar, dataclass_transform

import msgspec

from marketplace.kernel.money import AMOUNT_FEN_MAX

# JSON numbers are exact up to 2**53 in every client.
Id = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
AmountFen = Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_FEN_MAX)]
PositiveFen = Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_FEN_MAX)]
BasisPoints = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Minutes = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Persons = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Year = Annotated[int, msgspec.Meta(ge=2000, le=2100)]
# PostgreSQL text holds no NUL; the pattern also keeps other control characters out.
_NO_CONTROLS = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$"
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=_NO_CONTROLS)]
Line = Annotated[str, msgspec.Meta(max_length=500, pattern=_NO_CONTROLS)]
Prose = Annotated[str, msgspec.Meta(max_length=10_000, pattern=_NO_CONTROLS)]
# A reason that somebody must give.
Why = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000, pattern=_NO_CONTROLS)]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
# What an instant may be: a zone is required, and the years are those of a platform.
Instant = Annotated[datetime, msgspec.Meta(tz=True)]

PAGE_SIZE_MAX = 200
PageNumber = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
PageSize = Annotated[int, msgspec.Meta(ge=1, le=PAGE_SIZE_MAX)]

T = TypeVar("T")


# For the type checker: what derives is frozen and by keyword, like its base.
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class In(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Base of every request body: an unknown field is an error, not a silent typo."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Out(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every answer."""

    @classmethod
    def like(cls, row: object, **derived: Any) -> Self:
        """The answer with the fields of `row`, but for those that are `derived` from it."""
        same = (name for name in cls.__struct_fields__ if name not in derived)
        return cls(**{name: getattr(row, name) for name in same}, **derived)


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list: `total` counts everything that matches."""

    results: list[T]
    total: int
    page: int
    page_size: int
