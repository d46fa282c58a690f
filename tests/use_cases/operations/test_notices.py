"""Notices are told in both languages, to whom they are for, while they last; messages again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.events import Event
from marketplace.kernel.operations import MessagesAsked, messages, waiting_message
from marketplace.kernel.time import SetClock
from marketplace.operations import queries
from marketplace.operations.errors import (
    MessageMissing,
    NoticeMissing,
    NoticeOver,
    NoticeRefused,
    NoticeWithdrawn,
)
from marketplace.operations.queries import Notice, NoticeSearch
from marketplace.operations.use_cases import (
    NoticeState,
    PublishNotice,
    Severity,
    WithdrawNotice,
    publish_notice,
    retry_message,
    withdraw_notice,
)
from marketplace.parties.roles import Role
from tests.builders.parties import TEST, an_actor


async def a_notice(database: Database, **changes: Any) -> Notice:
    """A notice to everybody, from now on for a day."""
    now: datetime = database.clock.now()
    asked: dict[str, Any] = {
        "severity": Severity.INFO,
        "title_zh": "周六停机维护",
        "title_en": "Maintenance on Saturday",
        "shown_from": now,
        "shown_until": now + timedelta(days=1),
    }
    return await atomically(
        database, publish_notice, PublishNotice(**(asked | changes)), actor=TEST
    )


async def told_to(database: Database, *roles: Role) -> list[int]:
    """Which notices somebody with these roles is told just now."""
    actor = await an_actor(database, *roles)
    return [each.id for each in await atomically(database, queries.notices_now, None, actor=actor)]


async def test_a_notice_is_told_to_its_roles_while_it_lasts_the_most_urgent_first(
    database: Database, clock: SetClock
) -> None:
    everybody = await a_notice(database)
    buyers = await a_notice(database, severity=Severity.CRITICAL, audience=(Role.BUYER,))
    later = await a_notice(database, shown_from=clock.now() + timedelta(hours=1))

    assert await told_to(database, Role.BUYER) == [buyers.id, everybody.id]
    assert await told_to(database, Role.TECHNICIAN) == [everybody.id]
    clock.set(clock.now() + timedelta(hours=2))
    assert await told_to(database, Role.TECHNICIAN) == [everybody.id, later.id]
    clock.set(clock.now() + timedelta(days=1))
    assert await told_to(database, Role.BUYER) == []


async def test_a_notice_that_nobody_could_read_is_refused_with_every_reason(
    database: Database, clock: SetClock
) -> None:
    now = clock.now()
    with pytest.raises(NoticeRefused) as refused:
        await a_notice(
            database,
            title_en=" ",
            text_zh="只有中文",
            audience=("king",),
            shown_until=now - timedelta(hours=1),
        )
    assert [each.rule for each in refused.value.reasons] == [
        "titles",
        "texts",
        "audience",
        "period",
    ]
    for changes, rule in (
        ({"title_zh": "长" * 121}, "titles"),
        ({"text_zh": "长" * 1001, "text_en": "x"}, "texts"),
        ({"shown_from": now - timedelta(days=2), "shown_until": now}, "period-over"),
        ({"shown_until": now + timedelta(days=400)}, "period-long"),
    ):
        with pytest.raises(NoticeRefused) as refused:
            await a_notice(database, **changes)
        assert [each.rule for each in refused.value.reasons] == [rule]


async def test_a_notice_is_withdrawn_once_and_never_changed(
    database: Database, clock: SetClock
) -> None:
    shown = await a_notice(database)
    over = await a_notice(database, shown_until=clock.now() + timedelta(minutes=1))
    command = WithdrawNotice(shown.id, "改期")

    withdrawn = await atomically(database, withdraw_notice, command, actor=TEST)
    with pytest.raises(NoticeWithdrawn):
        await atomically(database, withdraw_notice, command, actor=TEST)
    clock.set(clock.now() + timedelta(minutes=1))
    with pytest.raises(NoticeOver):
        await atomically(database, withdraw_notice, WithdrawNotice(over.id, "x"), actor=TEST)
    with pytest.raises(NoticeMissing):
        await atomically(database, withdraw_notice, WithdrawNotice(99, "x"), actor=TEST)

    assert withdrawn.withdrawn_reason == "改期"
    for state, expected in (
        (NoticeState.WITHDRAWN, [shown.id]),
        (NoticeState.OVER, [over.id]),
        (NoticeState.SHOWN, []),
        (NoticeState.PLANNED, []),
    ):
        found = await atomically(
            database, queries.notices, NoticeSearch(state=state, text="停机"), actor=TEST
        )
        assert [each.id for each in found.rows] == expected


@pytest.mark.parametrize(
    "statement",
    [
        "update notice set title_zh = '别的'",
        "update notice set title_zh = '别的', withdrawn_by = 1, withdrawn_at = now(),"
        " withdrawn_reason = 'x'",
    ],
)
async def test_postgresql_keeps_the_words_of_a_notice(database: Database, statement: str) -> None:
    await a_notice(database)

    async def write(tx: Tx, _: None) -> None:
        await tx.execute(text(statement))

    with pytest.raises(NoticeWithdrawn):
        await atomically(database, write, None, actor=TEST)


async def test_postgresql_refuses_a_notice_in_one_language_or_to_roles_that_do_not_exist(
    database: Database,
) -> None:
    insert = (
        "insert into notice (severity, title_zh, title_en, text_zh, audience, shown_from,"
        " shown_until, written_by, written_at) values"
        " ('{}', '题', '{}', '{}', '{{{}}}', now(), now() + interval '{}', 1, now())"
    )

    async def write(tx: Tx, statement: str) -> None:
        await tx.execute(text(statement))

    for values in (
        ("loud", "x", "", "", "1 day"),
        ("info", "", "", "", "1 day"),
        ("info", "x", "正文", "", "1 day"),
        ("info", "x", "", "king", "1 day"),
        ("info", "x", "", "", "2 years"),
        ("info", "x", "", "", "-1 day"),
    ):
        with pytest.raises(IntegrityError):
            await atomically(database, write, insert.format(*values), actor=TEST)


async def test_a_message_that_failed_is_due_again_at_once(
    database: Database, clock: SetClock
) -> None:
    (name, *_) = Event.by_name
    insert = text(
        "insert into outbox_event (name, payload, recorded_at, due_at, attempts, last_error)"
        " values (:name, '{}', :now, :due, :attempts, 'no answer') returning id"
    )

    async def fail(tx: Tx, attempts: int) -> int:
        values = {"name": name, "now": tx.now, "due": tx.now + timedelta(hours=1)}
        return int(await tx.scalar(insert, values | {"attempts": attempts}))

    failed = await atomically(database, fail, 20, actor=TEST)
    fresh = await atomically(database, fail, 0, actor=TEST)

    listed = await atomically(database, messages, MessagesAsked(name=name), actor=TEST)
    again = await atomically(database, retry_message, failed, actor=TEST)
    with pytest.raises(MessageMissing):
        await atomically(database, retry_message, fresh, actor=TEST)
    with pytest.raises(MessageMissing):
        await atomically(database, retry_message, 10**9, actor=TEST)

    assert [each.id for each in listed.rows] == [failed]
    assert (again.attempts, again.due_at) == (0, clock.now())
    assert await atomically(database, waiting_message, failed, actor=TEST) == again
