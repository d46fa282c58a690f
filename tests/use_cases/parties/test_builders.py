"""The builders that other tests stand on make what they say."""

from marketplace.kernel.db import Database
from marketplace.parties.roles import Role
from tests.builders.parties import an_actor


async def test_an_actor_is_built_for_every_role(database: Database) -> None:
    for role in Role:
        actor = await an_actor(database, role)

        assert actor.has(role)
        assert actor.organisation_id > 1
