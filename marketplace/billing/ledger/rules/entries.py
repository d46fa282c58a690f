"""A journal entry as it is asked for: lines that sum to zero, under a key of their own.

Policy: J.30a, J.30b (what was paid must be provable to the fen). The database checks the same.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from marketplace.billing.ledger.rules.kinds import EntryKind
from marketplace.kernel.money import AMOUNT_FEN_MAX

LINES_MAX = 10_000
KEY_LENGTH_MAX = 200
REMARK_LENGTH_MAX = 500

Id = Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)]
Key = Annotated[str, Field(strict=True, min_length=1, max_length=KEY_LENGTH_MAX)]
SourceKind = Annotated[str, Field(strict=True, pattern=r"^[a-z_]{1,40}$")]
SourceId = Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)]


class Line(BaseModel):
    """One account and what moves on it: positive is a debit, negative a credit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account_id: Id
    amount_fen: Annotated[int, Field(strict=True, ge=-AMOUNT_FEN_MAX, le=AMOUNT_FEN_MAX)]

    @field_validator("amount_fen")
    @classmethod
    def _moves_something(cls, amount_fen: int) -> int:
        if amount_fen == 0:
            raise ValueError("a line of zero moves nothing")
        return amount_fen


class Entry(BaseModel):
    """A journal entry: why, when, how much from where to where, and under which key.

    The key makes it happen once: posted again with the same content it is the first entry, with
    other content it is refused. `made_by` is the actor unless given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: EntryKind
    effective_on: Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 12, 31))]
    lines: Annotated[tuple[Line, ...], Field(min_length=2, max_length=LINES_MAX)]
    key: Key
    source_kind: SourceKind
    source_id: SourceId
    made_by: Id | None = None
    approved_by: Id | None = None
    reverses: Id | None = None
    remark: Annotated[str, Field(strict=True, max_length=REMARK_LENGTH_MAX)] = ""

    @field_validator("lines")
    @classmethod
    def _in_order_of_account(cls, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        # Everybody locks accounts in this order, so that no two wait for each other.
        in_order = tuple(sorted(lines, key=lambda line: line.account_id))
        if len({line.account_id for line in in_order}) != len(in_order):
            raise ValueError("an account comes once in an entry")
        return in_order

    @model_validator(mode="after")
    def _balanced(self) -> Entry:
        difference_fen = sum(line.amount_fen for line in self.lines)
        if difference_fen:
            raise ValueError(f"debits and credits differ by {difference_fen} fen")
        if (self.kind is EntryKind.REVERSAL) != (self.reverses is not None):
            raise ValueError("a reversal, and nothing else, names the entry it reverses")
        if self.approved_by is not None and self.approved_by == self.made_by:
            raise ValueError("nobody approves what they made")
        return self


def transfer(*, debit: int, credit: int, amount_fen: int) -> tuple[Line, Line]:
    """The two lines that move `amount_fen` from the account `credit` to the account `debit`."""
    return (
        Line(account_id=debit, amount_fen=amount_fen),
        Line(account_id=credit, amount_fen=-amount_fen),
    )
