"""Look at the pages as somebody else sees them: for a reason, for a while, changing nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import insert, update

from marketplace.kernel.actors import SYSTEM_PERSON_ID
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Forbidden
from marketplace.parties import queries
from marketplace.parties.errors import PersonMissing, ViewingMissing, ViewingRefused
from marketplace.parties.queries import Viewing
from marketplace.parties.roles import Role
from marketplace.parties.rules.viewing import VIEWING_MINUTES, require_no_more_rights
from marketplace.parties.tables import viewing
from marketplace.parties.use_cases.sign_in import (
    ResumeSignIn,
    SignedIn,
    Standing,
    resume_sign_in,
    standing,
)


@dataclass(frozen=True, slots=True)
class BeginViewing:
    """As whom, in which of their organisations, and why."""

    person_id: int
    organisation_id: int
    reason: str


async def begin_viewing(tx: Tx, command: BeginViewing) -> Viewing:
    """Begin to look as somebody; it ends by itself.

    Raises:
        PersonMissing: when there is no such person.
        ViewingRefused: for oneself, and for who sees more than one does.
        PersonDisabled, OrganisationSuspended, NotAMember: for who could not sign in there.
    """
    if command.person_id == SYSTEM_PERSON_ID:
        raise PersonMissing()
    if command.person_id == tx.actor.person_id:
        raise ViewingRefused("Your own pages you see already.")
    seen = await standing(tx, Standing(command.person_id, command.organisation_id))
    require_no_more_rights(tx.actor.roles, seen.place.roles)
    viewing_id: int = await tx.scalar(
        insert(viewing)
        .values(
            viewer_id=tx.actor.person_id,
            person_id=command.person_id,
            organisation_id=command.organisation_id,
            reason=command.reason.strip(),
            began_at=tx.now,
            ends_at=tx.now + timedelta(minutes=VIEWING_MINUTES),
        )
        .returning(viewing.c.id)
    )
    tx.audit(
        "view_as",
        subject="person",
        subject_id=command.person_id,
        organisation_id=command.organisation_id,
        viewing_id=viewing_id,
        reason=command.reason.strip(),
    )
    return await queries.viewing(tx, viewing_id)


async def end_viewing(tx: Tx, viewing_id: int) -> Viewing:
    """Stop looking as somebody; ending it again changes nothing.

    Raises:
        ViewingMissing: when there is none of one's own.
    """
    found = await queries.viewing(tx, viewing_id)
    if found.viewer_id != tx.actor.person_id:
        raise ViewingMissing()
    if found.ended_at is not None or tx.now >= found.ends_at:
        return found
    await tx.execute(update(viewing).where(viewing.c.id == viewing_id).values(ended_at=tx.now))
    tx.audit("end_view_as", subject="person", subject_id=found.person_id, viewing_id=viewing_id)
    return await queries.viewing(tx, viewing_id)


@dataclass(frozen=True, slots=True)
class ResumeVisit:
    """A sign-in that goes on in a browser, and what it looks at as somebody else (0: nothing)."""

    sign_in: ResumeSignIn
    viewing_id: int = 0


@dataclass(frozen=True, slots=True)
class Visit:
    """Whose pages are shown; while somebody else looks at them, who that is and until when."""

    signed_in: SignedIn
    viewer: SignedIn | None = None
    viewing: Viewing | None = None


async def resume_visit(tx: Tx, command: ResumeVisit) -> Visit:
    """The person as they are now, or as whom they look while that lasts.

    A view ends with its term, with the viewer's role, and with the place of whom they look as.

    Raises:
        SignInRefused, PersonDisabled, OrganisationSuspended, NotAMember: see `resume_sign_in`.
    """
    own = await resume_sign_in(tx, command.sign_in)
    if not command.viewing_id or not own.actor.has(Role.ADMINISTRATOR):
        return Visit(own)
    found = await queries.viewing(tx, command.viewing_id)
    if found.viewer_id != own.person.id or found.ended_at is not None or tx.now >= found.ends_at:
        return Visit(own)
    try:
        seen = await standing(tx, Standing(found.person_id, found.organisation_id))
        require_no_more_rights(own.place.roles, seen.place.roles)
    except Forbidden:
        return Visit(own)
    return Visit(replace(seen, others=()), own, found)
