"""Graded providers, funds and reward runs for tests."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace.billing.ledger.use_cases import AccountType, EntryKind
from marketplace.billing.rewards.queries import RewardRun
from marketplace.billing.rewards.use_cases import (
    ApproveRun,
    AttachEvidence,
    DraftRun,
    Grade,
    NoteGrade,
    approve_run,
    attach_evidence,
    draft_run,
    note_grade,
)
from marketplace.kernel.actors import Actor, system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.parties.roles import Role
from tests.builders.ledger import a_posted_entry, an_account
from tests.builders.owner import become_owner
from tests.builders.parties import a_provider, an_actor

TEST = system_actor("test")


async def a_grade(database: Database, *, provider_id: int, **changes: Any) -> int:
    """The note that a provider's year was excellent."""
    asked: dict[str, Any] = {
        "provider_id": provider_id,
        "year": 2025,
        "grade": Grade.EXCELLENT,
        "source": "assessment 2025",
    }
    return await atomically(database, note_grade, NoteGrade(**(asked | changes)), actor=TEST)


async def a_graded_provider(
    database: Database, *, grade: str | None = Grade.EXCELLENT, year: int = 2025, **changes: Any
) -> int:
    """A provider of its own legal entity, unless one is given, with a grade (None: without)."""
    provider_id = await a_provider(database, **changes)
    if grade is not None:
        await a_grade(database, provider_id=provider_id, grade=Grade(grade), year=year)
    return provider_id


async def a_reward_fund(database: Database, *, amount_fen: int = 1_000_000_000_00) -> int:
    """The reward fund's account, with treasury money in it."""
    fund = await an_account(database, AccountType.REWARD_FUND)
    bank = await an_account(database, AccountType.BANK)
    await a_posted_entry(
        database,
        debit=bank,
        credit=fund,
        amount_fen=amount_fen,
        kind=EntryKind.REWARD_FUND_RECEIVED,
    )
    return fund


async def a_maker(database: Database) -> Actor:
    """Somebody who drafts runs."""
    return await an_actor(database, Role.FINANCE_MAKER)


async def a_checker(database: Database) -> Actor:
    """Somebody who approves what others drafted."""
    return await an_actor(database, Role.FINANCE_CHECKER)


async def a_draft(database: Database, *, actor: Actor | None = None, **changes: Any) -> RewardRun:
    """A draft of 2025 through today's clock of most tests, the third of March."""
    asked: dict[str, Any] = {"year": 2025, "through": date(2025, 3, 3)}
    return await atomically(
        database, draft_run, DraftRun(**(asked | changes)), actor=actor or await a_maker(database)
    )


async def an_approved_run(
    database: Database,
    *,
    maker: Actor | None = None,
    checker: Actor | None = None,
    **changes: Any,
) -> RewardRun:
    """A run that a second person has approved; the fund must cover it."""
    drafted = await a_draft(database, actor=maker, **changes)
    return await atomically(
        database,
        approve_run,
        ApproveRun(drafted.id),
        actor=checker or await a_checker(database),
    )


async def the_bank_has_paid(database: Database, run_id: int, on: date) -> None:
    """Every payout of a run, as if its file had gone out and a statement had confirmed it."""
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("set local session_replication_role = replica"))
        await connection.execute(
            text(
                "update payout set status = 'confirmed', batch_id = 1, sent_at = now(),"
                " confirmed_on = :on where source_kind = 'reward' and source_id = :run_id"
            ),
            {"on": on, "run_id": run_id},
        )


async def by_hand(database: Database, statement: str) -> None:
    """A statement of the tables' owner, past every use case."""
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text(statement))


async def refused_by_hand(database: Database, statement: str) -> str:
    """The name under which the database refuses a statement of its owner."""
    with pytest.raises(DBAPIError) as refusal:
        await by_hand(database, statement)
    cause = refusal.value.orig and refusal.value.orig.__cause__
    return str(getattr(cause, "constraint_name", ""))


async def reward_things(database: Database, manager: Actor, run_id: int) -> dict[str, int | str]:
    """A provider owes a report with a paper, and a part of a closed year's reward."""
    provider_id = manager.organisation_id
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("set local session_replication_role = replica"))
        entity = "(select legal_entity_id from organisation where id = :provider)"
        report_id = await connection.scalar(
            text(
                "insert into reward_use_report (run_id, provider_id, legal_entity_id, amount_fen,"
                " paid_on, due_on, status, opened_at)"
                f" values (:run, :provider, {entity}, 5000, '2025-03-10', '2025-09-06', 'due',"
                " now()) returning id"
            ),
            {"run": run_id, "provider": provider_id},
        )
        clawback_id = await connection.scalar(
            text(
                "insert into reward_clawback (legal_entity_id, year, paid_fen, due_fen, amount_fen,"
                " terms, reason, status, proposed_by, proposed_at, decided_by, decided_at)"
                f" values ({entity}, 2024, 5000, 3000, 2000, '{{}}', '退款', 'owed', 1, now(),"
                " :who, now()) returning id"
            ),
            {"provider": provider_id, "who": manager.person_id},
        )
        await connection.execute(
            text("insert into reward_clawback_line values (:id, :provider, 2000)"),
            {"id": clawback_id, "provider": provider_id},
        )
    paper = AttachEvidence(report_id, "维修发票.pdf", b"%PDF-1.7\n%%EOF\n")
    evidence = await atomically(database, attach_evidence, paper, actor=manager)
    return {
        "use_report_id": report_id,
        "use_evidence_id": evidence.id,
        "reward_clawback_id": clawback_id,
    }
