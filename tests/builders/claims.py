"""A clawback and a sanction of a market's provider, for what walks over everybody's things."""

from typing import Any

from sqlalchemy import text

from marketplace.kernel.db import Tx
from marketplace.kernel.time import shanghai_day
from marketplace.vouchers.rules.states import SanctionKind
from marketplace.vouchers.use_cases.sanctions import ProposeSanction, propose_sanction
from tests.builders.orders import Market
from tests.builders.vouchers import an_officer


async def claim_things(market: Market, claim_id: int) -> None:
    """A clawback that is proposed, and a warning that the provider may answer."""
    officer = await an_officer(market.database)
    provider_id = market.manager.organisation_id

    async def propose(tx: Tx, _: Any) -> None:
        await tx.execute(
            text(
                "insert into clawback (claim_id, organisation_id, cause, amount_fen, reason,"
                " status, proposed_by, proposed_at) values (:claim_id, :provider_id, 'finding',"
                " 1, 'A copied report.', 'proposed', :person_id, :at)"
            ).bindparams(
                claim_id=claim_id, provider_id=provider_id, person_id=officer.person_id, at=tx.now
            )
        )

    await market.do(propose, None, by=officer)
    today = shanghai_day(market.database.clock.now())
    warning = ProposeSanction(provider_id, SanctionKind.WARNING, "Late papers.", today)
    await market.do(propose_sanction, warning, by=officer)
