"""Change the terms and layers of an approved programme: a version that another person approves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import func, insert, select, update

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.vouchers import tables
from marketplace.vouchers.errors import (
    ProgrammeRefused,
    ProgrammeStateMoved,
    SamePerson,
)
from marketplace.vouchers.queries import (
    NewestTerms,
    Programme,
    ProgrammeVersion,
    layers_now,
    newest_terms,
    programme,
    version_of,
)
from marketplace.vouchers.rules.layer_changes import layers_after, wrong_layers
from marketplace.vouchers.rules.programme_check import Days, wrong_terms
from marketplace.vouchers.rules.states import ProgrammeStatus
from marketplace.vouchers.use_cases.layer_changes import (
    NO_LAYERS,
    LayersAsked,
    carry_out_layers,
    note_layers,
)

FIXED_TERMS = {
    "layers": "The shares of layers change with the version's layers, not as a term.",
    "redeemed_by": "Who redeems stays the same: orders were paid by it. Draft another programme.",
}
"""What no version changes as a term: a layer's share stands with its budget, payments with who
redeems."""


@dataclass(frozen=True, slots=True)
class TermGiven:
    """A term's new value, the clause it comes from, and a note; a None value takes it away."""

    value: Any
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class DraftVersion:
    """What changes of a programme's terms and layers, from which day on, and why."""

    programme_id: int
    starts_on: date
    reason: str
    changes: Mapping[str, TermGiven] = field(default_factory=dict)
    layers: LayersAsked = NO_LAYERS


async def draft_version(tx: Tx, command: DraftVersion) -> ProgrammeVersion:
    """Write down the next version of an approved programme: the newest terms with the changes.

    Raises:
        ProgrammeStateMoved: when the programme is still a draft, or closed and its layers change.
        ProgrammeRefused: with every reason: nothing changed, terms that do not fit together, a
            budget below what is granted, held and used of it, a first day that is not in the
            future or not after the last version's.
        ProgrammeVersionWaiting: when another version waits for its approval.

    Policy: J.22a, J.22b
    """
    of = await programme(tx, command.programme_id, lock=True)
    if of.status == ProgrammeStatus.DRAFT:
        raise ProgrammeStateMoved("A programme that is a draft still is drafted anew.")
    if command.layers and of.status != ProgrammeStatus.OPEN:
        raise ProgrammeStateMoved(f"The programme is {of.status}: its layers change no more.")
    newest = await newest_terms(tx, of)
    terms = await changed_terms(
        tx, of, newest.terms, command.changes, layers=command.layers, on=command.starts_on
    )
    reasons = Reasons()
    if terms == newest.terms and not command.layers:
        reasons.add("changes", "Nothing changes.")
    _check_start(reasons, tx, newest, command.starts_on)
    reasons.raise_as(ProgrammeRefused)
    number = await tx.scalar(
        select(func.coalesce(func.max(tables.programme_version.c.version), 1) + 1).where(
            tables.programme_version.c.programme_id == of.id
        )
    )
    version_id: int = await tx.scalar(
        insert(tables.programme_version)
        .values(
            programme_id=of.id,
            version=number,
            terms=terms,
            starts_on=command.starts_on,
            reason=command.reason,
            status="draft",
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
        .returning(tables.programme_version.c.id)
    )
    await note_layers(tx, version_id, command.layers)
    tx.audit(
        "draft-version",
        subject="programme",
        subject_id=of.id,
        version=number,
        changed=sorted(command.changes),
        layers=[each.layer_id for each in command.layers.changed],
        layers_added=len(command.layers.added),
    )
    return await version_of(tx, of.id, number)


async def changed_terms(
    tx: Tx,
    of: Programme,
    terms: Mapping[str, Any],
    changes: Mapping[str, TermGiven],
    *,
    layers: LayersAsked = NO_LAYERS,
    on: date | None = None,
) -> dict[str, Any]:
    """The terms with what changes, checked as a whole with the layers of a day, or of today.

    Raises:
        ProgrammeRefused: with everything that does not fit together.
    """
    reasons = Reasons()
    for term in sorted(FIXED_TERMS & changes.keys()):
        reasons.add(f"terms.{term}", FIXED_TERMS[term], asked=term)
    reasons.raise_as(ProgrammeRefused)
    changed = dict(terms)
    for term, given in changes.items():
        if given.value is None:
            changed.pop(term, None)
        else:
            changed[term] = {"value": given.value, "source": given.source, "note": given.note}
    now = await layers_now(tx, of.id, on or tx.today)
    reasons.found += wrong_layers(now, layers.changed, layers.added)
    regions = layers_after(now, layers.changed, layers.added)
    reasons.found += wrong_terms(changed, regions, Days(of.year, of.opens_on, of.closes_on))
    reasons.raise_as(ProgrammeRefused)
    return changed


def _check_start(reasons: Reasons, tx: Tx, newest: NewestTerms, starts_on: date) -> None:
    # What is held on a day is held under one version: it is settled before the day begins.
    if starts_on <= tx.today:
        reasons.add(
            "starts-on",
            "A version starts on a day to come, so that nobody's order changes under their hands.",
            limit=tx.today.isoformat(),
            asked=starts_on.isoformat(),
        )
    if starts_on <= newest.starts_on:
        reasons.add(
            "starts-on",
            f"Version {newest.version} starts on {newest.starts_on}: the next one starts later.",
            limit=newest.starts_on.isoformat(),
            asked=starts_on.isoformat(),
        )


@dataclass(frozen=True, slots=True)
class DecideVersion:
    """A second person approves the version, or anybody of the centre discards it."""

    programme_id: int
    version: int


async def approve_version(tx: Tx, command: DecideVersion) -> ProgrammeVersion:
    """Let the version come into force on its day; what is held before keeps its own terms.

    The budgets of its layers move at once: what is taken out of one can be granted no more.

    Raises:
        ProgrammeVersionMissing: when there is none.
        ProgrammeStateMoved: when it was decided before, or changes layers of a closed programme.
        SamePerson: when the approver drafted it.
        ProgrammeRefused: when the day on which it starts has come, or more of a budget is
            granted, held or used by now.
        ProgrammeVersionStartTaken: when another version starts on that day.

    Policy: J.22a
    """
    of = await programme(tx, command.programme_id, lock=True)
    drafted = await _draft(tx, command)
    if drafted.made_by == tx.actor.person_id:
        raise SamePerson("Another person than the one who drafted it approves a version.")
    if drafted.starts_on <= tx.today:
        reasons = Reasons()
        reasons.add(
            "starts-on",
            "The day on which it was to start has come: draft it anew.",
            limit=tx.today.isoformat(),
            asked=drafted.starts_on.isoformat(),
        )
        reasons.raise_as(ProgrammeRefused)
    await carry_out_layers(tx, of, drafted)
    await _end(tx, drafted, status="approved", approved_by=tx.actor.person_id, approved_at=tx.now)
    tx.audit(
        "approve-version",
        subject="programme",
        subject_id=command.programme_id,
        version=command.version,
    )
    return await version_of(tx, command.programme_id, command.version)


async def discard_version(tx: Tx, command: DecideVersion) -> ProgrammeVersion:
    """Give up a version that waits for its approval.

    Raises:
        ProgrammeVersionMissing: when there is none.
        ProgrammeStateMoved: when it was decided before.
    """
    drafted = await _draft(tx, command)
    await _end(tx, drafted, status="discarded")
    tx.audit(
        "discard-version",
        subject="programme",
        subject_id=command.programme_id,
        version=command.version,
    )
    return await version_of(tx, command.programme_id, command.version)


async def _draft(tx: Tx, command: DecideVersion) -> ProgrammeVersion:
    found = await version_of(tx, command.programme_id, command.version, lock=True)
    if found.status != "draft":
        raise ProgrammeStateMoved(f"Version {found.version} is {found.status}, not a draft.")
    return found


async def _end(tx: Tx, drafted: ProgrammeVersion, **values: Any) -> None:
    await tx.execute(
        update(tables.programme_version)
        .where(tables.programme_version.c.id == drafted.id)
        .values(**values)
    )
