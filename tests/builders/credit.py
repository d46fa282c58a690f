"""Credit between the parties of a market."""

from datetime import date
from typing import Any

from marketplace.billing.credit.queries import CreditTerms, LineInUse, credit_line_between
from marketplace.billing.credit.use_cases import (
    DecideTerms,
    ProposeTerms,
    decide_terms,
    propose_terms,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Tx
from marketplace.parties.roles import Role
from tests.builders.orders import Market
from tests.builders.parties import an_actor

LIMIT_FEN = 500_000


async def a_second_manager(market: Market) -> Actor:
    """Somebody else who decides for the market's provider."""
    return await an_actor(
        market.database, Role.PROVIDER_MANAGER, organisation_id=market.manager.organisation_id
    )


async def proposed_terms(market: Market, **changes: Any) -> CreditTerms:
    """5,000 CNY, due after 30 days, for this year, as the manager proposes it."""
    asked: dict[str, Any] = {
        "buyer_id": market.buyer.organisation_id,
        "limit_fen": LIMIT_FEN,
        "due_days": 30,
        "valid_until": date(2025, 12, 31),
        "reason": "A customer for ten years.",
    }
    return await market.do(propose_terms, ProposeTerms(**(asked | changes)), by=market.manager)


async def granted_terms(market: Market, **changes: Any) -> CreditTerms:
    """Terms that a second person of the provider approved."""
    proposed = await proposed_terms(market, **changes)
    second = await a_second_manager(market)
    return await market.do(decide_terms, DecideTerms(proposed.id, approve=True), by=second)


async def the_line(market: Market) -> LineInUse:
    """The line between the market's parties."""

    async def ask(tx: Tx, _: None) -> LineInUse | None:
        return await credit_line_between(
            tx, market.manager.organisation_id, market.buyer.organisation_id
        )

    found = await market.do(ask, None)
    assert found is not None
    return found


async def credit_things(market: Market) -> dict[str, int | str]:
    """A line with terms that wait for their decision."""
    proposed = await proposed_terms(market)
    return {"line_id": proposed.line_id, "terms_id": proposed.id}
