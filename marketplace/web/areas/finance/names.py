"""Who is behind the numbers: organisations and people of a page, each asked for once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from marketplace.billing.ledger.queries import AccountType
from marketplace.kernel.db import Tx
from marketplace.parties import queries as parties
from marketplace.web.areas.finance.roles import FINANCE

OF_ORGANISATIONS = frozenset(
    {
        AccountType.WALLET,
        AccountType.PAYABLE,
        AccountType.REWARD_PAYABLE,
        AccountType.CLAWBACK_RECEIVABLE,
        AccountType.REWARD_RECEIVABLE,
    }
)
"""The types of account whose owner is an organisation."""


@dataclass(frozen=True, slots=True)
class Names:
    """Organisations and people by number."""

    organisations: Mapping[int, parties.Organisation]
    people: Mapping[int, str]


async def names(
    tx: Tx, organisations: Iterable[int | None] = (), people: Iterable[int | None] = ()
) -> Names:
    """The names of all of them, in two questions."""
    return Names(
        await parties.organisations(tx, {each for each in organisations if each is not None}),
        await parties.names_of_people(tx, {each for each in people if each is not None}),
    )


def owner(type: str, owner_id: int | None) -> int | None:
    """The organisation that an account belongs to, or None when no organisation owns it."""
    return owner_id if type in OF_ORGANISATIONS else None


async def colleagues(tx: Tx) -> list[tuple[int, str]]:
    """Who of one's own finance staff may look after something, by name."""
    found = {
        one.person_id: one.name
        for one in await parties.members(tx, tx.actor.organisation_id)
        if one.role in FINANCE and one.disabled_at is None
    }
    return sorted(found.items(), key=lambda one: one[1])
