"""How the database functions of the ledger are called: one statement, typed parameters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Date, Text, TextClause, bindparam, text
from sqlalchemy.types import TypeEngine

from marketplace.kernel.db import Tx
from marketplace.kernel.tables import Instant

_KINDS: dict[type, TypeEngine[Any]] = {
    str: Text(),
    int: BigInteger(),
    date: Date(),
    datetime: Instant,
}


def db_call(statement: str, **kinds: type | list[type]) -> TextClause:
    """A statement with the types of its parameters; `[int]` is an array of bigint."""
    return text(statement).bindparams(
        *(bindparam(name, type_=_kind(kind)) for name, kind in kinds.items())
    )


def _kind(kind: type | list[type]) -> TypeEngine[Any]:
    return ARRAY(_KINDS[kind[0]]) if isinstance(kind, list) else _KINDS[kind]


@dataclass(frozen=True, slots=True)
class Posted:
    """The entry that now stands for a request; `replayed` when it stood before."""

    entry_id: int
    replayed: bool


async def posted_by(tx: Tx, statement: TextClause, **parameters: Any) -> Posted:
    row = (await tx.execute(statement, parameters)).one()
    return Posted(row.entry_id, row.replayed)
