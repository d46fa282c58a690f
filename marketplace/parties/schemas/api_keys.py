"""Keys of systems on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from marketplace.kernel.errors import Malformed
from marketplace.kernel.time import as_utc
from marketplace.kernel.wire import In, Instant, Out, Word
from marketplace.parties.queries import ApiKey
from marketplace.parties.roles import Scope
from marketplace.parties.use_cases import ApiKeyMade, MakeApiKey

Scopes = Annotated[list[Scope], msgspec.Meta(min_length=1, max_length=20)]
YEARS = range(2000, 2101)


class ApiKeyIn(In):
    """Which system gets a key, what it may do, and until when (two years at most)."""

    name: Word
    scopes: Scopes
    expires_at: Instant

    def to_command(self) -> MakeApiKey:
        """The command of the caller."""
        if self.expires_at.year not in YEARS:
            raise Malformed(f"Years from {YEARS[0]} to {YEARS[-1]}.")
        return MakeApiKey(
            self.name, frozenset(scope.value for scope in self.scopes), as_utc(self.expires_at)
        )


class ApiKeyOut(Out):
    """What is known of a key; it is told from others by its prefix.

    `last_used_at` is right to the hour.
    """

    id: int
    organisation_id: int
    person_id: int
    name: str
    prefix: str
    scopes: list[Scope]
    made_by: int
    made_at: datetime
    expires_at: datetime
    revoked_by: int | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, row: ApiKey) -> ApiKeyOut:
        """From the row."""
        return cls.like(row, scopes=list(row.scopes))


class ApiKeyMadeOut(Out):
    """A new key. `token` is shown this once: send it as `Authorization: Bearer <token>`."""

    key: ApiKeyOut
    token: str

    @classmethod
    def of(cls, made: ApiKeyMade) -> ApiKeyMadeOut:
        """From the result."""
        return cls(key=ApiKeyOut.of(made.key), token=made.text)
