"""What is left over from using an instrument: for the world of the access tests."""

from __future__ import annotations

from datetime import timedelta

from marketplace.booking.rules.sessions import Severity
from marketplace.booking.use_cases import (
    OpenSession,
    ReportProblem,
    ReportSessionEnd,
    close_forgotten_sessions,
    open_session,
    report_problem,
    report_session_end,
)
from tests.builders.api_keys import an_api_key
from tests.builders.booking import a_bookable_instrument, a_reservation, at_hours
from tests.builders.orders import Market, move_to
from tests.builders.readings import a_line, a_source, send


async def usage_things(market: Market) -> None:
    """A forgotten session whose user says when it ended, a problem, a run nobody booked, a key."""
    instrument_id = await a_bookable_instrument(
        market.database, provider_id=market.manager.organisation_id
    )
    start = at_hours(0, 11, 13)
    placed = await a_reservation(
        market.database, instrument_id=instrument_id, during=start, actor=market.technician
    )
    move_to(market, start.starts_at)
    await market.do(open_session, OpenSession(placed.id), by=market.technician)
    move_to(market, at_hours(1, 6, 7).starts_at)
    await market.do(close_forgotten_sessions, None)
    ended_at = start.starts_at + timedelta(minutes=15)
    said = ReportSessionEnd(placed.id, ended_at, "door log")
    await market.do(report_session_end, said, by=market.technician)
    wrong = ReportProblem(placed.id, Severity.MINOR, "beam drifts")
    await market.do(report_problem, wrong, by=market.technician)
    await a_source(market.database, instrument_id=instrument_id, by=market.manager)
    run = a_line(instrument_id, at_hours(0, 14, 15).starts_at, at_hours(0, 14, 15).ends_at)
    await send(market.database, run, by=market.technician)
    await an_api_key(market.database, by=market.manager)
