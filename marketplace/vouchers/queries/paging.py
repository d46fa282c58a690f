"""Pages of lists: newest first, with the number of all that match."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, func, select

from marketplace.kernel.db import Tx
from marketplace.vouchers.queries.rows import Listed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageAsked:
    """Which page of a list."""

    page: int = 1
    page_size: int = 50


FIRST_PAGE = PageAsked()


async def listed(
    tx: Tx,
    row_type: Callable[..., T],
    statement: Select[Any],
    newest: ColumnElement[Any],
    page: PageAsked,
    *,
    oldest: bool = False,
) -> Listed[T]:
    """One page of `statement`, the newest first, or the oldest."""
    total = await tx.scalar(select(func.count()).select_from(statement.subquery()))
    rows = await tx.all(
        row_type,
        statement.order_by(newest.asc() if oldest else newest.desc())
        .limit(page.page_size)
        .offset((page.page - 1) * page.page_size),
    )
    return Listed(rows, total)
