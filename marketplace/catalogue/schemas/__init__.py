"""The catalogue on the wire."""

from marketplace.catalogue.schemas.imports import (
    ImportDetailOut,
    ImportOut,
    LineErrorOut,
    ReportOut,
)
from marketplace.catalogue.schemas.instruments import (
    CategoryOut,
    FacetOut,
    FacetsOut,
    InstrumentHitOut,
    InstrumentIn,
    InstrumentOut,
    NewInstrumentIn,
    SearchOut,
    WithdrawIn,
)
from marketplace.catalogue.schemas.opening import (
    ClosureIn,
    ClosureOut,
    OpeningHoursIn,
    OpeningHoursOut,
    ReopenedOut,
    WeekIn,
    WeekOut,
    closure_window,
)

__all__ = [
    "CategoryOut",
    "ClosureIn",
    "ClosureOut",
    "FacetOut",
    "FacetsOut",
    "ImportDetailOut",
    "ImportOut",
    "InstrumentHitOut",
    "InstrumentIn",
    "InstrumentOut",
    "LineErrorOut",
    "NewInstrumentIn",
    "OpeningHoursIn",
    "OpeningHoursOut",
    "ReopenedOut",
    "ReportOut",
    "SearchOut",
    "WeekIn",
    "WeekOut",
    "WithdrawIn",
    "closure_window",
]
