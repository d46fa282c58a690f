"""What others may hear of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from marketplace.kernel.events import Event


@dataclass(frozen=True, slots=True)
class InstrumentListed(Event):
    """An instrument can be seen and booked."""

    instrument_id: int
    provider_id: int


@dataclass(frozen=True, slots=True)
class InstrumentChanged(Event):
    """The description of an instrument is another one."""

    instrument_id: int
    provider_id: int


@dataclass(frozen=True, slots=True)
class InstrumentWithdrawn(Event):
    """An instrument cannot be booked any more; `disposed` says that it never comes back."""

    instrument_id: int
    provider_id: int
    disposed: bool


@dataclass(frozen=True, slots=True)
class InstrumentClosed(Event):
    """An instrument is closed for a time; what was reserved in it needs an answer."""

    instrument_id: int
    closure_id: int
    starts_at: datetime
    ends_at: datetime
    kind: str = "closed"


@dataclass(frozen=True, slots=True)
class InstrumentReopened(Event):
    """A closure ended earlier than was said, or was taken back before it began."""

    instrument_id: int
    closure_id: int
    reopened_at: datetime


@dataclass(frozen=True, slots=True)
class InstrumentsImported(Event):
    """A file of a provider has landed."""

    batch_id: int
    provider_id: int
    added: int
    changed: int
