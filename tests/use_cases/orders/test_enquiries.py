"""Asking a provider: who may, who sees it, when it lapses, and what goes into the thread."""

from datetime import timedelta

import pytest

from marketplace.kernel.db import Database
from marketplace.kernel.file_types import FileUnfit
from marketplace.kernel.storage import FileDamaged, files
from marketplace.orders import queries
from marketplace.orders.enquiry_errors import (
    EnquiryFileKnown,
    EnquiryFileMissing,
    EnquiryMissing,
    EnquiryRefused,
    EnquiryStepNotOpen,
    ThreadFull,
)
from marketplace.orders.errors import PartySuspended
from marketplace.orders.jobs import lapse_enquiries, remove_enquiry_orphans
from marketplace.orders.queries.enquiries import EnquiryList, enquiries, enquiry_by_id
from marketplace.orders.queries.enquiry_thread import ThreadAsked, events_of, files_of, messages
from marketplace.orders.rules import enquiries as rules
from marketplace.orders.rules.enquiries import EnquiryStatus
from marketplace.orders.rules.rescheduling import Side
from marketplace.orders.use_cases import enquiries as verbs
from marketplace.orders.use_cases import enquiry_files
from marketplace.orders.use_cases.enquiries import (
    EndEnquiry,
    WriteMessage,
    decline_enquiry,
    withdraw_enquiry,
    write_message,
)
from marketplace.orders.use_cases.enquiry_files import AttachFile, TakeFile, attach_file, take_file
from marketplace.parties.errors import OrganisationMissing
from marketplace.parties.roles import Role
from marketplace.parties.use_cases import SuspendOrganisation, suspend_organisation
from tests.builders.attachments import a_docx, a_pdf
from tests.builders.booking import a_bookable_instrument
from tests.builders.enquiries import an_enquiry, an_offer
from tests.builders.orders import a_market, move_to
from tests.builders.parties import an_actor


async def test_an_enquiry_is_seen_by_buyer_agent_and_provider_and_by_nobody_else(
    database: Database,
):
    market = await a_market(database, voucher_fen=0)
    agent = await an_actor(database, Role.STATION_AGENT)
    asked = await an_enquiry(market, by=agent, buyer_id=market.buyer.organisation_id)

    for actor in (market.buyer, agent, market.manager, market.technician):
        found = await market.do(enquiry_by_id, asked.id, by=actor)
        assert (found.id, found.instrument_ids) == (asked.id, [market.instrument_id])
        page = await market.do(enquiries, EnquiryList(), by=actor)
        assert [asked.id] == [row.id for row in page.rows]
        assert {market.buyer.organisation_id, agent.organisation_id} < set(page.names)
    others = [
        await an_actor(database, role)
        for role in (Role.BUYER, Role.STATION_AGENT, Role.PROVIDER_MANAGER, Role.AUDITOR)
    ]
    for actor in (*others, market.officer):
        with pytest.raises(EnquiryMissing):
            await market.do(enquiry_by_id, asked.id, by=actor)
        with pytest.raises(EnquiryMissing):
            await market.do(messages, ThreadAsked(asked.id), by=actor)
        with pytest.raises(EnquiryMissing):
            await market.do(write_message, WriteMessage(asked.id, "?"), by=actor)
        assert 0 == (await market.do(enquiries, EnquiryList(), by=actor)).total
    with pytest.raises(EnquiryMissing):
        await an_enquiry(market, by=market.buyer, buyer_id=others[0].organisation_id)


async def test_what_cannot_be_asked_is_refused_with_every_reason(database: Database):
    market = await a_market(database, voucher_fen=0)
    foreign = await a_bookable_instrument(database)
    yesterday = market.database.clock.now().date() - timedelta(days=1)

    with pytest.raises(EnquiryRefused) as refusal:
        await an_enquiry(market, wished_from=yesterday)
    assert ["wished-days"] == [reason.rule for reason in refusal.value.reasons]
    with pytest.raises(EnquiryRefused) as refusal:
        await an_enquiry(market, instrument_ids=(foreign, 999_999))
    assert ["own-instruments"] * 2 == [reason.rule for reason in refusal.value.reasons]
    with pytest.raises(EnquiryRefused):
        await an_enquiry(market, by=market.manager)
    with pytest.raises(OrganisationMissing):
        await an_enquiry(market, provider_id=market.buyer.organisation_id)
    suspended = SuspendOrganisation(market.manager.organisation_id, "测试")
    await market.do(suspend_organisation, suspended)
    with pytest.raises(PartySuspended):
        await an_enquiry(market)


async def test_the_list_is_searched_by_words_states_sides_instruments_and_days(database: Database):
    market = await a_market(database, voucher_fen=0)
    today = market.database.clock.now().date()
    first = await an_enquiry(market)
    second = await an_enquiry(market, subject="100% 纯度", instrument_ids=())
    await market.do(decline_enquiry, EndEnquiry(second.id, "没有设备"), by=market.technician)

    async def found(**asked: object) -> list[int]:
        page = await market.do(enquiries, EnquiryList(**asked), by=market.buyer)  # type: ignore[arg-type]
        assert len(page.rows) == page.total
        return [row.id for row in page.rows]

    assert [second.id, first.id] == await found()
    assert [second.id] == await found(text="100%")
    assert [] == await found(text="_纯")
    assert [second.id] == await found(statuses=(EnquiryStatus.DECLINED,))
    assert [first.id] == await found(instrument_id=market.instrument_id)
    assert [] == await found(side=Side.PROVIDER)
    assert [second.id, first.id] == await found(side=Side.BUYER)
    assert [second.id, first.id] == await found(organisation_id=market.manager.organisation_id)
    assert [second.id, first.id] == await found(asked_from=today, asked_until=today)
    assert [] == await found(asked_until=today - timedelta(days=1))


async def test_a_thread_is_written_by_both_sides_and_the_providers_first_word_answers(
    database: Database,
):
    market = await a_market(database, voucher_fen=0)
    asked = await an_enquiry(market)
    start = market.database.clock.now()
    await market.do(write_message, WriteMessage(asked.id, "补充：4 英寸"), by=market.buyer)
    still = await market.do(enquiry_by_id, asked.id, by=market.buyer)
    assert ("open", None, asked.answer_until) == (still.status, still.answered_at, still.due_at)

    move_to(market, start + timedelta(hours=2))
    await market.do(write_message, WriteMessage(asked.id, "可以做"), by=market.technician)
    answered = await market.do(enquiry_by_id, asked.id, by=market.buyer)
    assert ("answered", start + timedelta(hours=2)) == (answered.status, answered.answered_at)
    move_to(market, start + timedelta(days=20))
    await market.do(write_message, WriteMessage(asked.id, "下周？"), by=market.buyer)

    kept = await market.do(enquiry_by_id, asked.id, by=market.buyer)
    assert kept.due_at == start + timedelta(days=50)
    assert kept.answered_at == answered.answered_at
    page = await market.do(messages, ThreadAsked(asked.id), by=market.manager)
    assert [("buyer", "补充：4 英寸"), ("provider", "可以做"), ("buyer", "下周？")] == [
        (row.side, row.text) for row in page.rows
    ]
    assert all(page.people[row.written_by] for row in page.rows)
    only = await market.do(messages, ThreadAsked(asked.id, "可以"), by=market.manager)
    assert 1 == only.total


async def test_what_nobody_answers_or_goes_on_with_lapses_and_the_rest_stays(database: Database):
    market = await a_market(database, voucher_fen=0)
    start = market.database.clock.now()
    silent = await an_enquiry(market)
    forgotten = await an_enquiry(market, subject="第二个")
    offered = await an_enquiry(market, subject="第三个")
    await market.do(write_message, WriteMessage(forgotten.id, "可以"), by=market.technician)
    until = start + timedelta(days=2)
    offer = await an_offer(market, offered.id, valid_until=until)

    async def statuses() -> list[str]:
        page = await market.do(enquiries, EnquiryList(), by=market.buyer)
        return [row.status for row in reversed(page.rows)]

    assert 0 == await lapse_enquiries(database)
    move_to(market, until)
    # Nobody waits for the worker: what is over is over.
    with pytest.raises(EnquiryStepNotOpen):
        await market.do(write_message, WriteMessage(offered.id, "还行吗"), by=market.buyer)
    assert 1 == await lapse_enquiries(database)
    assert ["open", "answered", "lapsed"] == await statuses()
    move_to(market, silent.answer_until)
    assert 1 == await lapse_enquiries(database)
    assert 0 == await lapse_enquiries(database)
    move_to(market, start + timedelta(days=30))
    assert 1 == await lapse_enquiries(database)

    assert ["lapsed"] * 3 == await statuses()
    kinds = (await market.do(events_of, ThreadAsked(offered.id), by=market.buyer)).rows
    assert ["ask", "offer", "lapse"] == [each.kind for each in kinds]
    assert offer.quote_id == kinds[1].facts["quote_id"]
    with pytest.raises(EnquiryStepNotOpen):
        await market.do(withdraw_enquiry, EndEnquiry(silent.id, "太晚"), by=market.buyer)


async def test_each_side_ends_what_is_its_own_to_end(database: Database):
    market = await a_market(database, voucher_fen=0)
    agent = await an_actor(database, Role.STATION_AGENT)
    asked = await an_enquiry(market, by=agent, buyer_id=market.buyer.organisation_id)
    with pytest.raises(EnquiryMissing):
        await market.do(decline_enquiry, EndEnquiry(asked.id, "不"), by=market.buyer)
    with pytest.raises(EnquiryMissing):
        await market.do(withdraw_enquiry, EndEnquiry(asked.id, "不"), by=market.manager)

    ended = await market.do(withdraw_enquiry, EndEnquiry(asked.id, "另有安排"), by=agent)
    assert ("withdrawn", "另有安排", None) == (ended.status, ended.ended_because, ended.due_at)
    with pytest.raises(EnquiryStepNotOpen):
        await market.do(write_message, WriteMessage(asked.id, "等等"), by=market.manager)
    other = await an_enquiry(market)
    await an_offer(market, other.id)
    with pytest.raises(EnquiryStepNotOpen, match="take it back first"):
        await market.do(decline_enquiry, EndEnquiry(other.id, "不"), by=market.manager)


async def test_answers_to_enquiries_count_in_the_response_time(database: Database):
    market = await a_market(database, voucher_fen=0)
    provider_id = market.manager.organisation_id
    start = market.database.clock.now()
    asked = [await an_enquiry(market, subject=f"第 {number} 个") for number in range(4)]
    move_to(market, start + timedelta(minutes=10))
    await market.do(write_message, WriteMessage(asked[0].id, "可以"), by=market.technician)
    move_to(market, start + timedelta(minutes=30))
    await market.do(decline_enquiry, EndEnquiry(asked[1].id, "不行"), by=market.technician)
    await market.do(withdraw_enquiry, EndEnquiry(asked[2].id, "不用了"), by=market.buyer)
    move_to(market, asked[3].answer_until)
    await lapse_enquiries(database)

    found = await market.do(queries.response_time, provider_id)

    assert (2, 0, 1, 20) == (
        found.answered,
        found.at_once,
        found.unanswered,
        found.median_minutes,
    )


async def test_files_are_kept_once_taken_by_the_sides_and_every_copy_is_logged(database: Database):
    market = await a_market(database, voucher_fen=0)
    asked = await an_enquiry(market)
    paper = AttachFile(asked.id, "需求.pdf", a_pdf())
    kept = await market.do(attach_file, paper, by=market.buyer)
    await market.do(attach_file, AttachFile(asked.id, "方案.docx", a_docx()), by=market.technician)

    with pytest.raises(EnquiryFileKnown):
        await market.do(attach_file, paper, by=market.manager)
    taken = await market.do(take_file, TakeFile(asked.id, kept.id), by=market.technician)
    assert (a_pdf(), "application/pdf", kept.sha256) == (
        taken.content,
        taken.media_type,
        taken.sha256,
    )
    page = await market.do(files_of, ThreadAsked(asked.id), by=market.buyer)
    assert [("buyer", "需求.pdf"), ("provider", "方案.docx")] == [
        (row.side, row.name) for row in page.rows
    ]
    logged = await market.do(events_of, ThreadAsked(asked.id, "download"), by=market.buyer)
    assert [(market.technician.person_id, kept.id)] == [
        (row.person_id, row.facts["file_id"]) for row in logged.rows
    ]
    stranger = await an_actor(database, Role.BUYER)
    with pytest.raises(EnquiryMissing):
        await market.do(take_file, TakeFile(asked.id, kept.id), by=stranger)
    with pytest.raises(EnquiryMissing):
        await market.do(attach_file, paper, by=stranger)
    other = await an_enquiry(market, subject="另一个")
    with pytest.raises(EnquiryFileMissing):
        await market.do(take_file, TakeFile(other.id, kept.id), by=market.buyer)
    # A row names both files: no orphan is removed, however old.
    move_to(market, market.database.clock.now() + timedelta(days=3))
    assert 0 == await remove_enquiry_orphans(database)
    await files().remove([f"enquiries/{kept.sha256[:2]}/{kept.sha256}"])
    with pytest.raises(FileDamaged):
        await market.do(take_file, TakeFile(asked.id, kept.id), by=market.buyer)


HOSTILE = [
    ("病毒.pdf", b"MZ\x90\x00" + b"\x00" * 600, "file-type"),
    ("网页.txt", b"<html><script>alert(1)</script></html>", "file-type"),
    ("脚本.txt", b"#!/bin/sh\nrm -rf /\n", "file-type"),
    ("画.png", b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>', "file-type"),
    ("合同.pdf", a_docx(), "file-name"),
    ("空.pdf", b"", "file-size"),
    ("大.pdf", b"%PDF-1.7" + b"0" * (10 * 1024 * 1024), "file-size"),
    ("宏.docx", a_docx({"word/vbaProject.bin": b"1"}), "package-active"),
    ("炸弹.docx", a_docx({"word/a.xml": b"\x00" * (20 * 1024 * 1024)}), "package-ratio"),
    ("动作.pdf", a_pdf(b"/OpenAction << /S /JavaScript /JS (app.alert) >>"), "pdf-active"),
    ("包.zip", a_docx(), "file-name"),
]


async def test_hostile_files_are_refused_and_nothing_of_them_is_kept(database: Database):
    market = await a_market(database, voucher_fen=0)
    asked = await an_enquiry(market)

    for name, content, rule in HOSTILE:
        with pytest.raises(FileUnfit) as refusal:
            await market.do(attach_file, AttachFile(asked.id, name, content), by=market.buyer)
        assert rule in [reason.rule for reason in refusal.value.reasons], name

    assert 0 == (await market.do(files_of, ThreadAsked(asked.id), by=market.buyer)).total
    # The control: a file that is only read is taken.
    await market.do(attach_file, AttachFile(asked.id, "好.pdf", a_pdf()), by=market.buyer)


async def test_what_arrived_otherwise_than_it_was_sent_is_refused(database: Database):
    market = await a_market(database, voucher_fen=0)
    asked = await an_enquiry(market)
    wrong = AttachFile(asked.id, "需求.pdf", a_pdf(), sha256="0" * 64)
    with pytest.raises(FileUnfit):
        await market.do(attach_file, wrong, by=market.buyer)


async def test_a_thread_takes_so_many_messages_and_files_and_no_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    market = await a_market(database, voucher_fen=0)
    asked = await an_enquiry(market)
    monkeypatch.setattr(verbs, "MESSAGES_MAX", 1)
    monkeypatch.setattr(enquiry_files, "FILES_MAX", 1)
    await market.do(write_message, WriteMessage(asked.id, "一"), by=market.buyer)
    await market.do(attach_file, AttachFile(asked.id, "a.pdf", a_pdf()), by=market.buyer)

    with pytest.raises(ThreadFull):
        await market.do(write_message, WriteMessage(asked.id, "二"), by=market.buyer)
    with pytest.raises(ThreadFull):
        await market.do(attach_file, AttachFile(asked.id, "b.docx", a_docx()), by=market.buyer)
    assert (500, 20) == (rules.MESSAGES_MAX, rules.FILES_MAX)
