"""Facts that other domains may hear: small, frozen, named in the past tense, told after commit."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Self, get_type_hints


@dataclass(frozen=True, slots=True)
class Event:
    """Base of every event. Fields are ints, strings, bools, days and instants: nothing nested."""

    by_name: ClassVar[dict[str, type[Event]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # super() without arguments cannot be used: slots=True makes a second class.
        name = cls.__name__
        Event.by_name[name] = cls

    def payload(self) -> dict[str, Any]:
        """The event as JSON values; instants and days in ISO 8601."""
        return {
            name: value.isoformat() if isinstance(value, date | datetime) else value
            for name, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> Self:
        """The event that `payload()` wrote."""
        kinds = get_type_hints(cls)
        values = {}
        for name, value in payload.items():
            kind = kinds[name]
            if isinstance(value, str) and kind in (date, datetime):
                value = kind.fromisoformat(value)
            values[name] = value
        return cls(**values)
