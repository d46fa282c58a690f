"""A term is a value with the days on which it holds and the clause it comes from."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from marketplace.kernel.errors import Refused

T = TypeVar("T")


class NoTermInForce(Refused):
    """The rulebook says nothing for the day asked, for instance for a year before the policy."""

    code = "no-term-in-force"
    title = "No rule is in force on that day"


class Term(BaseModel, Generic[T]):
    """`value`, from `since` up to and including `until`, because of `source`.

    `source` is the id of a requirement (`J.30b`); where the policies leave a number open it is
    `J.gap`, and `note` says whose practice was taken.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: T
    since: date
    until: date | None = None
    source: str = Field(min_length=2, max_length=40, pattern=r"^(N|H|J|F)\.[0-9A-Za-z.()-]+$")
    unit: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Term[T]:
        if self.until is not None and self.until < self.since:
            raise ValueError(f"a term until {self.until} cannot start on {self.since}")
        return self

    def holds_on(self, day: date) -> bool:
        """Whether the term is in force on `day`."""
        return self.since <= day and (self.until is None or day <= self.until)


class Schedule(RootModel[list[Term[T]]], Generic[T]):
    """The terms of one number over time: in order, never two on the same day."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _disjoint(self) -> Schedule[T]:
        if not self.root:
            raise ValueError("a schedule needs at least one term")
        for earlier, later in itertools.pairwise(self.root):
            if earlier.until is None or earlier.until >= later.since:
                raise ValueError(f"the terms since {earlier.since} and {later.since} overlap")
        return self

    def term_on(self, day: date) -> Term[T]:
        """The term in force on `day`.

        Raises:
            NoTermInForce: when none is.
        """
        found = self.find(day)
        if found is None:
            raise NoTermInForce(f"nothing is in force on {day}")
        return found

    def find(self, day: date) -> Term[T] | None:
        """The term in force on `day`, or None."""
        return next((term for term in self.root if term.holds_on(day)), None)

    def on(self, day: date) -> T:
        """The value in force on `day`."""
        return self.term_on(day).value


class Section(BaseModel):
    """A group of schedules, for instance everything about rewards."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def snapshot(self, day: date) -> dict[str, Any]:
        """Every term of the section in force on `day`, as JSON values, to freeze with a result."""
        frozen: dict[str, Any] = {}
        for name in type(self).model_fields:
            term = getattr(self, name).find(day)
            if term is not None:
                frozen[name] = term.model_dump(mode="json", exclude_defaults=True)
        return frozen
