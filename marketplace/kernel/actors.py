"""Who is acting: a person in a role for an organisation, or the platform itself in a job."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Actor:
    """The one on whose behalf a transaction runs; every audit line and every `made_by` is one.

    `organisation_id` is the organisation the person signed in for; what belongs to another one
    does not exist for this actor unless a role says otherwise (auditor, regulator, centre staff).
    A system that calls with a key has `scopes` and no roles.
    """

    person_id: int
    organisation_id: int
    organisation_kind: str
    roles: frozenset[str] = field(default_factory=frozenset)
    label: str = ""
    scopes: frozenset[str] = field(default_factory=frozenset)
    only_looks: bool = False
    """Somebody else looks as this person: PostgreSQL lets their transactions write nothing."""

    def has(self, *roles: str) -> bool:
        """Whether the actor holds one of `roles`."""
        return not self.roles.isdisjoint(roles)


# Person and organisation 1 are created by the first migration and cannot sign in.
SYSTEM_PERSON_ID = 1
SYSTEM_ORGANISATION_ID = 1


def system_actor(label: str) -> Actor:
    """The platform acting by itself: a scheduled job, a command line, an event handler."""
    return Actor(
        person_id=SYSTEM_PERSON_ID,
        organisation_id=SYSTEM_ORGANISATION_ID,
        organisation_kind="platform",
        roles=frozenset({"system"}),
        label=label,
    )


NOBODY = Actor(person_id=0, organisation_id=0, organisation_kind="public", label="public")
