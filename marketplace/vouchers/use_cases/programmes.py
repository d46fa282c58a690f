"""Draft, approve and close a voucher programme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, insert, select, update

from marketplace.billing.ledger.use_cases import (
    AccountType,
    Entry,
    EntryKind,
    OpenAccount,
    open_account,
    post_entry,
    transfer,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.rulebook import rulebook
from marketplace.vouchers import tables
from marketplace.vouchers.errors import ProgrammeRefused, ProgrammeStateMoved, SamePerson
from marketplace.vouchers.events import ProgrammeOpened
from marketplace.vouchers.queries import Programme, layers, programme
from marketplace.vouchers.rules.regions import LayerRegion, highest_ratio, lies_in
from marketplace.vouchers.rules.states import ProgrammeStatus
from marketplace.vouchers.rules.terms import Terms, missing_terms, terms_of
from marketplace.vouchers.rules.validity import programme_valid_until
from marketplace.vouchers.use_cases.closing import WindUp, wind_up


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """A funder's budget for the SMEs of a region; without a ratio it is the rulebook's."""

    funder: str
    region_code: str
    budget_fen: int
    ratio_basis_points: int | None = None
    name: str = ""
    budget_year: int | None = None


@dataclass(frozen=True, slots=True)
class DraftProgramme:
    """A programme as an officer wants to open it; nothing moves until it is approved."""

    name: str
    name_en: str
    year: int
    opens_on: date
    closes_on: date
    layers: tuple[LayerPlan, ...]
    code: str = ""
    source: str = ""
    terms: Mapping[str, Any] | None = None
    """The terms of a programme's file, checked by `read_programme`; None: the rulebook's."""


async def draft_programme(tx: Tx, command: DraftProgramme) -> Programme:
    """Write the programme down with its file's terms, or the rulebook's of its first day.

    Raises:
        ProgrammeRefused: with every reason: days outside the year, a funder or region that the
            rulebook does not know, layers of more than 100 % together.
        ProgrammeExists: when a programme of that year has the name.
        LayerTwice: when a funder has two layers for one region.

    Policy: J.22a, J.22b
    """
    snapshot = command.terms
    if snapshot is None:
        snapshot = _terms_of_rulebook(command)
    terms = terms_of(snapshot)
    programme_id = await tx.scalar(
        insert(tables.programme)
        .values(
            name=command.name,
            name_en=command.name_en,
            year=command.year,
            opens_on=command.opens_on,
            closes_on=command.closes_on,
            valid_until=programme_valid_until(
                terms.validity,
                closes_on=command.closes_on,
                year=command.year,
                ends_on=terms.ends_on,
            ),
            terms=snapshot,
            status=ProgrammeStatus.DRAFT,
            made_by=tx.actor.person_id,
            made_at=tx.now,
            code=command.code,
            source=command.source,
        )
        .returning(tables.programme.c.id)
    )
    await tx.execute(
        insert(tables.programme_layer),
        [
            {
                "programme_id": programme_id,
                "funder": plan.funder,
                "region_code": plan.region_code,
                "ratio_basis_points": plan.ratio_basis_points or terms.ratios[plan.funder],
                "budget_fen": plan.budget_fen,
                "name": plan.name,
                "budget_year": plan.budget_year,
            }
            for plan in command.layers
        ],
    )
    tx.audit("draft", subject="programme", subject_id=programme_id, name=command.name)
    return await programme(tx, programme_id)


def _terms_of_rulebook(command: DraftProgramme) -> Mapping[str, Any]:
    snapshot = rulebook().voucher.snapshot(command.opens_on)
    reasons = Reasons()
    for term in missing_terms(snapshot):
        reasons.add("rulebook", f"The rulebook says nothing of {term} on {command.opens_on}.")
    reasons.raise_as(ProgrammeRefused)
    _check_draft(reasons, command, terms_of(snapshot))
    reasons.raise_as(ProgrammeRefused)
    return snapshot


def _check_draft(reasons: Reasons, command: DraftProgramme, terms: Terms) -> None:
    province = rulebook().province.region_code.ljust(6, "0")
    if not command.opens_on <= command.closes_on:
        reasons.add("days", "A programme closes on or after the day on which it opens.")
    if {command.opens_on.year, command.closes_on.year} != {command.year}:
        # The caps are per calendar year, so a programme's applications lie in one.
        reasons.add("year", f"Applications are taken within {command.year}.", limit=command.year)
    if not command.layers:
        reasons.add("layers", "A programme needs a funder.", source="J.22a")
    for plan in command.layers:
        if plan.funder not in terms.ratios:
            reasons.add(
                "funder",
                f"The rulebook gives no ratio for the {plan.funder}.",
                limit=sorted(terms.ratios),
                asked=plan.funder,
                source=terms.source_of("layers"),
            )
        if not lies_in(plan.region_code, province):
            reasons.add(
                "region",
                f"{plan.region_code} lies outside {province}.",
                limit=province,
                asked=plan.region_code,
                source="J.22a",
            )
    together = highest_ratio(
        [
            LayerRegion(0, plan.funder, plan.region_code, terms.ratios.get(plan.funder, 0))
            for plan in command.layers
        ]
    )
    if together > 10_000:
        reasons.add(
            "stacking",
            "Layers that pay for the same SME take over more than 100 % together.",
            limit=10_000,
            asked=together,
            source="J.22b",
        )


@dataclass(frozen=True, slots=True)
class ApproveProgramme:
    """A second person opens the drafted programme."""

    programme_id: int


async def approve_programme(tx: Tx, command: ApproveProgramme) -> Programme:
    """Open the programme: each layer's budget enters the voucher ledger.

    Raises:
        ProgrammeStateMoved: when it is not a draft.
        SamePerson: when the approver drafted it.
    """
    drafted = await programme(tx, command.programme_id, lock=True)
    if drafted.status != ProgrammeStatus.DRAFT:
        raise ProgrammeStateMoved(f"The programme is {drafted.status}, not a draft.")
    if drafted.made_by == tx.actor.person_id:
        raise SamePerson("Another person than the one who drafted it approves a programme.")
    await tx.execute(
        update(tables.programme)
        .where(tables.programme.c.id == drafted.id)
        .values(status=ProgrammeStatus.OPEN, approved_by=tx.actor.person_id, approved_at=tx.now)
    )
    for layer in await layers(tx, drafted.id):
        appropriation = await open_account(tx, OpenAccount(AccountType.APPROPRIATION, layer.id))
        budget = await open_account(tx, OpenAccount(AccountType.PROGRAMME_BUDGET, layer.id))
        await open_account(tx, OpenAccount(AccountType.PROGRAMME_SPENT, layer.id))
        await post_entry(
            tx,
            Entry(
                kind=EntryKind.BUDGET_APPROPRIATED,
                effective_on=tx.today,
                lines=transfer(debit=appropriation, credit=budget, amount_fen=layer.budget_fen),
                key=f"programme-layer:{layer.id}:budget",
                source_kind="programme",
                source_id=drafted.id,
                made_by=drafted.made_by,
                approved_by=tx.actor.person_id,
            ),
        )
    tx.record(ProgrammeOpened(drafted.id, drafted.year))
    tx.audit("approve", subject="programme", subject_id=drafted.id)
    return await programme(tx, drafted.id)


@dataclass(frozen=True, slots=True)
class CloseProgramme:
    """No more applications; grants already made go on until their last day."""

    programme_id: int


async def close_programme(tx: Tx, command: CloseProgramme) -> Programme:
    """Close an open programme once every submitted application is decided.

    Applications that wait in line or are not complete lapse, and the budget that nobody was
    granted returns to its appropriation; so does what vouchers leave later.

    Raises:
        ProgrammeStateMoved: when it is not open, or when applications wait for a decision.
    """
    opened = await programme(tx, command.programme_id, lock=True)
    if opened.status != ProgrammeStatus.OPEN:
        raise ProgrammeStateMoved(f"The programme is {opened.status}, not open.")
    table = tables.voucher_application.c
    waiting = await tx.scalar(
        select(func.count()).where(table.programme_id == opened.id, table.status == "submitted")
    )
    if waiting:
        raise ProgrammeStateMoved(
            f"{waiting} applications wait for a decision; decide them first.", waiting=waiting
        )
    await tx.execute(
        update(tables.programme)
        .where(tables.programme.c.id == opened.id)
        .values(status=ProgrammeStatus.CLOSED, closed_at=tx.now)
    )
    tx.audit("close", subject="programme", subject_id=opened.id)
    await wind_up(tx, WindUp(opened.id))
    return await programme(tx, opened.id)
