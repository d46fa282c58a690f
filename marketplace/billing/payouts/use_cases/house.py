"""The platform's own bank accounts: how their banks write statements and read payments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from marketplace.billing.payouts import queries
from marketplace.billing.payouts.errors import LayoutIncomplete
from marketplace.billing.payouts.rules.layouts import PaymentFormat, lacking
from marketplace.billing.payouts.tables import house_account
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class SetHouseAccount:
    """Set an account up, or change how its bank writes and reads.

    `statement_columns` names the headers of a statement, by what they say; `payment_columns` are
    those of a payment file in order, each with its header, its field and perhaps a fixed text.
    """

    number: str
    holder: str
    bank_name: str
    cnaps: str
    statement_columns: Mapping[str, Sequence[str]]
    payment_format: PaymentFormat = PaymentFormat.CSV
    payment_columns: Sequence[Mapping[str, str]] = ()


async def set_house_account(tx: Tx, command: SetHouseAccount) -> queries.HouseAccount:
    """Keep it for the next statement and the next batch; drafted batches stay as they are.

    Raises:
        LayoutIncomplete: when a payment could not be told by the columns.
    """
    missing = lacking(command.payment_columns) if command.payment_columns else []
    if missing:
        raise LayoutIncomplete(
            f"The payment file lacks {', '.join(missing)}.", asked=missing, limit="payment_columns"
        )
    values: dict[str, Any] = {
        "holder": command.holder,
        "bank_name": command.bank_name,
        "cnaps": command.cnaps,
        "statement_columns": {name: list(all_) for name, all_ in command.statement_columns.items()},
        "payment_format": str(command.payment_format),
        "payment_columns": [dict(column) for column in command.payment_columns],
        "changed_by": tx.actor.person_id,
        "changed_at": tx.now,
    }
    made = insert(house_account).values(number=command.number, **values)
    kept = await tx.one(
        queries.HouseAccount,
        made.on_conflict_do_update(index_elements=["number"], set_=values).returning(house_account),
    )
    tx.audit(
        "set",
        subject="house_account",
        # An account is known by its number, of which the trail keeps no more than people are shown.
        subject_id=0,
        account_ends=command.number[-4:],
        payment_format=str(command.payment_format),
        statement_columns=values["statement_columns"],
        payment_columns=values["payment_columns"],
    )
    return kept
