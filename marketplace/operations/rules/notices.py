"""When a notice can be published, and in which state one is."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from marketplace.kernel.errors import Reason, Reasons
from marketplace.parties.roles import Role

TITLE_LENGTH_MAX = 120
TEXT_LENGTH_MAX = 1_000
SHOWN_MAX = timedelta(days=366)


class Severity(StrEnum):
    """How a notice stands out."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class NoticeState(StrEnum):
    """Whether readers see a notice."""

    PLANNED = "planned"
    SHOWN = "shown"
    OVER = "over"
    WITHDRAWN = "withdrawn"


def state_at(
    now: datetime, *, shown_from: datetime, shown_until: datetime, withdrawn_at: datetime | None
) -> NoticeState:
    """The state of a notice at a moment; it is shown from its first moment to before its last."""
    if withdrawn_at is not None:
        return NoticeState.WITHDRAWN
    if now >= shown_until:
        return NoticeState.OVER
    return NoticeState.SHOWN if now >= shown_from else NoticeState.PLANNED


def why_not(
    *,
    titles: tuple[str, str],
    texts: tuple[str, str],
    audience: Collection[str],
    shown_from: datetime,
    shown_until: datetime,
    now: datetime,
) -> list[Reason]:
    """Everything that speaks against publishing a notice; titles and texts: Chinese, English."""
    reasons = Reasons()
    if not all(titles):
        reasons.add("titles", "The title is needed in both languages.")
    if max(map(len, titles)) > TITLE_LENGTH_MAX:
        reasons.add("titles", "The title is too long.", limit=TITLE_LENGTH_MAX)
    if bool(texts[0]) != bool(texts[1]):
        reasons.add("texts", "Say it in both languages, or in neither.")
    if max(map(len, texts)) > TEXT_LENGTH_MAX:
        reasons.add("texts", "The text is too long.", limit=TEXT_LENGTH_MAX)
    if unknown := sorted(set(audience) - set(Role)):
        reasons.add("audience", "There is no such role.", asked=unknown)
    if shown_until <= shown_from:
        reasons.add("period", "It ends after it begins.")
    elif shown_until <= now:
        reasons.add("period-over", "Its time is over already: nobody would see it.")
    elif shown_until - shown_from > SHOWN_MAX:
        reasons.add("period-long", "A notice is shown for a year at most.", limit=SHOWN_MAX.days)
    return reasons.found
