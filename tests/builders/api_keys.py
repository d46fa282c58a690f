"""Keys of systems: valid by default, made through the domain's own use case."""

import itertools
from datetime import timedelta
from typing import Any

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically
from marketplace.parties.roles import Scope
from marketplace.parties.use_cases import ApiKeyMade, MakeApiKey, make_api_key

_numbers = itertools.count(1)


async def an_api_key(database: Database, *, by: Actor, **changes: Any) -> ApiKeyMade:
    """A key for log readings, good for a year."""
    asked: dict[str, Any] = {
        "name": f"LIMS {next(_numbers)}",
        "scopes": frozenset({Scope.READINGS_WRITE.value}),
        "expires_at": database.clock.now() + timedelta(days=365),
    }
    return await atomically(database, make_api_key, MakeApiKey(**(asked | changes)), actor=by)


def by_key(made: ApiKeyMade) -> dict[str, str]:
    """The header with which a system calls the API."""
    return {"Authorization": f"Bearer {made.text}"}
