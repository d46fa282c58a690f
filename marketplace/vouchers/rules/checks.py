"""One eligibility rule, the fact it looked at, and what it found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.kernel.errors import Reason


@dataclass(frozen=True, slots=True)
class Check:
    """One rule and what it found; `fact` names the register that the asked value stands in."""

    rule: str
    passed: bool
    message: str
    limit: Any = None
    asked: Any = None
    source: str | None = None
    fact: str = ""

    def reason(self) -> Reason:
        """The check as a reason for a refusal."""
        return Reason(
            self.rule, self.message, limit=self.limit, asked=self.asked, source=self.source
        )


def failed(checks: Sequence[Check]) -> list[Reason]:
    """The reasons of every check that was not passed."""
    return [check.reason() for check in checks if not check.passed]
