"""Steps of the two sides: publishing, granting, finding, ordering, serving, settling."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.builders.catalogue import a_csv, a_line
from tests.journeys.people import People, at

HOUR_FEN = 40_000


async def imports_an_instrument(people: People) -> int:
    """The manager sends the national layout: the good line lands, the bad one is named."""
    file = a_csv([a_line(innerId="T-1"), a_line(innerId="T-2", worth="many")])
    report = await people.manager.posts(
        "/instruments/imports", content=file, params={"file_name": "仪器.csv"}
    )
    assert (1, 1) == (report["added"], report["refused"])
    again = await people.manager.posts(
        "/instruments/imports", content=file, params={"file_name": "仪器.csv"}
    )
    assert (0, 1) == (again["added"], again["unchanged"])
    own = await people.manager.reads("/instruments/own")
    instrument_id: int = own["results"][0]["id"]
    return instrument_id


async def publishes(people: People, instrument_id: int) -> None:
    """Cost, prices with their public notice, opening hours and a booking rule."""
    there = f"/instruments/{instrument_id}"
    await people.manager.posts(
        f"{there}/cost-sheets",
        {
            "year": 2025,
            "planned_minutes": 60_000,
            "components": [{"kind": "labour", "amount_fen": 1_000 * HOUR_FEN}],
        },
    )
    prices = [
        {"customer_class": each, "unit": "hour", "amount_fen": HOUR_FEN}
        for each in ("academic", "sme", "enterprise")
    ]
    too_dear = [prices[0] | {"amount_fen": HOUR_FEN + 1}]
    refused = await people.manager.is_refused(f"{there}/price-lists", {"prices": too_dear})
    assert refused.startswith("422")
    await people.manager.posts(f"{there}/price-lists", {"prices": prices})
    await people.manager.puts(
        f"{there}/opening-hours",
        {
            "hours": [
                {"weekday": day, "opens_minute": 8 * 60, "closes_minute": 18 * 60}
                for day in range(5)
            ]
        },
    )
    await people.manager.puts(
        f"{there}/booking-rule",
        {
            "step_minutes": 30,
            "minimum_minutes": 30,
            "maximum_minutes": 480,
            "notice_minutes": 60,
            "horizon_days": 90,
            "needs_approval": True,
        },
    )


async def grants_a_voucher(people: People) -> None:
    """Two officers open a programme; the SME applies, is checked, and receives its voucher."""
    programme = await people.officer.posts(
        "/voucher-programmes",
        {
            "name": "2025年科技创新券",
            "name_en": "Innovation vouchers 2025",
            "year": 2025,
            "opens_on": "2025-02-03",
            "closes_on": "2025-12-15",
            "layers": [
                {"funder": "province", "region_code": "320000", "budget_fen": 10_000_000},
                {"funder": "city", "region_code": "320100", "budget_fen": 10_000_000},
            ],
        },
    )
    there = f"/voucher-programmes/{programme['id']}"
    assert (await people.officer.is_refused(f"{there}/approve")).startswith("403")
    await people.other_officer.posts(f"{there}/approve")
    application = await people.sme_administrator.posts(
        "/voucher-applications",
        {"programme_id": programme["id"], "asked_fen": 2_000_000, "purpose": "New blade coating"},
    )
    granted = await people.officer.posts(
        f"/voucher-applications/{application['id']}/decide", {"amount_fen": 2_000_000}
    )
    assert granted["application"]["status"] == "granted"


async def finds_and_quotes(people: People, instrument_id: int) -> dict[str, Any]:
    """The buyer searches for free time, sees its own price, and has it frozen."""
    window = {
        "free_from": at(2025, 3, 5, 9).isoformat(),
        "free_until": at(2025, 3, 5, 12).isoformat(),
    }
    offers = await people.buyer.reads("/offers", text="透射电子显微镜", **window)
    offer = offers["results"][0]
    assert (instrument_id, HOUR_FEN, HOUR_FEN // 2) == (
        offer["instrument_id"],
        offer["hour_fen"],
        offer["own_fen"],
    )
    quote: dict[str, Any] = await people.buyer.posts(
        "/quotes",
        {
            "instrument_id": instrument_id,
            "mode": "machine_time",
            "starts_at": window["free_from"],
            "ends_at": window["free_until"],
        },
    )
    assert (3 * HOUR_FEN, 3 * HOUR_FEN // 2) == (quote["total_fen"], quote["own_fen"])
    return quote


async def orders(people: People, quote: dict[str, Any]) -> int:
    """The buyer signs; the provider signs; nobody else sees it."""
    clauses = {clause["name"]: clause["text"] for clause in quote["clauses"]}
    placed = await people.buyer.posts("/orders", {"quote_id": quote["id"], "clauses": clauses})
    assert placed["status"] == "placed"
    order_id: int = placed["id"]
    assert await people.technician.is_refused(f"/orders/{order_id}/confirm") == "403 forbidden"
    confirmed = await people.manager.posts(f"/orders/{order_id}/confirm")
    assert confirmed["status"] == "confirmed"
    contract = await people.buyer.reads(f"/orders/{order_id}/contract")
    assert contract["provider_signed_how"] == "person"
    return order_id


async def serves(people: People, order_id: int) -> str:
    """The technician opens and closes the session and hands the report over."""
    there = f"/orders/{order_id}"
    await people.days_pass(at(2025, 3, 5, 9))
    await people.technician.posts(f"{there}/open-service")
    await people.days_pass(at(2025, 3, 5, 11))
    await people.technician.posts(
        f"{there}/close-service", {"preparation_minutes": 20, "post_minutes": 10}
    )
    report = b"%PDF-1.7 what the microscope saw"
    digest = hashlib.sha256(report).hexdigest()
    await people.technician.posts(
        f"{there}/deliverables", content=report, params={"name": "报告.pdf", "sha256": digest}
    )
    await people.technician.posts(f"{there}/deliver")
    return digest


async def settles(people: People, order_id: int, digest: str) -> str:
    """The buyer reads the report and accepts; two hours of three are paid; the invoice follows."""
    there = f"/orders/{order_id}"
    stored = (await people.buyer.reads(f"{there}/deliverables"))[0]
    file = await people.buyer.fetches(f"{there}/deliverables/{stored['id']}")
    assert digest == hashlib.sha256(file.content).hexdigest()
    settled = await people.buyer.posts(f"{there}/accept")
    assert (2 * HOUR_FEN, HOUR_FEN, HOUR_FEN) == (
        settled["settled_fen"],
        settled["settled_voucher_fen"],
        settled["settled_own_fen"],
    )
    await people.buyer.posts(f"{there}/review", {"stars": 5, "text": "又快又好"})
    number = "25322000000000000001"
    await people.manager.posts(
        f"{there}/invoice",
        {"number": number, "amount_fen": 2 * HOUR_FEN, "issued_on": "2025-03-05"},
    )
    return number
