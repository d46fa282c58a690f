"""Exports to the national platform: what they hold, how they reconcile, what comes after."""

import hashlib
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from marketplace.booking.queries import HoursAsked, Purpose, Scope, machine_hours
from marketplace.booking.rules.states import UserClass
from marketplace.exchange.errors import (
    ExportMissing,
    ExportNotInState,
    ExportOpen,
    NothingToExport,
    QuarterNotOver,
)
from marketplace.exchange.queries import (
    ExportPart,
    ExportRecord,
    ExportSearch,
    NationalExport,
    contents_to_send,
    export,
    export_records,
    exports,
)
from marketplace.exchange.rules.quarters import Quarter
from marketplace.exchange.rules.run import json_lines
from marketplace.exchange.rules.states import ExportStatus, RecordKind
from marketplace.exchange.use_cases import (
    MakeExport,
    NoteAnswer,
    SetUnitCode,
    WithdrawExport,
    make_export,
    mark_sent,
    note_answer,
    set_unit_code,
    withdraw_export,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx
from marketplace.kernel.time import SetClock, shanghai_instant
from marketplace.orders.use_cases import AcceptOrder, ReviewOrder, accept_order, review_order
from marketplace.parties.roles import Role
from tests.builders.booking import a_bookable_instrument, at_hours
from tests.builders.hours import a_history, a_session_in_history
from tests.builders.orders import (
    Market,
    a_delivered_order,
    a_market,
    delivered_samples,
)
from tests.builders.owner import become_owner
from tests.builders.parties import an_actor

pytestmark = pytest.mark.asyncio

CODE = "0123456789abcdef0123456789abcdef"
SPRING = Quarter(2025, 1)
APRIL = shanghai_instant(date(2025, 4, 3))


async def a_served_market(database: Database, clock: SetClock) -> Market:
    """Two hours for an SME, three samples, some teaching and upkeep in March; it is April."""
    market = await a_market(database)
    await market.do(set_unit_code, SetUnitCode(CODE.upper()), by=market.manager)
    order = await a_delivered_order(market, used_minutes=100)
    await market.do(accept_order, AcceptOrder(order.id), by=market.buyer)
    await market.do(review_order, ReviewOrder(order.id, 5, "很好"), by=market.buyer)
    samples = await delivered_samples(market, samples=5, tested=3)
    await market.do(accept_order, AcceptOrder(samples.id), by=market.buyer)
    for day, purpose in ((17, Purpose.TEACHING), (18, Purpose.MAINTENANCE)):
        await a_session_in_history(
            database,
            instrument_id=market.instrument_id,
            opened_at=shanghai_instant(date(2025, 3, day), 480),
            purpose=purpose,
        )
    clock.set(APRIL)
    return market


async def made(market: Market, *, by: Actor | None = None) -> NationalExport:
    return await market.do(make_export, MakeExport(2025, 1), by=by or market.technician)


async def records(market: Market, run: NationalExport, **part) -> list[ExportRecord]:
    found, _ = await market.do(
        export_records, ExportPart(run.id, page_size=500, **part), by=market.manager
    )
    return found


async def accepted(market: Market, run: NationalExport) -> NationalExport:
    await market.do(mark_sent, run.id, by=market.manager)
    return await market.do(note_answer, NoteAnswer(run.id, 100, "成功"), by=market.manager)


async def test_a_quarter_holds_a_record_of_each_order_and_each_day_of_own_use(
    database: Database, clock: SetClock
):
    market = await a_served_market(database, clock)

    run = await made(market)
    order, samples, teaching = await records(market, run)

    assert (3, 0, ExportStatus.MADE) == (run.records, run.refused, run.status)
    assert {CODE} == {one.content["insCode"] for one in (order, samples, teaching)}
    assert {
        "amounts": "666.67",
        "serviceAmount": "1.7",
        "endTime": "2025-03-05 10",
        "comment": "非常满意",
        "serviceType": "130",
        "serviceDirection": "136",
        "signAgreement": "0",
        "applicantPhone": "138******00",
    }.items() <= order.content.items()
    assert order.content["applicant"].startswith("李")
    assert set(order.content["applicant"][1:]) == {"*"}
    assert ("委托共享", "3", "360.00", "") == tuple(
        samples.content[name] for name in ("serviceWay", "serviceAmount", "amounts", "comment")
    )
    assert ("2025-03-17 09", "1.0", "137", "120") == tuple(
        teaching.content[name]
        for name in ("endTime", "serviceAmount", "serviceDirection", "serviceType")
    )
    assert [RecordKind.ORDER, RecordKind.ORDER, RecordKind.OWN_USE] == [
        one.kind for one in (order, samples, teaching)
    ]


async def test_exported_hours_reconcile_with_machine_hours_to_the_minute(
    database: Database, clock: SetClock
):
    market = await a_served_market(database, clock)
    provider_id = market.manager.organisation_id
    detector = await a_bookable_instrument(
        database, provider_id=provider_id, calendar_id=market.instrument_id
    )
    await a_history(
        database,
        instruments=[market.instrument_id, detector],
        count=150,
        seed=11,
        calendars={detector: market.instrument_id},
    )

    run = await made(market)
    hours = await market.do(
        machine_hours, HoursAsked(Scope(SPRING.during, provider_id=provider_id)), by=market.manager
    )
    sent = await records(market, run, refused=False)
    left_out = await records(market, run, refused=True)

    minutes, figures = run.report["minutes"], hours.figures
    assert 0 == minutes["unexplained"]
    assert figures.machine_minutes == minutes["machine_minutes"]
    assert figures.overlap_minutes == minutes["overlap"] > 0
    assert figures.maintenance_minutes + figures.test_run_minutes <= minutes["upkeep"]
    assert minutes["exported"] == sum(one.minutes for one in sent)
    assert minutes["refused"] == sum(one.minutes for one in left_out) > 0
    assert figures.machine_minutes == (
        sum(one.minutes for one in (*sent, *left_out))
        - minutes["before_quarter"]
        + minutes["after_quarter"]
        + minutes["upkeep"]
        - minutes["overlap"]
    )
    # Rounding to a tenth of an hour moves no record by more than three minutes.
    in_hours = [one for one in sent if one.content["serviceWay"] != "委托共享"]
    told = sum(round(float(one.content["serviceAmount"]) * 60) for one in in_hours)
    assert abs(told - sum(one.minutes for one in in_hours)) <= 3 * len(in_hours)


async def test_an_order_over_the_end_of_a_quarter_belongs_to_the_one_in_which_it_ended(
    database: Database, clock: SetClock
):
    market = await a_market(database)
    await market.do(set_unit_code, SetUnitCode(CODE), by=market.manager)
    order = await a_delivered_order(market, during=at_hours(28, 23, 25), used_minutes=120)
    await market.do(accept_order, AcceptOrder(order.id), by=market.buyer)
    clock.set(shanghai_instant(date(2025, 7, 2)))

    with pytest.raises(NothingToExport):
        await made(market)
    summer = await market.do(make_export, MakeExport(2025, 2), by=market.manager)
    (record,) = await records(market, summer)

    assert ("2025-04-01 01", 120) == (record.content["endTime"], record.minutes)
    assert (60, 60, 0) == tuple(
        summer.report["minutes"][name]
        for name in ("before_quarter", "machine_minutes", "unexplained")
    )


async def test_what_does_not_pass_is_listed_with_every_reason_and_never_sent(
    database: Database, clock: SetClock
):
    market = await a_served_market(database, clock)

    async def spoil(tx: Tx, _: None) -> None:
        await become_owner(tx)
        await tx.execute(text("delete from national_unit"))
        await tx.execute(text("update instrument set contact = '', phone = 'ask the porter'"))

    await market.do(spoil, None)
    unsettled = await a_delivered_order_in_march(market, clock)
    run = await made(market)

    left_out = await records(market, run, refused=True)
    by_number = {one.record_inner_id: one.reasons for one in left_out}

    assert (0, 4) == (run.records, run.refused)
    assert {"insCode: this field is required": 4} == {
        reason: count for reason, count in run.report["reasons"].items() if "insCode" in reason
    }
    assert [("insCode", 2), ("amounts", 4)] == [
        (reason["field"], reason["column"]) for reason in by_number[f"O{unsettled}"]
    ]
    assert [] == await market.do(contents_to_send, run.id, by=market.manager)
    assert "2025-03-01" in run.report["months_unconfirmed"]


async def a_delivered_order_in_march(market: Market, clock: SetClock) -> int:
    """Delivered and not accepted when April comes."""
    clock.set(shanghai_instant(date(2025, 3, 20)))
    order = await a_delivered_order(market, during=at_hours(25, 9, 11))
    clock.set(shanghai_instant(date(2025, 4, 2)))
    return order.id


async def test_after_an_answer_only_the_difference_is_exported(database: Database, clock: SetClock):
    market = await a_served_market(database, clock)
    first = await made(market)
    with pytest.raises(ExportOpen):
        await made(market)
    await accepted(market, first)
    with pytest.raises(NothingToExport):
        await made(market)
    session_id = await a_session_in_history(
        database,
        instrument_id=market.instrument_id,
        opened_at=shanghai_instant(date(2025, 3, 17), 600),
        purpose=Purpose.TEACHING,
    )

    second = await made(market)
    (changed,) = await records(market, second)

    async def undo(tx: Tx, _: None) -> None:
        await tx.execute(
            text(
                "update usage_session set problem = 'never-closed', closed_how = 'platform'"
                " where id = :id or date(opened_at) = '2025-03-17'"
            ),
            {"id": session_id},
        )

    await accepted(market, second)
    await market.do(undo, None)
    await a_session_in_history(
        database,
        instrument_id=market.instrument_id,
        opened_at=shanghai_instant(date(2025, 3, 19), 600),
    )
    third = await made(market)

    assert (1, 2, "2.0") == (second.records, second.unchanged, changed.content["serviceAmount"])
    assert [changed.record_inner_id] == third.report["gone"]
    assert (1, 2, 2) == (third.records, third.unchanged, third.report["sessions_in_doubt"])


async def test_a_rejected_or_withdrawn_export_is_sent_again_whole(
    database: Database, clock: SetClock
):
    market = await a_served_market(database, clock)
    first = await made(market)
    with pytest.raises(ExportNotInState):
        await market.do(note_answer, NoteAnswer(first.id, 100), by=market.manager)
    await market.do(mark_sent, first.id, by=market.manager)
    waiting = await market.do(note_answer, NoteAnswer(first.id, 0), by=market.manager)
    rejected = await market.do(note_answer, NoteAnswer(first.id, 203, "格式"), by=market.manager)
    second = await made(market)
    withdrawn = await market.do(
        withdraw_export, WithdrawExport(second.id, "made by mistake"), by=market.manager
    )
    third = await made(market)

    assert (ExportStatus.SENT, 0) == (waiting.status, waiting.return_code)
    assert (ExportStatus.REJECTED, "格式") == (rejected.status, rejected.return_note)
    assert (ExportStatus.REJECTED, None) == (withdrawn.status, withdrawn.sent_at)
    assert {first.sha256} == {second.sha256, third.sha256}
    with pytest.raises(ExportNotInState):
        await market.do(withdraw_export, WithdrawExport(first.id, "again"), by=market.manager)


async def test_the_digest_is_of_the_lines_that_are_sent(database: Database, clock: SetClock):
    market = await a_served_market(database, clock)
    run = await made(market)

    contents = await market.do(contents_to_send, run.id, by=market.manager)

    assert run.sha256 == hashlib.sha256(json_lines(contents)).hexdigest()


async def test_a_quarter_that_lasts_and_what_is_anothers_cannot_be_exported(
    database: Database, clock: SetClock
):
    market = await a_served_market(database, clock)
    run = await made(market)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    auditor = await an_actor(database, Role.AUDITOR)

    with pytest.raises(QuarterNotOver):
        await market.do(make_export, MakeExport(2025, 2), by=market.manager)
    for question in (export, mark_sent, contents_to_send):
        with pytest.raises(ExportMissing):
            await market.do(question, run.id, by=stranger)
    with pytest.raises(ExportMissing):
        await market.do(note_answer, NoteAnswer(run.id, 100), by=stranger)
    with pytest.raises(NothingToExport):
        await made(market, by=stranger)

    assert 0 == (await market.do(exports, ExportSearch(), by=stranger))[1]
    assert ([run], 1) == await market.do(exports, ExportSearch(year=2025), by=auditor)


async def test_what_was_made_stays_as_it_was_made(database: Database, clock: SetClock):
    market = await a_served_market(database, clock)
    run = await made(market)
    attempts = [
        "update national_export set records = 0",
        "update national_export set report = '{}'",
        "delete from national_export",
        "truncate national_export cascade",
        "update national_export_record set content = '{}'",
        "delete from national_export_record",
    ]

    async def change(tx: Tx, statement: str) -> None:
        await become_owner(tx)
        await tx.execute(text(statement))

    for attempt in attempts:
        with pytest.raises(Exception, match=r"stays as it is|append-only"):
            await market.do(change, attempt)

    assert run == await market.do(export, run.id, by=market.manager)


async def test_another_unit_of_the_legal_entity_is_internal_and_others_need_an_order(
    database: Database, clock: SetClock
):
    market = await a_served_market(database, clock)
    for user_class, purpose in (
        (UserClass.ACADEMIC, Purpose.OWN_RESEARCH),
        (UserClass.ENTERPRISE, Purpose.EXTERNAL),
    ):
        await a_session_in_history(
            database,
            instrument_id=market.instrument_id,
            opened_at=APRIL - timedelta(days=9),
            user_class=user_class,
            purpose=purpose,
        )

    run = await made(market)
    (left_out,) = await records(market, run, refused=True)
    sent = await records(market, run, refused=False)

    assert "without an order" in left_out.reasons[0]["message"]
    assert ["130", "135"] == [
        sent[-1].content[name] for name in ("serviceType", "serviceDirection")
    ]
