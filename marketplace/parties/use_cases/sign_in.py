"""Signing in: an attempt is counted before its password is looked at.

So a burst of guesses gets no more than the five that the lock allows, no row is locked and no
connection is held while a password is hashed, and a count survives the refusal that follows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from marketplace.kernel.actors import NOBODY, Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.parties import passwords, queries
from marketplace.parties.errors import (
    EmailInvalid,
    NotAMember,
    OrganisationSuspended,
    PasswordWrong,
    PersonDisabled,
    SignInRefused,
)
from marketplace.parties.queries import Person, Place
from marketplace.parties.rules.identifiers import require_email
from marketplace.parties.rules.passwords import (
    SIGN_IN_LOCKED_MINUTES,
    failures_counted,
    is_locked,
    locked_after,
    require_password,
)
from marketplace.parties.tables import person

_REFUSED = (
    "Check both. After five failures in a row a sign-in is locked for"
    f" {SIGN_IN_LOCKED_MINUTES} minutes."
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who asks, how they prove it, and for which of their organisations (None: the first)."""

    email: str
    password: str
    organisation_id: int | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody whose password was right, in one of their organisations with all roles there."""

    person: Person
    place: Place
    others: tuple[Place, ...]
    at: datetime

    @property
    def actor(self) -> Actor:
        """The one who acts from now on."""
        return Actor(
            person_id=self.person.id,
            organisation_id=self.place.organisation.id,
            organisation_kind=self.place.organisation.kind,
            roles=self.place.roles,
        )


async def sign_in(database: Database, command: SignIn, *, request_id: str = "") -> SignedIn:
    """Sign a person in; three short transactions with the hashing between them.

    Raises:
        SignInRefused: wrong address, wrong password or locked: it takes as long and says the same.
        PersonDisabled, OrganisationSuspended, NotAMember: the password was right, but.
    """
    attempt = await atomically(
        database, _count_attempt, command.email, actor=NOBODY, request_id=request_id
    )
    right = await passwords.verified(attempt.password_hash, command.password)
    if attempt.person_id is None or attempt.locked or not right:
        await atomically(database, _note_refusal, attempt, actor=NOBODY, request_id=request_id)
        raise SignInRefused(_REFUSED)
    new_hash = None
    if attempt.password_hash is not None and passwords.needs_rehash(attempt.password_hash):
        new_hash = await passwords.hashed(command.password)
    return await atomically(
        database,
        _open_sign_in,
        _OpenSignIn(attempt.person_id, command.organisation_id, new_hash),
        actor=NOBODY,
        request_id=request_id,
    )


@dataclass(frozen=True, slots=True)
class ResumeSignIn:
    """A sign-in that goes on: its refresh token was good."""

    person_id: int
    organisation_id: int
    signed_in_at: datetime


async def resume_sign_in(tx: Tx, command: ResumeSignIn) -> SignedIn:
    """The person as they are now: roles may have come and gone since the sign-in.

    Raises:
        SignInRefused: when the password was changed, or all sign-ins ended, after the sign-in.
        PersonDisabled, OrganisationSuspended, NotAMember: what has changed since.
    """
    ended_at = await tx.scalar(
        select(func.greatest(person.c.password_changed_at, person.c.sessions_ended_at)).where(
            person.c.id == command.person_id
        )
    )
    # A sign-in remembers whole seconds; the second of the change itself still counts as before.
    if ended_at is None or command.signed_in_at + timedelta(seconds=1) <= ended_at:
        raise SignInRefused("This sign-in has ended, or the password was changed; sign in again.")
    return await _signed_in(tx, command.person_id, command.organisation_id)


@dataclass(frozen=True, slots=True)
class Standing:
    """A person in an organisation, asked about now."""

    person_id: int
    organisation_id: int


async def standing(tx: Tx, asked: Standing) -> SignedIn:
    """Who somebody is there now, whatever an older token says.

    Raises:
        PersonDisabled, OrganisationSuspended, NotAMember: what has changed since.
    """
    return await _signed_in(tx, asked.person_id, asked.organisation_id)


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """A person's new password, and the present one to prove that it is they who ask."""

    person_id: int
    present: str
    new: str


async def change_password(
    database: Database, command: ChangePassword, *, actor: Actor, request_id: str = ""
) -> None:
    """Change a password; wrong guesses count towards the lock, and other sign-ins end.

    Raises:
        PasswordWrong: when the present one is wrong, or the sign-in is locked.
        PasswordWeak: when the new one is too easy to guess.
    """
    whose = await atomically(
        database, queries.person, command.person_id, actor=actor, request_id=request_id
    )
    require_password(command.new, email=whose.email, name=whose.name)
    attempt = await atomically(
        database, _count_attempt, whose.email, actor=actor, request_id=request_id
    )
    right = await passwords.verified(attempt.password_hash, command.present)
    if attempt.locked or not right:
        await atomically(database, _note_refusal, attempt, actor=actor, request_id=request_id)
        raise PasswordWrong("Nothing was changed.")
    await atomically(
        database,
        _set_password,
        _SetPassword(command.person_id, await passwords.hashed(command.new)),
        actor=actor,
        request_id=request_id,
    )


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What is known before the password is looked at; `person_id` is None for nobody."""

    person_id: int | None = None
    password_hash: str | None = None
    locked: bool = False


async def _count_attempt(tx: Tx, email: str) -> _Attempt:
    try:
        address = require_email(email)
    except EmailInvalid:
        return _Attempt()
    row = (
        await tx.execute(
            select(
                person.c.id, person.c.password_hash, person.c.failed_sign_ins, person.c.locked_until
            )
            .where(person.c.email == address)
            .with_for_update()
        )
    ).one_or_none()
    if row is None:
        return _Attempt()
    if is_locked(row.locked_until, tx.now):
        return _Attempt(row.id, row.password_hash, locked=True)
    failures = failures_counted(row.failed_sign_ins, row.locked_until, tx.now)
    await tx.execute(
        update(person)
        .where(person.c.id == row.id)
        .values(failed_sign_ins=failures, locked_until=locked_after(failures, tx.now))
    )
    return _Attempt(row.id, row.password_hash)


async def _note_refusal(tx: Tx, attempt: _Attempt) -> None:
    # An unknown address is noted too, as person 0: the log shows a search, and the answer takes
    # as long as for a known one.
    tx.audit(
        "refuse_sign_in", subject="person", subject_id=attempt.person_id or 0, locked=attempt.locked
    )


@dataclass(frozen=True, slots=True)
class _OpenSignIn:
    person_id: int
    organisation_id: int | None
    new_hash: str | None


async def _open_sign_in(tx: Tx, command: _OpenSignIn) -> SignedIn:
    signed_in = await _signed_in(tx, command.person_id, command.organisation_id)

    await tx.execute(
        update(person)
        .where(person.c.id == command.person_id)
        .values(failed_sign_ins=0, locked_until=None, signed_in_at=tx.now)
    )
    if command.new_hash is not None:
        await tx.execute(
            update(person)
            .where(person.c.id == command.person_id)
            .values(password_hash=command.new_hash)
        )

    tx.audit(
        "sign_in",
        subject="person",
        subject_id=command.person_id,
        organisation_id=signed_in.place.organisation.id,
        roles=sorted(signed_in.place.roles),
    )
    return signed_in


async def _signed_in(tx: Tx, person_id: int, organisation_id: int | None) -> SignedIn:
    who = await queries.person(tx, person_id)
    if who.disabled_at is not None:
        raise PersonDisabled("Ask an administrator.")
    everywhere = await queries.places(tx, person_id)
    places = [place for place in everywhere if organisation_id in (None, place.organisation.id)]
    if not places:
        raise NotAMember("Choose an organisation in which you hold a role.")
    open_places = [place for place in places if place.organisation.suspended_at is None]
    if not open_places:
        raise OrganisationSuspended(f"{places[0].organisation.name} is suspended.")
    others = tuple(place for place in everywhere if place is not open_places[0])
    return SignedIn(who, open_places[0], others, tx.now)


@dataclass(frozen=True, slots=True)
class _SetPassword:
    person_id: int
    password_hash: str


async def _set_password(tx: Tx, command: _SetPassword) -> None:
    await tx.execute(
        update(person)
        .where(person.c.id == command.person_id)
        .values(
            password_hash=command.password_hash,
            password_changed_at=tx.now,
            failed_sign_ins=0,
            locked_until=None,
        )
    )
    tx.audit("change_password", subject="person", subject_id=command.person_id)
