"""Enquiries, offers and prices set by hand hold whatever is written."""

import re
from collections.abc import AsyncIterator

import asyncpg
import pytest

from marketplace.kernel.db import Database
from marketplace.orders.use_cases.enquiries import (
    EndEnquiry,
    WriteMessage,
    withdraw_enquiry,
    write_message,
)
from marketplace.orders.use_cases.enquiry_files import AttachFile, attach_file
from marketplace.orders.use_cases.manual_price import ManualPrice
from tests.builders.attachments import a_pdf
from tests.builders.booking import a_bookable_instrument
from tests.builders.enquiries import MANUAL, an_approved_offer, an_enquiry, an_offer
from tests.builders.orders import a_market, a_quote, an_order


@pytest.fixture
async def raw(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Enquiries: one with a price approved and another waiting, one withdrawn; an order."""
    market = await a_market(database)
    asked = await an_enquiry(market)
    await market.do(write_message, WriteMessage(asked.id, "可以"), by=market.technician)
    await market.do(attach_file, AttachFile(asked.id, "a.pdf", a_pdf()), by=market.buyer)
    await an_approved_offer(market, asked.id)
    await an_offer(market, asked.id, manual=ManualPrice("hour", 20_000, "更多"))
    ended = await an_enquiry(market, subject="撤回")
    await market.do(withdraw_enquiry, EndEnquiry(ended.id, "不用了"), by=market.buyer)
    await an_order(market)
    await a_quote(market)
    await a_bookable_instrument(database)
    assert MANUAL.unit_fen == 30_000
    connection = await asyncpg.connect(
        database.url.replace("postgresql+asyncpg://", "postgresql://")
    )
    yield connection
    await connection.close()


AN_ENQUIRY = (
    "insert into enquiry (buyer_id, provider_id, status, subject, need, samples, budget_fen,"
    " wished_from, wished_until, asked_by, asked_at, answer_until, answered_at, due_at, changed_at)"
    " select buyer_id, provider_id, status, subject, need, samples, budget_fen, wished_from,"
    " wished_until, asked_by, asked_at, answer_until, answered_at, due_at, changed_at from"
    " (select *, {} from (select buyer_id as the_buyer, asked_by, asked_at, changed_at"
    " from enquiry limit 1) as one) as new"
)
FIELDS = {
    "buyer_id": "the_buyer",
    "provider_id": "the_buyer + 1",
    "status": "'open'",
    "subject": "'x'",
    "need": "'x'",
    "samples": "null::int",
    "budget_fen": "null::bigint",
    "wished_from": "null::date",
    "wished_until": "null::date",
    "answer_until": "asked_at + interval '1 day'",
    "answered_at": "null::timestamptz",
    "due_at": "asked_at + interval '1 day'",
}


def an_enquiry_with(**changes: str) -> str:
    told = FIELDS | changes
    return AN_ENQUIRY.format(", ".join(f"{value} as {name}" for name, value in told.items()))


A_MESSAGE = (
    "insert into enquiry_message (enquiry_id, side, text, written_by, written_at)"
    " select enquiry_id, {}, written_by, written_at from enquiry_message"
)
A_FILE = (
    "insert into enquiry_file (enquiry_id, side, name, media_type, sha256, size_bytes, storage_key,"
    " stored_by, stored_at) select enquiry_id, side, name, media_type, {}, stored_by, stored_at"
    " from enquiry_file"
)
OTHER = "repeat('0', 64)"
OTHER_KEY = "'enquiries/00/' || repeat('0', 64)"
WAITING = "where status = 'awaiting_approval'"
STANDING = "where status = 'standing'"
ENDED = "ended_by = 1, ended_at = now(), ended_because = 'x'"
BY_HAND = "where manual_unit is not null"
PLAIN = "where used_at is null and manual_unit is null"


def a_quote_by_hand(**changes: str) -> str:
    """A copy of the approved quote; the statement is refused when it is made."""
    names = re.findall(
        r"\w+",
        "buyer_id provider_id instrument_id mode starts_at ends_at customer_class purpose"
        " service_kind price_list_id lines total_fen voucher_fen own_fen explanation terms"
        " valid_until made_by made_at priced_on manual_unit manual_unit_fen",
    )
    told = ", ".join(changes.get(name, name) for name in names)
    return f"insert into quote ({', '.join(names)}) select {told} from quote {BY_HAND} limit 1"


BROKEN = [
    ("enquiry_status", an_enquiry_with(status="'lost'")),
    ("enquiry_sides", an_enquiry_with(provider_id="the_buyer")),
    ("enquiry_subject", an_enquiry_with(subject="''")),
    (
        "enquiry_wished",
        an_enquiry_with(wished_from="date '2025-03-05'", wished_until="date '2025-03-04'"),
    ),
    ("enquiry_samples", an_enquiry_with(samples="0")),
    ("enquiry_budget", an_enquiry_with(budget_fen="0::bigint")),
    ("enquiry_answer", an_enquiry_with(answer_until="asked_at")),
    ("enquiry_answered", an_enquiry_with(status="'offered'")),
    ("enquiry_ended", an_enquiry_with(status="'lapsed'")),
    ("enquiry_kept", "update enquiry set subject = 'y' where status = 'offered'"),
    ("enquiry_kept", "update enquiry set answered_at = now() where status = 'offered'"),
    ("enquiry_kept", "update enquiry set changed_at = now() where status = 'withdrawn'"),
    (
        "enquiry_instrument_own",
        "insert into enquiry_instrument select e.id, i.id from enquiry e, instrument i"
        " where i.provider_id <> e.provider_id",
    ),
    ("enquiry_message_side", A_MESSAGE.format("'centre', text")),
    ("enquiry_message_text", A_MESSAGE.format("side, ''")),
    ("enquiry_file_once", A_FILE.format("sha256, size_bytes, storage_key")),
    ("enquiry_file_size", A_FILE.format(f"{OTHER}, 10485761, {OTHER_KEY}")),
    ("enquiry_file_storage_key", A_FILE.format(f"{OTHER}, 1, 'enquiries/x'")),
    ("enquiry_file_sha256", A_FILE.format("'x', 1, 'enquiries/x/x'")),
    ("enquiry_offer_kept", f"update enquiry_offer set manual_unit_fen = 1 {WAITING}"),
    (
        "enquiry_offer_kept",
        f"update enquiry_offer set quote_id = null, status = 'lapsed' {STANDING}",
    ),
    (
        "enquiry_offer_four_eyes",
        f"update enquiry_offer set approved_by = made_by, approved_at = now() {WAITING}",
    ),
    (
        "enquiry_offer_quote_same",
        "update enquiry_offer set status = 'lapsed', quote_id = (select max(id) from quote"
        f" {PLAIN}) {WAITING}",
    ),
    ("enquiry_offer_whole", f"update enquiry_offer set status = 'standing' {WAITING}"),
    ("enquiry_offer_status", f"update enquiry_offer set status = 'lost', {ENDED} {WAITING}"),
    ("enquiry_offer_ended", f"update enquiry_offer set ended_at = now() {WAITING}"),
    # A price above cost comes into no quote, whoever writes it.
    ("quote_manual_within_cost", a_quote_by_hand(manual_unit_fen="40001")),
    ("quote_manual_within_cost", a_quote_by_hand(manual_unit="'sample'")),
    ("quote_manual_within_cost", a_quote_by_hand(total_fen="70000", own_fen="40000")),
    (
        "quote_manual_within_cost",
        a_quote_by_hand(
            lines="jsonb_set(lines, '{0,amount_fen}', '70000')", total_fen="70000", own_fen="40000"
        ),
    ),
    (
        "quote_manual_within_cost",
        a_quote_by_hand(lines="'[]'::jsonb", total_fen="1", voucher_fen="0", own_fen="1"),
    ),
    ("quote_manual_within_cost", f"update quote set manual_unit_fen = 45000 {BY_HAND}"),
    ("quote_manual", f"update quote set manual_unit_fen = 1 {PLAIN}"),
    ("quote_manual_paid", a_quote_by_hand(purpose="'disaster-relief'")),
    (
        "quote_manual_agreed",
        a_quote_by_hand()
        .replace("manual_unit_fen)", "manual_unit_fen, amends_order_id, used_at)")
        .replace(" from quote", ", (select max(id) from service_order), now() from quote"),
    ),
    (
        "service_order_offer_accepted",
        "insert into service_order overriding system value select (jsonb_populate_record(o,"
        f" jsonb_build_object('quote_id', (select id from quote {BY_HAND} limit 1)))).*"
        " from service_order o",
    ),
]
KEPT = [
    f"{verb} {table}{rest}"
    for table in ("enquiry_message", "enquiry_file", "enquiry_event", "enquiry_instrument")
    for verb, rest in (("update", " set enquiry_id = enquiry_id"), ("delete from", ""))
] + ["delete from enquiry_offer", "delete from enquiry"]


async def test_what_must_not_be_is_refused_by_the_database(raw: asyncpg.Connection):
    refused = []
    for _, statement in BROKEN:
        try:
            async with raw.transaction():
                await raw.execute(statement)
        except asyncpg.PostgresError as error:
            refused.append((error.constraint_name or str(error), statement))
        else:
            refused.append(("nothing", statement))

    assert [each for each in refused if each not in BROKEN] == []
    assert len(refused) == len(BROKEN)


async def test_what_was_written_is_neither_changed_nor_taken_away(raw: asyncpg.Connection):
    for statement in KEPT:
        with pytest.raises(asyncpg.PostgresError):
            await raw.execute(statement)
