"""Who waits for whom: imports of one account, whoever explains lines, and signing a period off.

The constraints are the last word; turns spare people the refusals that a race would end in.
"""

from __future__ import annotations

from sqlalchemy import func, select

from marketplace.kernel.db import Tx

_BOOKS, _LINES, _ACCOUNT = 4_862_012, 4_862_013, 4_862_014


async def change_the_books(tx: Tx) -> None:
    """Wait while a period is signed off; many may change the books at once."""
    await tx.execute(select(func.pg_advisory_xact_lock_shared(_BOOKS, 0)))


async def explain_lines(tx: Tx) -> None:
    """Explain lines alone: what is unambiguous must stay so until it is booked."""
    await change_the_books(tx)
    await tx.execute(select(func.pg_advisory_xact_lock(_LINES, 0)))


async def continue_account(tx: Tx, account_number: str) -> None:
    """Continue an account's chain of statements alone."""
    await change_the_books(tx)
    await tx.execute(select(func.pg_advisory_xact_lock(_ACCOUNT, func.hashtext(account_number))))


async def sign_the_books(tx: Tx) -> None:
    """Wait until nobody changes the books, and keep them as they are."""
    await tx.execute(select(func.pg_advisory_xact_lock(_BOOKS, 0)))
