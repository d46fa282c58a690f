"""What changes from one version of a price list to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Terms = Mapping[str, int | str | None]


@dataclass(frozen=True, slots=True)
class Difference:
    """One term of a price list that differs: added (`before` None), gone, or changed."""

    what: str
    before: int | str | None
    after: int | str | None

    @property
    def change_basis_points(self) -> int | None:
        """By how much an amount rose or fell, rounded to nought; None where that says nothing."""
        if not isinstance(self.before, int) or not isinstance(self.after, int) or not self.before:
            return None
        return int((self.after - self.before) * 10_000 / self.before)


def differences(before: Terms, after: Terms) -> list[Difference]:
    """Every term that is not the same in both, in the order of its name."""
    return [
        Difference(what, before.get(what), after.get(what))
        for what in sorted({*before, *after})
        if before.get(what) != after.get(what)
    ]
