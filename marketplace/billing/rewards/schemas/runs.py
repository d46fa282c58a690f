"""Reward runs, shares and statements on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from marketplace.billing.invoicing.queries import ChargeLine, ChargeLinePage
from marketplace.billing.rewards import queries
from marketplace.billing.rewards.rules.states import Grade, RateClass, RunStatus
from marketplace.billing.rewards.use_cases import DraftRun
from marketplace.kernel.wire import AmountFen, In, Out, Year


class DraftIn(In):
    """A run of a year through a day of it, within a budget when one is given."""

    year: Year
    through: date
    budget_fen: AmountFen | None = None

    def to_command(self) -> DraftRun:
        """The command."""
        return DraftRun(year=self.year, through=self.through, budget_fen=self.budget_fen)


class RunOut(Out):
    """A reward run with the terms that it was computed by."""

    id: int
    year: int
    sequence: int
    through: date
    status: RunStatus
    terms: dict[str, Any]
    budget_fen: int | None
    entities: int
    providers: int
    service_total_fen: int
    claimed_fen: int
    total_fen: int
    inputs_sha256: str
    made_by: int
    made_at: datetime
    approved_by: int | None
    approved_at: datetime | None
    discarded_by: int | None
    discarded_at: datetime | None
    published_by: int | None
    published_at: datetime | None
    notice_ends_on: date | None

    @classmethod
    def of(cls, run: queries.RewardRun) -> RunOut:
        """The wire form of a run."""
        return cls(
            id=run.id,
            year=run.year,
            sequence=run.sequence,
            through=run.through,
            status=RunStatus(run.status),
            terms=run.terms,
            budget_fen=run.budget_fen,
            entities=run.entities,
            providers=run.providers,
            service_total_fen=run.service_total_fen,
            claimed_fen=run.claimed_fen,
            total_fen=run.total_fen,
            inputs_sha256=run.inputs_sha256,
            made_by=run.made_by,
            made_at=run.made_at,
            approved_by=run.approved_by,
            approved_at=run.approved_at,
            discarded_by=run.discarded_by,
            discarded_at=run.discarded_at,
            published_by=run.published_by,
            published_at=run.published_at,
            notice_ends_on=run.notice_ends_on,
        )


class ShareOut(Out):
    """A unit's share; `arithmetic` has every number, term and source to redo it."""

    run_id: int
    legal_entity_id: int
    provider_id: int
    service_total_fen: int
    grade: Grade | None
    rate_basis_points: int
    uncapped_fen: int
    bound_fen: int
    paid_before_fen: int
    amount_fen: int
    arithmetic: dict[str, Any]
    rate_class: RateClass

    @classmethod
    def of(cls, share: queries.RewardShare) -> ShareOut:
        """The wire form of a share."""
        return cls(
            run_id=share.run_id,
            legal_entity_id=share.legal_entity_id,
            provider_id=share.provider_id,
            service_total_fen=share.service_total_fen,
            grade=None if share.grade is None else Grade(share.grade),
            rate_basis_points=share.rate_basis_points,
            uncapped_fen=share.uncapped_fen,
            bound_fen=share.bound_fen,
            paid_before_fen=share.paid_before_fen,
            amount_fen=share.amount_fen,
            arithmetic=share.arithmetic,
            rate_class=RateClass(share.rate_class),
        )


class ChargeLineOut(Out):
    """A settled order, or a correction of one, that counts into a service total."""

    id: int
    order_id: int
    settled_on: date
    service_value_fen: int
    voucher_fen: int
    own_fen: int
    reverses: int | None

    @classmethod
    def of(cls, line: ChargeLine) -> ChargeLineOut:
        """The wire form of a charge line."""
        return cls(
            id=line.id,
            order_id=line.order_id,
            settled_on=line.settled_on,
            service_value_fen=line.service_value_fen,
            voucher_fen=line.voucher_fen,
            own_fen=line.own_fen,
            reverses=line.reverses,
        )


class ChargeLinesOut(Out):
    """One page of charge lines; `service_value_fen` is the sum of all of them."""

    results: list[ChargeLineOut]
    total: int
    page: int
    page_size: int
    service_value_fen: int

    @classmethod
    def of(cls, found: ChargeLinePage, *, page: int, page_size: int) -> ChargeLinesOut:
        """The wire form of a page of charge lines."""
        return cls(
            results=[ChargeLineOut.of(line) for line in found.results],
            total=found.total,
            page=page,
            page_size=page_size,
            service_value_fen=found.service_value_fen,
        )


class EntityShareOut(Out):
    """What an approved run owed and paid to a legal entity."""

    run_id: int
    service_total_fen: int
    entitled_fen: int
    capped_fen: int
    paid_before_fen: int
    claimed_fen: int
    amount_fen: int
    held_fen: int


class EntityStatementOut(Out):
    """A legal entity's rewards of a year, run by run, under its cap."""

    legal_entity_id: int
    year: int
    paid_fen: int
    cap_fen: int | None
    overpaid_fen: int
    clawed_back_fen: int
    shares: list[EntityShareOut]

    @classmethod
    def of(cls, found: queries.EntityStatement) -> EntityStatementOut:
        """The wire form of a statement."""
        return cls(
            legal_entity_id=found.legal_entity_id,
            year=found.year,
            paid_fen=found.paid_fen,
            cap_fen=found.cap_fen,
            overpaid_fen=found.overpaid_fen,
            clawed_back_fen=found.clawed_back_fen,
            shares=[
                EntityShareOut(
                    run_id=share.run_id,
                    service_total_fen=share.service_total_fen,
                    entitled_fen=share.entitled_fen,
                    capped_fen=share.capped_fen,
                    paid_before_fen=share.paid_before_fen,
                    claimed_fen=share.claimed_fen,
                    amount_fen=share.amount_fen,
                    held_fen=share.held_fen,
                )
                for share in found.shares
            ],
        )


class OutcomeOut(Out):
    """What a run would come to; `entitled_fen` is the whole year so far under the caps."""

    entities: int
    entities_at_cap: int
    providers: int
    service_total_fen: int
    entitled_fen: int
    claimed_fen: int
    amount_fen: int

    @classmethod
    def of(cls, outcome: queries.Outcome) -> OutcomeOut:
        """The wire form of an outcome."""
        return cls(
            entities=outcome.entities,
            entities_at_cap=outcome.entities_at_cap,
            providers=outcome.providers,
            service_total_fen=outcome.service_total_fen,
            entitled_fen=outcome.entitled_fen,
            claimed_fen=outcome.claimed_fen,
            amount_fen=outcome.amount_fen,
        )


class EntityOutcomeOut(Out):
    """What one legal entity would be paid by the terms asked."""

    legal_entity_id: int
    service_total_fen: int
    capped_fen: int
    paid_before_fen: int
    amount_fen: int


class ForecastShareOut(Out):
    """The share that a run of today would give; `arithmetic` has every number to redo it."""

    service_total_fen: int
    grade: Grade | None
    rate_class: RateClass
    rate_basis_points: int
    uncapped_fen: int
    bound_fen: int
    paid_before_fen: int
    amount_fen: int
    arithmetic: dict[str, Any]


class InstrumentForecastOut(Out):
    """What an instrument adds under its own cap."""

    instrument_id: int
    service_value_fen: int
    counted_fen: int
    cap_fen: int


class IfGradedOut(Out):
    """What the unit would be paid with a grade that it has not got yet."""

    grade: Grade
    amount_fen: int


class ForecastOut(Out):
    """A forecast, and no promise: what the present year so far would earn in a run of today."""

    provider_id: int
    legal_entity_id: int
    year: int
    through: date
    share: ForecastShareOut | None
    instruments: list[InstrumentForecastOut]
    if_graded: list[IfGradedOut]

    @classmethod
    def of(cls, found: queries.Forecast) -> ForecastOut:
        """The wire form of a forecast."""
        return msgspec.convert(found, cls, from_attributes=True)


class WhatIfOut(Out):
    """A year by the terms in force and by others; the entities are under the others."""

    year: int
    through: date
    terms: dict[str, Any]
    present: OutcomeOut
    asked: OutcomeOut
    entities: list[EntityOutcomeOut]
    page: int
    page_size: int

    @classmethod
    def of(cls, found: queries.WhatIf, *, page: int, page_size: int) -> WhatIfOut:
        """The wire form of a "what if"."""
        return cls(
            year=found.year,
            through=found.through,
            terms=found.terms,
            present=OutcomeOut.of(found.present),
            asked=OutcomeOut.of(found.asked),
            entities=[
                EntityOutcomeOut(
                    legal_entity_id=entity.legal_entity_id,
                    service_total_fen=entity.service_total_fen,
                    capped_fen=entity.capped_fen,
                    paid_before_fen=entity.paid_before_fen,
                    amount_fen=entity.amount_fen,
                )
                for entity in found.entities
            ],
            page=page,
            page_size=page_size,
        )
