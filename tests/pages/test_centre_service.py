"""The service on pages: the board, jobs and their runs, messages that failed, public figures."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from marketplace.assembly import all_jobs
from marketplace.kernel.db import Tx, atomically
from marketplace.kernel.events import Event
from marketplace.kernel.jobs import claim, finish
from marketplace.parties.roles import Role
from marketplace.web.words import label
from tests.builders.parties import TEST, an_actor

pytestmark = pytest.mark.timeout(180)


async def test_failed_jobs_and_messages_are_seen_and_a_message_is_sent_again(enter, database):
    administrator = await enter(await an_actor(database, Role.ADMINISTRATOR))
    tick = database.clock.now()
    await claim(database, job="dry_runs", tick=tick, worker="w")
    await finish(database, job="dry_runs", tick=tick, done=None, error="RuntimeError: kaputt")

    async def fail(tx: Tx, _: None) -> int:
        (name, *_rest) = Event.by_name
        insert = text(
            "insert into outbox_event (name, payload, recorded_at, due_at, attempts, last_error)"
            " values (:name, '{}', :now, :now, 20, 'no answer') returning id"
        )
        return int(await tx.scalar(insert, {"name": name, "now": tx.now}))

    message = await atomically(database, fail, None, actor=TEST)

    board = await administrator.open("/ops")
    jobs = await administrator.open("/ops/jobs", job="dry_runs", failed="yes")
    waiting = await administrator.open("/ops/messages")
    again = await administrator.send(waiting, f"/ops/messages/{message}/retry")
    twice = await administrator.post(f"/ops/messages/{message}/retry", {})
    every = await administrator.open("/ops/messages", all="yes")
    in_english = await administrator.open("/ops/jobs", lang="en")

    assert "规则试算" in board.text
    assert "kaputt" in board.text
    assert "kaputt" in jobs.text
    assert "no answer" in waiting.text
    assert "已重新排队投递" in again.text
    assert "没有这样的消息" in again.text
    assert twice.status == 404
    assert "no answer" in every.text
    assert "Dry runs of rules" in in_english.text
    assert not any("一" <= each <= "鿿" for each in in_english.text.partition("Jobs")[2][:400])


def test_every_job_has_a_name_in_both_languages():
    unnamed = [job.name for job in all_jobs() if label("job_name", job.name).chinese == job.name]

    assert unnamed == []


async def test_everybody_reads_the_figures_of_a_year(visitor, database):
    shown = await visitor.open("/figures", year="2025")
    file = await visitor.http.get("/figures/file?year=2025&format=csv")
    wrong = await visitor.open("/figures", year="1900")

    assert shown.status == 200
    assert "2025 年平台用量与资金" in shown.text
    assert file.status_code == 200
    assert wrong.status == 400
