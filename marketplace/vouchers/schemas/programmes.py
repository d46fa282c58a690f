"""Versions of programmes and dry runs, as they are asked for and told."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec

from marketplace.kernel.wire import Id, In, Line, Out, PositiveFen, Why, Word, Year
from marketplace.vouchers.queries import LayerChange, ProgrammeVersion, TermCompared
from marketplace.vouchers.queries.dry_runs import DryRunRow, StoredDryRun
from marketplace.vouchers.rules.layer_changes import LayerAdded, LayerChanged
from marketplace.vouchers.schemas.requests import RegionCode
from marketplace.vouchers.use_cases import AskDryRun, DraftVersion, LayersAsked, TermGiven

Dimension = Literal[
    "size",
    "region",
    "service_kind",
    "provider",
    "layer",
    "let_in_size",
    "let_in_region",
    "let_in_service_kind",
    "let_in_provider",
    "let_in_layer",
    "let_in_unknown",
]
DryRunStatus = Literal["waiting", "running", "done", "failed"]
VersionNumber = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
TERMS_MAX = 40


class TermIn(In):
    """A term's new value with the clause that says so; null takes an optional term away."""

    value: Any
    source: Line
    note: Line = ""


Changes = Annotated[dict[Word, TermIn], msgspec.Meta(min_length=1, max_length=TERMS_MAX)]
LAYERS_MAX = 50
Share = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
"""A layer's part of the service value, in basis points."""
Funder = Literal["province", "city", "zone"]


class LayerChangedIn(In):
    """Another budget or another share of a layer; null: as it is."""

    layer_id: Id
    budget_fen: PositiveFen | None = None
    ratio_basis_points: Share | None = None


class LayerAddedIn(In):
    """A layer that the programme did not have."""

    funder: Funder
    region_code: RegionCode
    ratio_basis_points: Share
    budget_fen: PositiveFen
    name: Line = ""
    budget_year: Year | None = None


def _given(changes: dict[str, TermIn]) -> dict[str, TermGiven]:
    return {name: TermGiven(each.value, each.source, each.note) for name, each in changes.items()}


class VersionIn(In):
    """What changes of a programme's terms and layers, from which day on, and why."""

    starts_on: date
    reason: Why
    changes: Annotated[dict[Word, TermIn], msgspec.Meta(max_length=TERMS_MAX)] = msgspec.field(
        default_factory=dict
    )
    layers: Annotated[list[LayerChangedIn], msgspec.Meta(max_length=LAYERS_MAX)] = msgspec.field(
        default_factory=list
    )
    new_layers: Annotated[list[LayerAddedIn], msgspec.Meta(max_length=LAYERS_MAX)] = msgspec.field(
        default_factory=list
    )

    def to_command(self, programme_id: int) -> DraftVersion:
        """The version that is drafted."""
        layers = LayersAsked(
            [LayerChanged(**msgspec.structs.asdict(each)) for each in self.layers],
            [LayerAdded(**msgspec.structs.asdict(each)) for each in self.new_layers],
        )
        return DraftVersion(programme_id, self.starts_on, self.reason, _given(self.changes), layers)


class LayerChangeOut(Out):
    """What a version changes of a layer; a new one has no id before the version is approved."""

    id: int
    layer_id: int | None
    is_new: bool
    funder: str | None
    region_code: str | None
    name: str
    budget_year: int | None
    ratio_basis_points: int | None
    budget_fen: int | None
    budget_before_fen: int | None

    @classmethod
    def of(cls, row: LayerChange) -> "LayerChangeOut":
        """The answer for a layer."""
        return cls.like(row)


class VersionOut(Out):
    """Changed terms of a programme, from a day on."""

    id: int
    programme_id: int
    version: int
    terms: dict[str, Any]
    starts_on: date
    reason: str
    status: str
    made_by: int
    made_at: datetime
    approved_by: int | None
    approved_at: datetime | None

    @classmethod
    def of(cls, row: ProgrammeVersion) -> "VersionOut":
        """The answer for a version."""
        return cls.like(row)


class TermComparedOut(Out):
    """A term that two versions say differently; null: a version that says nothing of it."""

    term: str
    first: dict[str, Any] | None
    second: dict[str, Any] | None

    @classmethod
    def of(cls, row: TermCompared) -> "TermComparedOut":
        """The answer for a term."""
        return cls.like(row)


class DryRunIn(In):
    """What would change of the terms in force, over the orders redeemed between two days."""

    changes: Changes
    from_on: date | None = None
    until_on: date | None = None

    def to_command(self, programme_id: int) -> AskDryRun:
        """The dry run that is asked for."""
        return AskDryRun(programme_id, _given(self.changes), self.from_on, self.until_on)


class DryRunOut(Out):
    """A dry run with how far it is: `done` of `orders`; its summary once it is done."""

    id: int
    programme_id: int
    changes: dict[str, Any]
    from_on: date
    until_on: date
    status: str
    orders: int
    done: int
    summary: dict[str, Any] | None
    reason: str
    asked_by: int
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, row: StoredDryRun) -> "DryRunOut":
        """The answer for a dry run."""
        return cls.like(row)


class DryRunRowOut(Out):
    """One row of the before and after table."""

    dimension: str
    key: str
    label: str
    orders: int
    service_value_fen: int
    orders_before: int
    orders_after: int
    before_fen: int
    after_fen: int

    @classmethod
    def of(cls, row: DryRunRow) -> "DryRunRowOut":
        """The answer for a row."""
        return cls.like(row)
