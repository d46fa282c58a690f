"""An SME from an instrument to a signed order, without scripts; and what a stranger sees of it."""

from __future__ import annotations

import re

import pytest

from marketplace.parties.roles import Role
from tests.builders.orders import Market, a_market
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def market(database) -> Market:
    return await a_market(database)
