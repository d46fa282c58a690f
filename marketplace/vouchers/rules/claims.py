"""What a claim needs: its day, its evidence, its spot check, its notice; what is paid of it.

Policy: J.22b (what the rulebook asks for)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from marketplace.kernel.errors import Reason, Reasons
from marketplace.kernel.money import BASIS_POINTS
from marketplace.kernel.time import working_days_after
from marketplace.vouchers.rules.limits import Window


def missing_evidence(
    required: Mapping[int, Sequence[str]], attached: Iterable[tuple[int, str]], *, source: str
) -> list[Reason]:
    """One reason for each redemption that lacks evidence, naming every kind that is missing.

    Args:
        required: for each redemption the kinds that its programme asks for.
        attached: redemption and kind of what is there.
    """
    there = set(attached)
    reasons = []
    for redemption_id, kinds in sorted(required.items()):
        missing = [kind for kind in kinds if (redemption_id, kind) not in there]
        if missing:
            reasons.append(
                Reason(
                    "evidence",
                    f"Redemption {redemption_id} lacks: {', '.join(missing)}.",
                    limit=list(kinds),
                    asked={"redemption_id": redemption_id, "missing": missing},
                    source=source,
                )
            )
    return reasons


def spot_check_count(redemptions: int, share_basis_points: int) -> int:
    """How many redemptions are checked: the share rounded up, and at least one."""
    if redemptions == 0:
        return 0
    return min(redemptions, max(1, -(-redemptions * share_basis_points // BASIS_POINTS)))


def spot_check(redemption_ids: Sequence[int], share_basis_points: int, seed: int) -> list[int]:
    """The redemptions drawn for the spot check, in order of their ids.

    The draw orders the ids by the SHA-256 of `seed:id` and takes the first, so that anybody can
    repeat it from the seed, in any language, and nobody can steer it.
    """

    def lot(redemption_id: int) -> bytes:
        return hashlib.sha256(f"{seed}:{redemption_id}".encode()).digest()

    count = spot_check_count(len(redemption_ids), share_basis_points)
    return sorted(sorted(redemption_ids, key=lot)[:count])


def notice_ends_on(starts_on: date, working_days: int) -> date:
    """The last day of a public notice that starts on `starts_on`."""
    return working_days_after(starts_on, working_days)


def may_approve_on(day: date, notice_last_day: date) -> bool:
    """Whether the notice is over on `day`: its last day still belongs to the public."""
    return day > notice_last_day


MONTHS_OF = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}


def claimable_through(day: date, every: str | None) -> date | None:
    """The last day of the last whole period before `day`; None where claims need no period.

    With quarterly claims, 12 May claims what was redeemed until 31 March.
    """
    if every is None:
        return None
    months = MONTHS_OF[every]
    first_month = (day.month - 1) // months * months + 1
    return day.replace(month=first_month, day=1) - timedelta(days=1)


def outside_windows(day: date, windows: Sequence[Window], *, programme: str) -> list[Reason]:
    """Why a claim of the programme cannot be submitted on `day`: all its windows, if it has any."""
    if not windows or any(window.holds_on(day) for window in windows):
        return []
    days = "; ".join(f"{window.opens_on} to {window.closes_on}" for window in windows)
    return [
        Reason(
            "claim-window",
            f"Claims of {programme} are taken in its windows only: {days}.",
            limit=[
                {"opens_on": each.opens_on.isoformat(), "closes_on": each.closes_on.isoformat()}
                for each in windows
            ],
            asked=day.isoformat(),
            source=windows[0].source or None,
        )
    ]


class LineOutcome(StrEnum):
    """What becomes of a line when its claim is approved."""

    PAID = "paid"
    CUT = "cut"
    """Paid in part; the rest goes back to the budgets."""
    REFUSED = "refused"
    """Not paid; may be claimed again, corrected."""
    LOST = "lost"
    """Not paid and not to be claimed again; all of it goes back to the budgets."""


@dataclass(frozen=True, slots=True)
class LineDecided:
    """A line as the auditors left it: what is approved of what is left of its redemption."""

    approved_fen: int
    left_fen: int
    refused_before: int


def line_reasons(approved_fen: int, left_fen: int, reason: str) -> Reasons:
    """Why this much cannot be approved of a line."""
    reasons = Reasons()
    if not 0 <= approved_fen <= left_fen:
        reasons.add(
            "claimed",
            f"Between nothing and {left_fen} fen can be approved of this line.",
            limit=left_fen,
            asked=approved_fen,
        )
    if approved_fen < left_fen and not reason.strip():
        reasons.add("reason", "Who is paid less than claimed is told why.", asked=reason)
    return reasons


def line_outcome(line: LineDecided, resubmissions: int) -> LineOutcome:
    """What becomes of the line; a line refused more often than it may be resubmitted is lost."""
    if line.approved_fen >= line.left_fen:
        return LineOutcome.PAID
    if line.approved_fen:
        return LineOutcome.CUT
    return LineOutcome.REFUSED if line.refused_before < resubmissions else LineOutcome.LOST
