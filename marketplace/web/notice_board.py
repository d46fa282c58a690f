"""The notices on top of every page: read once in a while, and anew when one changes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from marketplace.kernel.actors import NOBODY
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.errors import DomainError
from marketplace.kernel.events import Event
from marketplace.operations.events import NoticeChanged
from marketplace.operations.queries import Notice, notices_shown
from marketplace.operations.use_cases import NoticeState

# A change made by another process shows after so long at the latest.
KEPT_SECONDS = 10.0


class NoticeBoard:
    """What is shown, kept in this process: a page costs no question of its own."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Database, tuple[float, list[Notice]]] = WeakKeyDictionary()

    async def shown(self, database: Database, roles: frozenset[str]) -> tuple[Notice, ...]:
        """The notices for somebody with these roles, the most urgent first."""
        now = database.clock.now()
        return tuple(
            each
            for each in await self._all(database)
            if each.state(now) is NoticeState.SHOWN and each.is_for(roles)
        )

    async def _all(self, database: Database) -> list[Notice]:
        until, found = self._kept.get(database, (None, []))
        if until is not None and time.monotonic() < until:
            return found
        if until is None:
            self._listen(database)
        try:
            found = await atomically(database, notices_shown, None, actor=NOBODY)
        except DomainError:
            # A page that can be shown without the database is not lost for want of a notice.
            found = []
        self._kept[database] = (time.monotonic() + KEPT_SECONDS, found)
        return found

    def _listen(self, database: Database) -> None:
        kept = self._kept

        def forget(events: Sequence[Event]) -> None:
            if any(isinstance(event, NoticeChanged) for event in events) and database in kept:
                kept[database] = (0.0, [])

        database.on_commit.append(forget)
