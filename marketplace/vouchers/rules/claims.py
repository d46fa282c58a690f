"""What a claim needs: its evidence, its random spot check, its notice.

Policy: J.22b (what the rulebook asks for)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from marketplace.kernel.errors import Reason
from marketplace.kernel.money import BASIS_POINTS
from marketplace.kernel.time import working_days_after


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
