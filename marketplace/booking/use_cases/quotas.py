"""Set, change and end quotas."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, insert, select, update

from marketplace.booking.errors import QuotaEnded, QuotaRefused
from marketplace.booking.queries.quotas import Quota, made_quota, own_quota
from marketplace.booking.rules.quotas import Measure, Period, Subject, countable
from marketplace.booking.rules.states import UserClass
from marketplace.booking.tables import quota as table
from marketplace.booking.tables import weekly_hours
from marketplace.catalogue.queries import own_instrument
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons

_COLUMNS = [table.c[name] for name in Quota.__dataclass_fields__]


@dataclass(frozen=True, slots=True)
class SetQuota:
    """How much each person or organisation may reserve of one instrument, or of all together."""

    subject: Subject
    period: Period
    measure: Measure
    at_most: int
    instrument_id: int | None = None
    user_class: UserClass | None = None
    peak_only: bool = False


@dataclass(frozen=True, slots=True)
class ChangeQuota:
    """Another limit for the same quota."""

    quota_id: int
    at_most: int


@dataclass(frozen=True, slots=True)
class EndQuota:
    """A quota that shall limit nobody any more."""

    quota_id: int


async def set_quota(tx: Tx, command: SetQuota) -> Quota:
    """Limit what is reserved from now on; reservations that stand are kept, and counted.

    Policy: F.booking.

    Raises:
        InstrumentMissing: when it belongs to others.
        QuotaRefused: with everything that cannot be counted.
        QuotaExists: when the same is limited already.
    """
    peak_hours = True
    if command.instrument_id is not None:
        await own_instrument(tx, command.instrument_id)
        peak_hours = await tx.scalar(
            select(
                exists().where(
                    weekly_hours.c.instrument_id == command.instrument_id,
                    weekly_hours.c.kind == "peak",
                )
            )
        )
    found = countable(
        command.period,
        command.measure,
        peak_only=command.peak_only,
        has_peak_hours=peak_hours,
    )
    Reasons(found).raise_as(QuotaRefused)
    made = await tx.one(
        made_quota,
        insert(table)
        .values(
            provider_id=tx.actor.organisation_id,
            instrument_id=command.instrument_id,
            subject=command.subject,
            user_class=command.user_class,
            period=command.period,
            measure=command.measure,
            peak_only=command.peak_only,
            at_most=command.at_most,
            set_by=tx.actor.person_id,
            set_at=tx.now,
        )
        .returning(*_COLUMNS),
    )
    tx.audit(
        "set",
        subject="quota",
        subject_id=made.id,
        instrument_id=made.instrument_id,
        of=made.subject,
        user_class=made.user_class,
        period=made.period,
        measure=made.measure,
        peak_only=made.peak_only,
        at_most=made.at_most,
    )
    return made


async def change_quota(tx: Tx, command: ChangeQuota) -> Quota:
    """Raise or lower a quota; who is above it keeps what they have and gets no more.

    Raises:
        Missing: when it is another provider's.
        QuotaEnded: when it holds no more.
    """
    present = await _standing(tx, command.quota_id)
    made = await tx.one(
        made_quota,
        update(table)
        .where(table.c.id == present.id)
        .values(at_most=command.at_most, set_by=tx.actor.person_id, set_at=tx.now)
        .returning(*_COLUMNS),
    )
    tx.audit(
        "change",
        subject="quota",
        subject_id=made.id,
        before=present.at_most,
        after=made.at_most,
    )
    return made


async def end_quota(tx: Tx, command: EndQuota) -> Quota:
    """Let a quota limit nobody any more; it stays on record.

    Raises:
        Missing: when it is another provider's.
        QuotaEnded: when it was ended before.
    """
    present = await _standing(tx, command.quota_id)
    made = await tx.one(
        made_quota,
        update(table)
        .where(table.c.id == present.id)
        .values(ended_at=tx.now, ended_by=tx.actor.person_id)
        .returning(*_COLUMNS),
    )
    tx.audit("end", subject="quota", subject_id=made.id)
    return made


async def _standing(tx: Tx, quota_id: int) -> Quota:
    """The quota, its row locked: one change at a time."""
    await tx.execute(select(table.c.id).where(table.c.id == quota_id).with_for_update())
    present = await own_quota(tx, quota_id)
    if present.ended_at is not None:
        raise QuotaEnded("Set a new quota.", ended_at=present.ended_at)
    return present
