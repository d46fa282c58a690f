"""Take in what instruments' own logs say, and let sessions follow it where the provider wants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from marketplace.booking.queries.readings import (
    Reading,
    ReadingSource,
    candidates,
    made_reading,
    reading_select,
    reading_sources,
)
from marketplace.booking.rules.readings import (
    RESOLVED,
    ReadingState,
    Run,
    belongs_to,
    merged_run,
    run_reasons,
)
from marketplace.booking.tables import machine_reading, reading_source
from marketplace.booking.use_cases.following import follow_log
from marketplace.catalogue.queries import own_instrument
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason, Reasons
from marketplace.rulebook import rulebook

BATCH = 100
# A run that could not be followed is tried again after this long.
AGAIN_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SetReadingSource:
    """Trust a log of an instrument, and say how far."""

    instrument_id: int
    source: str
    opens_sessions: bool
    tolerance_minutes: int
    accepts: bool = True


async def set_reading_source(tx: Tx, command: SetReadingSource) -> list[ReadingSource]:
    """Set up a log, or change how far it is trusted; what it said before stays as it is.

    Raises:
        InstrumentMissing: when the instrument belongs to others.
    """
    found = await own_instrument(tx, command.instrument_id)
    values = {
        "opens_sessions": command.opens_sessions,
        "tolerance_minutes": command.tolerance_minutes,
        "accepts": command.accepts,
    }
    kept = values | {"set_by": tx.actor.person_id, "set_at": tx.now}
    await tx.execute(
        insert(reading_source)
        .values(
            instrument_id=found.id, provider_id=found.provider_id, source=command.source, **kept
        )
        .on_conflict_do_update(constraint="reading_source_name", set_=kept)
    )
    tx.audit(
        "set_reading_source",
        subject="instrument",
        subject_id=found.id,
        source=command.source,
        **values,
    )
    return await reading_sources(tx, found.id)


@dataclass(frozen=True, slots=True)
class ReadingLine:
    """A start, a stop or both of one run of an instrument."""

    instrument_id: int
    external_id: str
    run: Run
    user_reference: str | None = None
    samples: int | None = None


@dataclass(frozen=True, slots=True)
class ReceiveReadings:
    """What a campus system sends at once from one of its logs."""

    source: str
    lines: tuple[ReadingLine, ...]


class Outcome(StrEnum):
    """What became of a line."""

    LANDED = "landed"
    """It told something new."""
    KNOWN = "known"
    """It had been told before."""
    REFUSED = "refused"
    """It cannot be true, or is of no instrument of the sender's."""


@dataclass(frozen=True, slots=True)
class LineAnswer:
    """What became of a line, and what is known of its run now."""

    line: int
    external_id: str
    outcome: Outcome
    reading_id: int | None
    state: ReadingState | None
    reservation_id: int | None
    reasons: tuple[Reason, ...]


@dataclass
class _Known:
    """A run as far as it is known, while the lines of a batch are read."""

    source: ReadingSource
    external_id: str
    run: Run
    user_reference: str | None
    samples: int | None
    changed: bool = False

    def learn(self, line: ReadingLine, *, at: datetime) -> tuple[Outcome, Reasons]:
        """Take in a line, unless it contradicts what is known."""
        run, reasons = merged_run(self.run, line.run)
        if not reasons.found:
            reasons = run_reasons(line.run, at=at)
        if not reasons.found:
            reasons = run_reasons(run, at=at)
        if reasons.found:
            return Outcome.REFUSED, reasons
        samples = self.samples if line.samples is None else line.samples
        told = (run, line.user_reference or self.user_reference, samples)
        if told == (self.run, self.user_reference, self.samples):
            return Outcome.KNOWN, reasons
        self.run, self.user_reference, self.samples = told
        self.changed = True
        return Outcome.LANDED, reasons


async def receive_readings(tx: Tx, command: ReceiveReadings) -> list[LineAnswer]:
    """Take in a batch: each line by itself, in any order, as often as the sender likes.

    Two batches of one log wait for each other, so that a run makes one session however it arrives.
    """
    sources = await _locked_sources(tx, command)
    known = await _known(tx, command, sources)
    answers: list[tuple[ReadingLine, Outcome, Reasons]] = []
    for line in command.lines:
        source = sources.get(line.instrument_id)
        refusal = _source_refusal(source)
        if source is None or refusal.found:
            answers.append((line, Outcome.REFUSED, refusal))
            continue
        unknown = _Known(source, line.external_id, Run(), None, None)
        key = (source.id, line.external_id)
        run = known.get(key, unknown)
        outcome, reasons = run.learn(line, at=tx.now)
        if outcome is not Outcome.REFUSED:
            known[key] = run
        answers.append((line, outcome, reasons))
    changed = [run for run in known.values() if run.changed]
    if changed:
        await follow_readings(tx, await _store(tx, changed))
    now = {(row.source_id, row.external_id): row for row in await _stored(tx, command, sources)}
    return [
        _answer(number, line, outcome, reasons, now, sources)
        for number, (line, outcome, reasons) in enumerate(answers, start=1)
    ]


def _source_refusal(source: ReadingSource | None) -> Reasons:
    reasons = Reasons()
    if source is None:
        reasons.add(
            "reading-source",
            "This log is not set up for an instrument of yours with that id;"
            " the provider's manager sets it up.",
        )
    elif not source.accepts:
        reasons.add("reading-source", "The provider takes no more readings from this log.")
    return reasons


def _answer(
    number: int,
    line: ReadingLine,
    outcome: Outcome,
    reasons: Reasons,
    now: dict[tuple[int, str], Reading],
    sources: dict[int, ReadingSource],
) -> LineAnswer:
    source = sources.get(line.instrument_id)
    row = None if source is None else now.get((source.id, line.external_id))
    return LineAnswer(
        line=number,
        external_id=line.external_id,
        outcome=outcome,
        reading_id=row.id if row else None,
        state=row.state if row else None,
        reservation_id=row.reservation_id if row else None,
        reasons=tuple(reasons.found),
    )


async def _locked_sources(tx: Tx, command: ReceiveReadings) -> dict[int, ReadingSource]:
    rows = await tx.all(
        ReadingSource,
        select(reading_source)
        .where(
            reading_source.c.source == command.source,
            reading_source.c.instrument_id.in_({line.instrument_id for line in command.lines}),
            reading_source.c.provider_id == tx.actor.organisation_id,
        )
        .order_by(reading_source.c.id)
        .with_for_update(),
    )
    return {row.instrument_id: row for row in rows}


async def _stored(
    tx: Tx, command: ReceiveReadings, sources: dict[int, ReadingSource]
) -> list[Reading]:
    wanted = {
        (sources[line.instrument_id].id, line.external_id)
        for line in command.lines
        if line.instrument_id in sources
    }
    if not wanted:
        return []
    c = machine_reading.c
    return await tx.all(
        made_reading,
        reading_select().where(tuple_(c.source_id, c.external_id).in_(sorted(wanted))),
    )


async def _known(
    tx: Tx, command: ReceiveReadings, sources: dict[int, ReadingSource]
) -> dict[tuple[int, str], _Known]:
    of = {source.id: source for source in sources.values()}
    return {
        (row.source_id, row.external_id): _Known(
            of[row.source_id], row.external_id, row.run, row.user_reference, row.samples
        )
        for row in await _stored(tx, command, sources)
    }


async def _store(tx: Tx, changed: Sequence[_Known]) -> list[Reading]:
    """Write what was learned, and answer the runs that nobody has resolved yet."""
    statement = insert(machine_reading)
    told = ("started_at", "stopped_at", "user_reference", "samples", "changed_at")
    rows = await tx.execute(
        statement.values(
            [
                {
                    "source_id": run.source.id,
                    "instrument_id": run.source.instrument_id,
                    "provider_id": run.source.provider_id,
                    "external_id": run.external_id,
                    "started_at": run.run.started_at,
                    "stopped_at": run.run.stopped_at,
                    "user_reference": run.user_reference,
                    "samples": run.samples,
                    "received_at": tx.now,
                    "changed_at": tx.now,
                    "sent_by": tx.actor.person_id,
                    "state": ReadingState.WAITING,
                }
                for run in changed
            ]
        )
        .on_conflict_do_update(
            constraint="machine_reading_external_id",
            set_={name: statement.excluded[name] for name in told},
        )
        .returning(machine_reading.c.id)
    )
    ids = list(rows.scalars())
    return await tx.all(
        made_reading,
        reading_select().where(
            machine_reading.c.id.in_(ids), machine_reading.c.state.not_in(sorted(RESOLVED))
        ),
    )


async def follow_readings(tx: Tx, readings: Sequence[Reading]) -> None:
    """Put runs to the reservations into which they fall, and let their sessions follow."""
    homeless = [one for one in readings if one.reservation_id is None]
    found = await candidates(tx, [(one.instrument_id, one.run) for one in homeless])
    early = rulebook().booking.early_start_minutes.on(tx.today)
    homes: dict[int, int | None] = {}
    for one in homeless:
        home = belongs_to(
            one.run,
            (each.booked for each in found if each.instrument_id == one.instrument_id),
            early_minutes=early,
            tolerance_minutes=one.tolerance_minutes,
        )
        homes[one.id] = home.reservation_id if home else None
    await _write_homes(tx, homeless, homes)
    touched = {one.reservation_id for one in readings} | set(homes.values())
    for reservation_id in sorted(each for each in touched if each is not None):
        await follow_log(tx, reservation_id)


async def _write_homes(tx: Tx, homeless: Iterable[Reading], homes: dict[int, int | None]) -> None:
    by_home: dict[tuple[int | None, ReadingState], list[int]] = {}
    for one in homeless:
        home = homes[one.id]
        lost = home is None and one.started_at is not None
        state = ReadingState.UNBOOKED if lost else ReadingState.WAITING
        by_home.setdefault((home, state), []).append(one.id)
    for (home, state), ids in by_home.items():
        await tx.execute(
            update(machine_reading)
            .where(machine_reading.c.id.in_(ids))
            .values(reservation_id=home, session_id=None, state=state, changed_at=tx.now)
        )


async def follow_waiting_readings(tx: Tx, _: None = None) -> int:
    """Look again at runs whose reservation has moved on, or that could not be followed before."""
    c = machine_reading.c
    waiting = await tx.all(
        made_reading,
        reading_select()
        .where(
            c.state.in_([ReadingState.WAITING, ReadingState.RUNNING]),
            c.reservation_id.is_not(None),
            c.started_at.is_not(None),
            c.changed_at <= tx.now - AGAIN_AFTER,
        )
        .order_by(c.id)
        .limit(BATCH)
        .with_for_update(of=machine_reading, skip_locked=True),
    )
    if waiting:
        ids = [one.id for one in waiting]
        await tx.execute(update(machine_reading).where(c.id.in_(ids)).values(changed_at=tx.now))
        await follow_readings(tx, [replace(one, changed_at=tx.now) for one in waiting])
    return len(waiting)
