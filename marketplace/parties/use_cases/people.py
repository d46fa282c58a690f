"""Registering people, and ending and restoring their sign-in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, update

from marketplace.kernel.actors import SYSTEM_PERSON_ID
from marketplace.kernel.db import Tx
from marketplace.parties import passwords, queries
from marketplace.parties.errors import PersonMissing
from marketplace.parties.queries import Person
from marketplace.parties.rules.identifiers import require_email
from marketplace.parties.rules.membership import require_another_person
from marketplace.parties.rules.passwords import require_password
from marketplace.parties.tables import person


@dataclass(frozen=True, slots=True)
class RegisterPerson:
    """Somebody who may sign in once they hold a role somewhere."""

    email: str
    name: str
    password: str
    phone: str = ""


async def register_person(tx: Tx, command: RegisterPerson) -> Person:
    """Register a person with a first password, which they should change.

    Raises:
        EmailInvalid: when the address cannot be one.
        PasswordWeak: when the password is too easy to guess.
        EmailRegistered: when the address belongs to somebody already.
    """
    email = require_email(command.email)
    name = command.name.strip()
    require_password(command.password, email=email, name=name)

    person_id = await tx.scalar(
        insert(person)
        .values(
            email=email,
            name=name,
            phone=command.phone.strip(),
            password_hash=await passwords.hashed(command.password),
            password_changed_at=tx.now,
            registered_at=tx.now,
        )
        .returning(person.c.id)
    )

    tx.audit("register", subject="person", subject_id=person_id)
    return await queries.person(tx, person_id)


async def disable_person(tx: Tx, person_id: int) -> Person:
    """End a person's sign-in everywhere; what they did stays theirs.

    Raises:
        PersonMissing: when there is no such person.
        RoleToOneself: when they try it on themselves.
    """
    require_another_person(tx.actor.person_id, person_id)
    found = await queries.person(tx, person_id)
    if found.disabled_at is not None:
        return found

    await tx.execute(update(person).where(person.c.id == person_id).values(disabled_at=tx.now))

    tx.audit("disable", subject="person", subject_id=person_id)
    return await queries.person(tx, person_id)


async def enable_person(tx: Tx, person_id: int) -> Person:
    """Let a person sign in again, and forget failures that locked them out.

    Raises:
        PersonMissing: when there is no such person, and for the platform itself.
        RoleToOneself: when they try it on themselves.
    """
    require_another_person(tx.actor.person_id, person_id)
    if person_id == SYSTEM_PERSON_ID:
        raise PersonMissing()
    await queries.person(tx, person_id)

    await tx.execute(
        update(person)
        .where(person.c.id == person_id)
        .values(disabled_at=None, failed_sign_ins=0, locked_until=None)
    )

    tx.audit("enable", subject="person", subject_id=person_id)
    return await queries.person(tx, person_id)


async def end_sessions(tx: Tx, person_id: int) -> Person:
    """End a person's sign-ins everywhere: they sign in anew, with the same password.

    An access token that was handed out is good for some minutes more.

    Raises:
        PersonMissing: when there is no such person, and for the platform itself.
        RoleToOneself: when they try it on themselves.
    """
    require_another_person(tx.actor.person_id, person_id)
    if person_id == SYSTEM_PERSON_ID:
        raise PersonMissing()
    await queries.person(tx, person_id)

    await tx.execute(
        update(person).where(person.c.id == person_id).values(sessions_ended_at=tx.now)
    )

    tx.audit("end_sessions", subject="person", subject_id=person_id)
    return await queries.person(tx, person_id)
