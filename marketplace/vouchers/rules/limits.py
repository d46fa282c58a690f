"""The parts that a programme's terms are made of: who, what, how much, when, with what else.

Every part is neutral by default, so that terms that say nothing of it change nothing.

Policy: J.22a, J.22b
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

STRICT = ConfigDict(extra="forbid")

Funder = Literal["province", "city", "zone"]
Fen = Annotated[int, Field(ge=0, le=10**15)]
BasisPoints = Annotated[int, Field(ge=0, le=10_000)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Few = Annotated[int, Field(ge=1, le=100)]
Region = Annotated[str, Field(pattern="^[0-9]{6}$")]
Category = Annotated[str, Field(pattern="^[0-9]{2}([0-9]{2}){0,2}$")]
"""A class of instruments, or the beginning of its code: `01` has `0102`, which has `010203`."""
Word = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,59}$")]
# PostgreSQL text holds no NUL; the pattern also keeps other control characters out.
NO_CONTROLS = r"^[^\x00-\x1f]*$"
Clause = Annotated[str, Field(max_length=300, pattern=NO_CONTROLS)]

TECHNOLOGY_SME = "technology-sme"
"""A company with this year's number in the national base of technology SMEs."""


class CapScope(StrEnum):
    """What the money is added up over before it meets a cap."""

    ORDER = "order"
    PERSON = "person"
    """Each person that an order trains."""
    APPLICATION = "application"
    """What one application may ask for."""
    GRANT = "grant"
    HELD = "held"
    """What one SME may hold unspent at a time."""
    SME_YEAR = "sme-year"
    GROUP_YEAR = "group-year"
    """All companies of one controlling group."""
    INSTRUMENT_YEAR = "instrument-year"


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so much; empty conditions hold for everybody, `funder` None for all layers."""

    scope: CapScope
    amount_fen: Fen
    funder: Funder | None = None
    beneficiaries: frozenset[Word] = frozenset()
    first_use: bool | None = None
    service_kinds: frozenset[Word] = frozenset()
    """Of a cap per order or person: the kinds of service that it is for; empty: every kind."""
    source: Clause = ""

    __pydantic_config__ = STRICT

    def holds_for(self, beneficiary: str, *, first_use: bool) -> bool:
        """Whether the cap is one for this buyer."""
        return (not self.beneficiaries or beneficiary in self.beneficiaries) and (
            self.first_use is None or self.first_use == first_use
        )


@dataclass(frozen=True, slots=True)
class Rate:
    """A ratio that takes the place of a layer's own where every condition is met."""

    ratio_basis_points: BasisPoints
    funder: Funder | None = None
    service_kinds: frozenset[Word] = frozenset()
    buyer_regions: tuple[Region, ...] = ()
    provider_regions: tuple[Region, ...] = ()
    beneficiaries: frozenset[Word] = frozenset()
    first_use: bool | None = None
    source: Clause = ""

    __pydantic_config__ = STRICT


@dataclass(frozen=True, slots=True)
class Beneficiary:
    """One kind of buyer that may have a voucher; who meets one of them is eligible.

    None and empty: not asked for. Every certificate named has to be valid on the day.
    """

    kind: Word
    entity: Literal["company", "team"] = "company"
    registration_number: bool = False
    certificates: frozenset[Word] = frozenset()
    staff_max: Count | None = None
    sales_max_fen: Fen | None = None
    assets_max_fen: Fen | None = None
    capital_max_fen: Fen | None = None
    founded_from: date | None = None
    incubated_months_max: Count | None = None
    members_min: Count | None = None
    source: Clause = ""

    __pydantic_config__ = STRICT


@dataclass(frozen=True, slots=True)
class Window:
    """From one day to another, both of them included."""

    opens_on: date
    closes_on: date
    source: Clause = ""

    __pydantic_config__ = STRICT

    def holds_on(self, day: date) -> bool:
        """Whether the day lies in the window."""
        return self.opens_on <= day <= self.closes_on


@dataclass(frozen=True, slots=True)
class Preference:
    """Whose turn it is before others that wait: who meets every condition on the day."""

    founded_from: date | None = None
    certificates: frozenset[Word] = frozenset()
    source: Clause = ""

    __pydantic_config__ = STRICT


@dataclass(frozen=True, slots=True)
class Batch:
    """A round of applications, with what it may grant at most if that is limited."""

    number: Few
    opens_on: date
    closes_on: date
    amount_fen: Fen | None = None
    source: Clause = ""

    __pydantic_config__ = STRICT

    def holds_on(self, day: date) -> bool:
        """Whether applications of this round are taken on the day."""
        return self.opens_on <= day <= self.closes_on


@dataclass(frozen=True, slots=True)
class Stacking:
    """What else may pay for the same service.

    Whatever is agreed here, no layer pays what another paid and nothing pays more than the price.
    """

    excludes_programmes: frozenset[Word] = frozenset()
    """Codes of programmes whose vouchers may not pay for the same order."""
    excludes_funders: frozenset[Funder] = frozenset()
    """Funders that may not pay for the same order by another programme."""
    exclusive_layers: tuple[frozenset[Funder], ...] = ()
    """Layers of this programme that exclude each other: the one that pays most pays."""
    on_rest: bool = False
    """The ratio applies to what other programmes left to pay, not to the whole price."""
    deduct_times: Annotated[int, Field(ge=0, le=10)] = 0
    """How many times what other programmes pay is taken off this one's part."""
    together_max_basis_points: BasisPoints = 10_000
    """What all programmes together may pay of the price."""

    __pydantic_config__ = STRICT


ALONE = Stacking()
"""Nothing is excluded, and nothing pays more than the price."""


@dataclass(frozen=True, slots=True)
class CostSplit:
    """Who pays when an SME of one region buys from a provider of another: 2 and 1 of 3 parts."""

    home_parts: Few
    host_parts: Few
    without_host: Literal["home-pays-all", "home-pays-its-part"] = "home-pays-all"
    """What the SME's own region pays when the provider's is not in it, or has spent its budget."""

    __pydantic_config__ = STRICT
