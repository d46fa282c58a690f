"""Orders of several instruments over the API."""

from marketplace.orders.use_cases import store_deliverable
from tests.builders.items import a_second_instrument
from tests.builders.orders import CLAUSES, a_market, a_report
from tests.http.test_orders import Caller


async def test_an_order_of_two_instruments_is_quoted_placed_and_delivered_in_parts(
    api, services, database
):
    market = await a_market(database, voucher_fen=0)
    second = await a_second_instrument(market)
    buyer, technician = (
        Caller(api, services, market.buyer),
        Caller(api, services, market.technician),
    )
    manager = Caller(api, services, market.manager)
    asked = {
        "instrument_id": market.instrument_id,
        "mode": "samples",
        "samples": 2,
        "further_items": [
            {
                "instrument_id": second,
                "mode": "samples",
                "samples": 3,
                "unit": "element",
                "elements": 2,
                "urgent": True,
                "extras": [{"code": "help", "quantity": 30}],
            }
        ],
    }
    quoted = (await buyer.post("/quotes", asked)).json()
    assert [item["total_fen"] for item in quoted["items"]] == [24_000, 12_000 + 6_000 + 3_000]
    assert quoted["items"][1]["extras"] == [{"code": "help", "quantity": 30}]
    order = {
        "quote_id": quoted["id"],
        "clauses": CLAUSES,
        "samples": {"description": "硅片", "hazards": "none", "disposal": "return"},
    }
    there = f"/orders/{(await buyer.post('/orders', order)).json()['id']}"
    assert (await manager.post(f"{there}/confirm")).status_code == 200
    await technician.post(f"{there}/receive-samples", {"count": 5})
    unclear = await technician.post(f"{there}/finish-samples", {"tested": 2})
    assert unclear.status_code == 400
    assert [one["item"] for one in unclear.json()["alternatives"]] == [1, 2]
    await technician.post(f"{there}/finish-samples", {"tested": 2, "item": 1})
    await technician.post(f"{there}/finish-samples", {"tested": 3, "item": 2})
    await market.do(
        store_deliverable, a_report(int(there.rpartition("/")[2])), by=market.technician
    )
    refused = await technician.post(f"{there}/items/2/deliver", {})
    assert refused.status_code == 422
    part = {"quantity": 2, "extras": [{"code": "help", "quantity": 10}]}
    assert (await technician.post(f"{there}/items/2/deliver", part)).status_code == 200
    gone = await technician.post(f"{there}/items/2/undeliverable", {"reason": "It broke."})
    assert gone.json()["status"] == "in_service"
    ended = await technician.post(f"{there}/items/1/deliver", {})
    assert ended.json()["status"] == "delivered"
    assert (await buyer.post(f"{there}/accept")).json()["settled_fen"] == 24_000 + 13_000
    items = (await buyer.get(f"{there}/items")).json()
    assert [(item["delivered"], item["undeliverable"]) for item in items] == [(2, 0), (2, 1)]
    assert sum(line["settled_fen"] for line in items[1]["settlement"]) == 13_000
