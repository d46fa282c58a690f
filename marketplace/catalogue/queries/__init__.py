"""Which instruments there are, when they are open, and how they are found."""

from marketplace.catalogue.queries.closures import ClosureSearch, closures, closures_page
from marketplace.catalogue.queries.holdings import (
    Holdings,
    Totals,
    holdings,
    totals,
    worth_at_least,
)
from marketplace.catalogue.queries.imports import ImportBatches, import_batch, import_batches
from marketplace.catalogue.queries.instruments import (
    LateListings,
    OwnInstruments,
    export_csv,
    instrument,
    instruments,
    late_listings,
    opening_hours,
    opening_hours_of,
    own_instrument,
    own_instruments,
    visible_instrument,
)
from marketplace.catalogue.queries.machines import MACHINES
from marketplace.catalogue.queries.rows import (
    Closure,
    Facets,
    FacetValue,
    ImportBatch,
    Instrument,
    InstrumentHit,
    SearchHits,
)
from marketplace.catalogue.queries.search import HITS_MAX, InstrumentSearch, search
from marketplace.catalogue.rules.categories import middle_class
from marketplace.catalogue.rules.opening import ClosureKind, OpeningHours
from marketplace.catalogue.rules.states import ShareMode

__all__ = [
    "HITS_MAX",
    "MACHINES",
    "Closure",
    "ClosureKind",
    "ClosureSearch",
    "FacetValue",
    "Facets",
    "Holdings",
    "ImportBatch",
    "ImportBatches",
    "Instrument",
    "InstrumentHit",
    "InstrumentSearch",
    "LateListings",
    "OpeningHours",
    "OwnInstruments",
    "SearchHits",
    "ShareMode",
    "Totals",
    "closures",
    "closures_page",
    "export_csv",
    "holdings",
    "import_batch",
    "import_batches",
    "instrument",
    "instruments",
    "late_listings",
    "middle_class",
    "opening_hours",
    "opening_hours_of",
    "own_instrument",
    "own_instruments",
    "search",
    "totals",
    "visible_instrument",
    "worth_at_least",
]
