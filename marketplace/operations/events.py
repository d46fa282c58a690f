"""What happened in running the platform."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.kernel.events import Event


@dataclass(frozen=True, slots=True)
class NoticeChanged(Event):
    """A notice was published or withdrawn: what pages show on top is another."""

    notice_id: int
