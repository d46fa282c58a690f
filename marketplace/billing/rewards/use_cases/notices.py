"""A run in public notice: published, objected to by anybody, answered before anybody is paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert, select, update

from marketplace.billing.rewards import queries
from marketplace.billing.rewards.errors import (
    NoticeMissing,
    ObjectionAnswered,
    RunNotDraft,
    SecondPersonNeeded,
)
from marketplace.billing.rewards.events import RewardRunPublished
from marketplace.billing.rewards.rules.notices import notice_ends_on, require_open_for_objections
from marketplace.billing.rewards.rules.states import ObjectionStatus, RunStatus
from marketplace.billing.rewards.rules.terms import RewardTerms
from marketplace.billing.rewards.tables import reward_objection, reward_run
from marketplace.billing.rewards.use_cases.checks import (
    require_agreement,
    require_current,
    undecided_run,
)
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class PublishRun:
    """Show a draft to everybody for as long as the terms ask."""

    run_id: int


async def publish_run(tx: Tx, command: PublishRun) -> queries.RewardRun:
    """Give public notice of a draft; from now on its figures stay as they are.

    Raises:
        RunMissing: when there is none.
        RunNotDraft: when it was published or decided.
        RunOutdated: when services, grades or payments have changed since it was drafted.
        RunDisagrees: when a share is not what the rules give.

    Policy: H.17a
    """
    drafted = await undecided_run(tx, command.run_id)
    if drafted.status != RunStatus.DRAFT:
        raise RunNotDraft(f"The run is {drafted.status}.", asked=drafted.status)
    await require_current(tx, drafted)
    await require_agreement(tx, drafted)
    ends_on = notice_ends_on(tx.today, RewardTerms.of(drafted.terms).notice_working_days)
    await tx.execute(
        update(reward_run)
        .where(reward_run.c.id == drafted.id)
        .values(
            status=RunStatus.IN_NOTICE,
            published_by=tx.actor.person_id,
            published_at=tx.now,
            notice_ends_on=ends_on,
        )
    )
    tx.audit(
        "publish", subject="reward_run", subject_id=drafted.id, notice_ends_on=ends_on.isoformat()
    )
    tx.record(RewardRunPublished(drafted.id, drafted.year, drafted.total_fen, ends_on.isoformat()))
    return await queries.run(tx, drafted.id)


@dataclass(frozen=True, slots=True)
class FileObjection:
    """Why a run should not be paid as it was published, by somebody who can be reached."""

    run_id: int
    name: str
    contact: str
    statement: str


async def file_objection(tx: Tx, command: FileObjection) -> int:
    """Take an objection until the end of the notice's last day; answers with its number.

    Raises:
        NoticeMissing: when no run of this number is in public notice.
        NoticeOver: after the last day of the notice.
    """
    # Whoever approves the run waits for this objection, or this one finds the run decided.
    ends_on: date | None = await tx.scalar(
        select(reward_run.c.notice_ends_on)
        .where(reward_run.c.id == command.run_id, reward_run.c.status == RunStatus.IN_NOTICE)
        .with_for_update(read=True)
    )
    if ends_on is None:
        raise NoticeMissing
    require_open_for_objections(ends_on, tx.today)
    objection_id: int = await tx.scalar(
        insert(reward_objection)
        .values(
            run_id=command.run_id,
            name=command.name,
            contact=command.contact,
            statement=command.statement,
            filed_at=tx.now,
            status=ObjectionStatus.OPEN,
        )
        .returning(reward_objection.c.id)
    )
    return objection_id


@dataclass(frozen=True, slots=True)
class AnswerObjection:
    """Whether an objection is right, and the answer to who filed it."""

    objection_id: int
    upheld: bool
    answer: str


async def answer_objection(tx: Tx, command: AnswerObjection) -> queries.Objection:
    """Answer an objection; one that is right keeps the run from being paid.

    Raises:
        ObjectionMissing: when there is none.
        ObjectionAnswered: when it was answered, or its run was decided.
        SecondPersonNeeded: when the actor drafted the run.
    """
    found = await queries.objection(tx, command.objection_id)
    of = await queries.run(tx, found.run_id)
    if of.made_by == tx.actor.person_id:
        raise SecondPersonNeeded("You drafted this run; ask a colleague to answer.")
    if of.status != RunStatus.IN_NOTICE:
        raise ObjectionAnswered(f"The run is {of.status}.", asked=of.status)
    answered = await tx.execute(
        update(reward_objection)
        .where(
            reward_objection.c.id == found.id,
            reward_objection.c.status == ObjectionStatus.OPEN,
        )
        .values(
            status=ObjectionStatus.UPHELD if command.upheld else ObjectionStatus.DISMISSED,
            answer=command.answer,
            answered_by=tx.actor.person_id,
            answered_at=tx.now,
        )
    )
    if not answered.rowcount:
        raise ObjectionAnswered(f"The objection is {found.status}.", asked=found.status)
    tx.audit(
        "answer",
        subject="reward_objection",
        subject_id=found.id,
        run_id=of.id,
        upheld=command.upheld,
        answer=command.answer,
    )
    return await queries.objection(tx, found.id)


async def objections_standing(tx: Tx, of: queries.RewardRun) -> Sequence[int]:
    """The objections to a run that are open or right."""
    found: Sequence[int] = await tx.scalars(
        select(reward_objection.c.id)
        .where(
            reward_objection.c.run_id == of.id,
            reward_objection.c.status != ObjectionStatus.DISMISSED,
        )
        .order_by(reward_objection.c.id)
    )
    return found
