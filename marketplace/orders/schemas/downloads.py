"""Who took which result, on the wire."""

from __future__ import annotations

from datetime import datetime

from marketplace.kernel.wire import Out
from marketplace.orders.queries.downloads import Download


class DownloadOut(Out):
    """One copy that somebody took, for which organisation."""

    at: datetime
    deliverable_id: int
    name: str
    sha256: str
    person_id: int
    person: str
    organisation_id: int | None

    @classmethod
    def of(cls, download: Download, person: str) -> DownloadOut:
        """The wire form of a download by somebody of that name."""
        return cls.like(download, person=person)
