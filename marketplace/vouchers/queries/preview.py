"""What an SME's vouchers would pay of many services at once, for lists of offers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.kernel.db import Tx
from marketplace.parties.queries import affiliations, organisation, organisations
from marketplace.vouchers.queries.answers import (
    Together,
    answer_of,
    beside_sanctions,
    instruments_asked,
    part_told,
    together_of,
    use_of,
)
from marketplace.vouchers.queries.rows import VoucherPart
from marketplace.vouchers.queries.sanctions import barred
from marketplace.vouchers.queries.standings import Counting, standings_of


@dataclass(frozen=True, slots=True)
class ServiceValue:
    """A service on an instrument: `key` is how the asker tells it from the others."""

    key: int
    provider_id: int
    service_value_fen: int
    instrument_id: int | None = None


@dataclass(frozen=True, slots=True)
class ManyVoucherQuestions:
    """What would the SME's vouchers pay of each of these services, bought one alone?"""

    organisation_id: int
    service_kind: str
    on: date
    services: tuple[ServiceValue, ...]


async def voucher_parts(tx: Tx, question: ManyVoucherQuestions) -> dict[int, VoucherPart]:
    """`voucher_part` for every service, by its key.

    The number of questions to the database grows with the SME's vouchers, not with the services.
    Policy: J.22b
    """
    sme = await organisation(tx, question.organisation_id)
    counting = Counting(sme.id, sme.legal_entity_id, None, question.on)
    standings = await standings_of(tx, sme.id, counting) if question.services else []
    if not standings:
        nothing = part_told(Together((), (), ()))
        return {service.key: nothing for service in question.services}
    providers = await organisations(tx, {service.provider_id for service in question.services})
    entities = {provider.legal_entity_id for provider in providers.values()}
    ties = {
        control: await affiliations(tx, sme.legal_entity_id, entities, control)
        for control in {standing.terms.common_control_basis_points for standing in standings}
    }
    sanctioned = await barred(tx, [sme.id, *providers], tx.today)
    known = await instruments_asked(
        tx, (each.terms for each in standings), (each.instrument_id for each in question.services)
    )
    parts = {}
    for service in question.services:
        provider = providers[service.provider_id]
        answers = []
        for standing in standings:
            tie = ties[standing.terms.common_control_basis_points][provider.legal_entity_id]
            instrument = known.get(service.instrument_id or 0)
            use = use_of(
                question.service_kind, question.on, tx.today, sme, provider, tie, instrument
            )
            use = beside_sanctions(
                use, standing, sanctioned, sme_id=sme.id, provider_id=provider.id
            )
            answers.append(answer_of(standing, service.service_value_fen, use, sme))
        parts[service.key] = part_told(together_of(answers, service.service_value_fen))
    return parts
