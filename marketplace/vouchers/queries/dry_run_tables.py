"""The before and after table of a dry run as the rows of a file, however many they are."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from marketplace.vouchers.queries.dry_runs import DryRunRow

HEAD = (
    "dimension",
    "key",
    "label",
    "orders",
    "service_value_yuan",
    "orders_before",
    "orders_after",
    "before_yuan",
    "after_yuan",
    "change_yuan",
)


def table_of(rows: Sequence[DryRunRow], *, head: bool = True) -> list[list[Any]]:
    """Rows of a dry run as rows of a file, amounts in yuan, the names of the columns first."""
    return [
        *([list(HEAD)] if head else []),
        *(
            [
                row.dimension,
                row.key,
                row.label,
                row.orders,
                Decimal(row.service_value_fen) / 100,
                row.orders_before,
                row.orders_after,
                Decimal(row.before_fen) / 100,
                Decimal(row.after_fen) / 100,
                Decimal(row.after_fen - row.before_fen) / 100,
            ]
            for row in rows
        ),
    ]


def cut_note(shown: int, total: int) -> list[list[str]]:
    """The last row of a file that holds a part of the table only; nothing where it holds all."""
    if shown >= total:
        return []
    return [
        [
            f"{shown} of {total} rows: a sheet holds no more. Ask for CSV, which holds all, or for"
            f" one dimension. 仅前 {shown} 行，共 {total} 行；CSV 文件含全部。"
        ]
    ]
