"""Orders' named constraints hold whatever is written, with no use case in between."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from marketplace.kernel.db import Database
from marketplace.orders.use_cases import DisputeOrder, dispute_order
from tests.builders.booking import at_hours
from tests.builders.orders import (
    a_delivered_order,
    a_market,
    a_move,
    a_sample_order,
    an_order,
)


@pytest.fixture
async def raw(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database with a disputed order, one for samples and one that moved late.

    A proposal waits for the answer to the last.
    """
    market = await a_market(database)
    delivered = await a_delivered_order(market)
    await market.do(dispute_order, DisputeOrder(delivered.id, "blurred"), by=market.buyer)
    await a_sample_order(market)
    moving = await an_order(market, during=at_hours(3, 9, 11))
    await a_move(market, moving.id, at_hours(9, 9, 12))
    await a_move(market, moving.id, at_hours(10, 9, 11), by=market.manager)
    connection = await asyncpg.connect(
        database.url.replace("postgresql+asyncpg://", "postgresql://")
    )
    yield connection
    await connection.close()


OPEN, MOVED = "where status = 'proposed'", "where move_fee_fen > 0"
OLD_QUOTE = "(select old_quote_id from order_change where status = 'agreed')"
HOURS, SENT = "where mode = 'machine_time'", "where mode = 'samples'"
STANDS = (
    "insert into contract_registration (order_id, changed_by, changed_at, state, reason)"
    " select id, placed_by, now(),"
)
QUOTED = "insert into quote_item (quote_id, position, instrument_id, mode, unit,"
QUOTED += " starts_at, ends_at, price_list_id, lines, total_fen) select id,"
QUOTED_AS = (
    ", starts_at, ends_at, price_list_id, lines, 0 from (select *, 'hour' as unit from quote"
)
QUOTED_AS += f" {HOURS}) as quote"
NO_TIME = ", null, null, price_list_id, lines, 0 from quote"
ORDERED = "update order_item"
PART = "insert into item_delivery (order_id, noted_by, noted_at, position, kind, quantity, reason)"
PART += " select id, placed_by, now(),"
RULED = (
    "update dispute set ended_how = 'ruled', ended_by = opened_by, ended_at = now(),"
    " ruled_at = answer_due_at"
)
RATE = (
    "insert into review (order_id, stars, text, written_by, written_at)"
    " select id, 4, '', placed_by, now() from service_order;"
)
REPLY = "update review set reply = 'thanks', replied_by = written_by, replied_at = now();"

BROKEN = [
    ("quote_mode", f"update quote set mode = 'else' {HOURS}"),
    ("quote_what", f"update quote set samples = 3 {HOURS}"),
    ("quote_what", f"update quote set ends_at = starts_at {HOURS}"),
    ("quote_what", f"update quote set samples = 0 {SENT}"),
    ("quote_what_stated", f"update quote set samples = null {SENT}"),
    ("quote_amounts", "update quote set voucher_fen = voucher_fen + 1"),
    ("quote_validity", "update quote set valid_until = made_at"),
    ("service_order_quote_once", "update service_order set quote_id = (select min(id) from quote)"),
    ("service_order_mode", "update service_order set mode = 'else'"),
    ("service_order_status", "update service_order set status = 'else'"),
    ("service_order_amounts", "update service_order set own_fen = own_fen - 1"),
    (
        "service_order_settled_within",
        "update service_order set status = 'settled', ended_at = now(), settled_fen = own_fen + 1,"
        f" settled_own_fen = own_fen + 1, settled_voucher_fen = 0 {HOURS}",
    ),
    ("service_order_ended", f"update service_order set status = 'settled' {HOURS}"),
    ("service_order_ended", f"update service_order set ended_at = now() {HOURS}"),
    ("service_order_review", f"update service_order set review_ends_at = null {HOURS}"),
    (
        "service_order_hold_once",
        "update service_order set own_hold_id = (select max(own_hold_id) from service_order)",
    ),
    ("service_order_whole", f"update service_order set reservation_id = null {HOURS}"),
    ("service_order_whole", "update service_order set own_hold_id = null"),
    (
        "service_order_fee_hold_once",
        "update service_order set move_fee_fen = 1,"
        " fee_hold_id = (select max(fee_hold_id) from service_order)",
    ),
    ("service_order_move_fee", "update service_order set move_fee_fen = 1 where move_fee_fen = 0"),
    ("service_order_whole", f"update service_order set move_fee_fen = 9 {MOVED}"),
    (
        "service_order_whole",
        f"update service_order set own_fen = 1, total_fen = 1 + voucher_fen {MOVED}",
    ),
    ("service_order_whole", f"update service_order set quote_id = {OLD_QUOTE} {MOVED}"),
    ("quote_amendment_used", "update quote set used_at = null where amends_order_id is not null"),
    ("quote_arrival", f"update quote set arrives_on = current_date {HOURS}"),
    ("quote_whole", f"update quote set total_fen = total_fen + 1, own_fen = own_fen + 1 {HOURS}"),
    ("quote_item_append_only", "update quote_item set total_fen = 0"),
    ("quote_item_append_only", "delete from quote_item"),
    ("quote_item_position", f"{QUOTED} 11, instrument_id, mode, unit{QUOTED_AS}"),
    ("quote_item_mode", f"{QUOTED} 2, instrument_id, 'else', unit{QUOTED_AS}"),
    ("quote_item_unit", f"{QUOTED} 2, instrument_id, mode, 'sample'{QUOTED_AS}"),
    ("quote_item_what_stated", f"{QUOTED} 2, instrument_id, 'samples', 'sample'{NO_TIME}"),
    ("order_item_whole", f"{ORDERED} set total_fen = total_fen + 1 {HOURS}"),
    ("order_item_whole", f"{ORDERED} set reservation_id = null {HOURS}"),
    (
        "order_item_whole",
        f"{ORDERED} set settled_fen = 0, settled_own_fen = 0, settled_voucher_fen = 0 {SENT}",
    ),
    ("order_item_kept", f"{ORDERED} set title = 'else'"),
    ("order_item_kept", f"{ORDERED} set quantity = quantity + 1 {SENT}"),
    ("order_item_kept", f"{ORDERED} set delivered = 0 where delivered > 0"),
    ("order_item_append_only", "delete from order_item"),
    ("order_item_status", f"{ORDERED} set status = 'else'"),
    ("order_item_counted", f"{ORDERED} set delivered = quantity + 1 {SENT}"),
    ("order_item_because", f"{ORDERED} set undeliverable = 1 {SENT}"),
    ("order_item_over", f"{ORDERED} set status = 'delivered' {SENT}"),
    ("order_item_fee", f"{ORDERED} set fee_basis_points = 1 {SENT}"),
    ("order_item_runs", f"{ORDERED} set runs_used = -1 {SENT}"),
    ("order_item_extras", f"{ORDERED} set extras_used = '{{}}' {SENT}"),
    ("order_item_settled", f"{ORDERED} set settled_fen = 0 {SENT}"),
    (
        "order_item_settled_within",
        f"{ORDERED} set settled_fen = total_fen + 1, settled_own_fen = total_fen + 1,"
        f" settled_voucher_fen = 0 {SENT}",
    ),
    (
        "order_item_reservation_once",
        f"{ORDERED} set reservation_id = (select min(id) from reservation) {HOURS}",
    ),
    ("item_delivery_append_only", "update item_delivery set quantity = 0"),
    ("item_delivery_append_only", "delete from item_delivery"),
    ("item_delivery_kind", f"{PART} 1, 'else', 1, '' from service_order"),
    ("item_delivery_quantity", f"{PART} 1, 'delivered', -1, '' from service_order"),
    ("item_delivery_reason", f"{PART} 1, 'undeliverable', 1, '' from service_order"),
    ("item_delivery_item", f"{PART} 9, 'delivered', 1, '' from service_order"),
    ("order_change_kind", f"update order_change set kind = 'else' {OPEN}"),
    ("order_change_side", f"update order_change set side = 'else' {OPEN}"),
    (
        "order_change_status",
        f"update order_change set status = 'else', decided_at = now(), decided_by = 1 {OPEN}",
    ),
    ("order_change_times", f"update order_change set ends_at = starts_at {OPEN}"),
    ("order_change_times", f"update order_change set kind = 'extend' {OPEN}"),
    ("order_change_amounts", f"update order_change set own_fen = own_fen + 1 {OPEN}"),
    ("order_change_fee", f"update order_change set fee_fen = 1 {OPEN}"),
    ("order_change_answer", f"update order_change set answer_until = proposed_at {OPEN}"),
    ("order_change_decided", f"update order_change set status = 'lapsed' {OPEN}"),
    (
        "order_change_agreed",
        f"update order_change set status = 'agreed', decided_at = now(), decided_by = 1 {OPEN}",
    ),
    (
        "order_change_quote_once",
        f"update order_change set status = 'agreed', decided_at = now(),"
        f" decided_by = 1, new_quote_id = (select max(new_quote_id) from order_change) {OPEN}",
    ),
    ("order_change_append_only", "update order_change set reason = 'else'"),
    ("order_change_append_only", "delete from order_change"),
    (
        "contract_amendment_once",
        "insert into contract (order_id, amendment, version, document,"
        " text, sha256, buyer_signed_by, buyer_signed_at, buyer_signed_from) select order_id,"
        " amendment, version, document, text, sha256, buyer_signed_by, buyer_signed_at,"
        " buyer_signed_from from contract",
    ),
    (
        "contract_amendment",
        "insert into contract (order_id, amendment, version, document, text, sha256,"
        " buyer_signed_by, buyer_signed_at, buyer_signed_from) select order_id, -1, version,"
        " document, text, sha256, buyer_signed_by, buyer_signed_at, buyer_signed_from"
        " from contract",
    ),
    ("contract_agreed", "update contract set amendment = amendment + 1"),
    ("contract_agreed", "update contract set sha256 = repeat('0', 64)"),
    ("contract_agreed", "update contract set buyer_signed_at = now()"),
    ("contract_agreed", "update contract set provider_signed_at = now()"),
    ("contract_agreed", "update contract set buyer_signed_name = 'else'"),
    ("contract_agreed", "update contract set provider_signed_name = 'else'"),
    ("contract_append_only", "delete from contract"),
    ("contract_registration_state", f"{STANDS} 'else', '' from service_order"),
    ("contract_registration_number", f"{STANDS} 'registered', '' from service_order"),
    ("contract_registration_reason", f"{STANDS} 'refused', '' from service_order"),
    ("contract_registration", "update contract set registration_number = '1'"),
    ("order_event_append_only", "update order_event set kind = 'else'"),
    ("order_event_append_only", "delete from order_event"),
    ("order_event_append_only", "truncate order_event"),
    ("sample_set_samples", "update sample_set set samples = 0"),
    ("sample_set_disposal", "update sample_set set disposal = 'eat'"),
    ("sample_set_received", "update sample_set set received = 1"),
    (
        "sample_set_tested",
        "update sample_set set received = 1, received_at = now(), tested = 2, tested_at = now()",
    ),
    ("deliverable_append_only", "update deliverable set name = 'else'"),
    ("deliverable_append_only", "delete from deliverable"),
    (
        "deliverable_content_once",
        "insert into deliverable (order_id, name, media_type, sha256, size_bytes, content,"
        " stored_by, stored_at) select order_id, name, media_type, sha256, size_bytes, content,"
        " stored_by, stored_at from deliverable",
    ),
    (
        "deliverable_size",
        "insert into deliverable (order_id, name, media_type, sha256, size_bytes, content,"
        " stored_by, stored_at) select order_id, name, media_type, repeat('0', 64), 1, '',"
        " stored_by, stored_at from deliverable",
    ),
    (
        "deliverable_sha256",
        "insert into deliverable (order_id, name, media_type, sha256, size_bytes, content,"
        " stored_by, stored_at) select order_id, name, media_type, 'short', 1, 'x',"
        " stored_by, stored_at from deliverable",
    ),
    (
        "dispute_share",
        f"{RULED}, ruling = 'all', pay_basis_points = 10001,"
        " ruled_by = (select max(id) from person where id <> opened_by)",
    ),
    ("dispute_ruled", "update dispute set ruling = 'half'"),
    (
        "dispute_four_eyes",
        f"{RULED}, ruling = 'half', pay_basis_points = 1, ruled_by = opened_by",
    ),
    (
        "dispute_open_once",
        "insert into dispute (order_id, reason, opened_by, opened_at, answer_due_at)"
        " select order_id, reason, opened_by, opened_at, answer_due_at from dispute",
    ),
    (
        "review_stars",
        "insert into review (order_id, stars, text, written_by, written_at)"
        " select id, 6, '', placed_by, now() from service_order",
    ),
    ("review_replied", f"{RATE} update review set reply = 'thanks'"),
    ("review_hidden", f"{RATE} update review set hidden_because = 'abusive'"),
    ("review_written", f"{RATE} update review set stars = 5"),
    ("review_reply_once", f"{RATE} {REPLY} update review set reply = 'else'"),
    ("review_append_only", f"{RATE} delete from review"),
]


async def test_what_must_not_be_is_refused_by_the_database(raw: asyncpg.Connection):
    """One market for all of them: each statement is tried and rolled back."""
    refused = []
    for _, statement in BROKEN:
        attempt = raw.transaction()
        await attempt.start()
        try:
            await raw.execute(statement)
            await raw.execute("set constraints all immediate")
        except asyncpg.IntegrityConstraintViolationError as refusal:
            refused.append((refusal.constraint_name, statement))
        finally:
            await attempt.rollback()

    assert refused == BROKEN


async def test_a_registration_is_noted_beside_what_was_agreed(raw: asyncpg.Connection):
    done = await raw.execute(
        "update contract set registration_number = '1', registered_on = '2025-03-04'"
    )

    assert done == "UPDATE 4"
