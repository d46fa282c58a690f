"""Shipments, custody and files outside the database hold whatever is written."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from marketplace.kernel.db import Database
from marketplace.orders.use_cases.custody import (
    DeclareSamples,
    ReceiveShipment,
    SendSamples,
    declare_samples,
    receive_shipment,
    send_samples,
)
from tests.builders.orders import a_delivered_order, a_market, a_sample_order


@pytest.fixture
async def raw(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A database with one shipment that arrived and one under way."""
    market = await a_market(database)
    order_id = (await a_sample_order(market)).id
    await market.do(declare_samples, DeclareSamples(order_id), by=market.buyer)
    parcel = SendSamples(order_id, "顺丰", "1", 2)
    first = await market.do(send_samples, parcel, by=market.buyer)
    await market.do(send_samples, parcel, by=market.buyer)
    await market.do(receive_shipment, ReceiveShipment(order_id, first.id, 2), by=market.technician)
    await a_delivered_order(market)
    connection = await asyncpg.connect(
        database.url.replace("postgresql+asyncpg://", "postgresql://")
    )
    yield connection
    await connection.close()


OPEN = "where received_at is null"
RECEIVED = "received_by = 1, condition_note = '', received_at = now(), condition = 'intact'"
A_PARCEL = (
    "insert into shipment (order_id, direction, carrier, number, pieces, sent_at, noted_by,"
    " noted_at) select order_id, direction, carrier, number, pieces, sent_at, noted_by, noted_at"
    " from (select *, {} from (select order_id, carrier, number, sent_at, noted_by, noted_at"
    " from shipment limit 1) as parcel) as sent"
)
A_LINK = (
    "insert into custody_event (order_id, samples, place, who, noted_by, noted_at, kind, side, at,"
    " note) select order_id, 1, '', '', noted_by, noted_at, {} from custody_event limit 1"
)
A_FILE = (
    "insert into deliverable (order_id, name, media_type, sha256, size_bytes, stored_by, stored_at,"
    " content, storage_key) select order_id, name, media_type, repeat('0', 64), 1, stored_by,"
    " stored_at, {} from deliverable"
)

BROKEN = [
    ("sample_declaration_ghs", "update sample_declaration set ghs = array['GHS10']"),
    ("sample_declaration_storage", "update sample_declaration set storage = 'pocket'"),
    ("shipment_direction", A_PARCEL.format("'up' as direction, 1 as pieces")),
    ("shipment_pieces", A_PARCEL.format("'out' as direction, 0 as pieces")),
    ("shipment_receipt", f"update shipment set received_at = now() {OPEN}"),
    ("shipment_received_pieces", f"update shipment set received_pieces = 3, {RECEIVED} {OPEN}"),
    (
        "shipment_condition",
        f"update shipment set received_pieces = 1, {RECEIVED.replace('intact', 'fine')} {OPEN}",
    ),
    (
        "shipment_times",
        f"update shipment set received_pieces = 1, {RECEIVED.replace('now()', '{}')} {OPEN}".format(
            "sent_at - interval '1 day'"
        ),
    ),
    ("shipment_noted", f"update shipment set pieces = 9 {OPEN}"),
    ("shipment_noted", "update shipment set received_pieces = 1 where received_at is not null"),
    ("shipment_append_only", "delete from shipment"),
    ("custody_event_kind", A_LINK.format("'eaten', 'buyer', noted_at, ''")),
    ("custody_event_side", A_LINK.format("'stored', 'nobody', noted_at, ''")),
    ("custody_event_certificate", A_LINK.format("'disposed', 'provider', noted_at, ''")),
    ("custody_event_at", A_LINK.format("'stored', 'buyer', noted_at + interval '1 s', ''")),
    ("custody_event_samples", A_LINK.replace(" 1,", " -1,").format("'stored', 'buyer', at, ''")),
    ("custody_event_append_only", "update custody_event set note = 'else'"),
    ("custody_event_append_only", "delete from custody_event"),
    ("custody_event_append_only", "truncate custody_event"),
    ("deliverable_kept", A_FILE.format("null, null")),
    ("deliverable_kept", A_FILE.format("'x', 'deliverables/00/' || repeat('0', 64)")),
    ("deliverable_storage_key", A_FILE.format("null, 'deliverables/00/else'")),
]


async def test_what_must_not_be_is_refused_by_the_database(raw: asyncpg.Connection) -> None:
    refused = {}
    for _, statement in BROKEN:
        try:
            async with raw.transaction():
                await raw.execute(statement)
        except asyncpg.PostgresError as error:
            refused[statement] = error.constraint_name or str(error)
        else:
            refused[statement] = "nothing"

    assert refused == {statement: name for name, statement in BROKEN}
