"""Starred instruments over HTTP: one's own, each once."""

from marketplace.parties.roles import Role
from tests.builders.catalogue import an_instrument
from tests.builders.parties import an_actor, bearer


async def test_a_buyer_stars_an_instrument_once_and_takes_the_star_away(api, services, database):
    buyer = bearer(services, await an_actor(database, Role.BUYER))
    other = bearer(services, await an_actor(database, Role.BUYER))
    instrument = await an_instrument(database)
    here = f"/api/v1/favourites/{instrument}"

    starred = await api.put(here, headers=buyer)
    again = await api.put(here, headers=buyer)
    listed = await api.get("/api/v1/favourites", headers=buyer)
    others = await api.get("/api/v1/favourites", headers=other)
    missing = await api.put("/api/v1/favourites/999999", headers=buyer)
    gone = await api.delete(here, headers=buyer)
    after = await api.get("/api/v1/favourites", headers=buyer)

    assert starred.json() == again.json() == {"instrument_id": instrument, "marked": True}
    assert [instrument] == [each["instrument_id"] for each in listed.json()["results"]]
    assert (others.json()["total"], missing.status_code) == (0, 404)
    assert (gone.json()["marked"], after.json()["total"]) == (False, 0)
