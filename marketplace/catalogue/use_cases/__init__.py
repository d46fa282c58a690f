"""What may be done with instruments: register, change, list, withdraw, open, close, import."""

from marketplace.catalogue.use_cases.imports import (
    ImportInstruments,
    ImportProgress,
    ImportReport,
    import_file,
    import_instruments,
)
from marketplace.catalogue.use_cases.instruments import (
    ChangeInstrument,
    ListInstrument,
    RegisterInstrument,
    WithdrawInstrument,
    change_instrument,
    list_instrument,
    register_instrument,
    withdraw_instrument,
)
from marketplace.catalogue.use_cases.opening import (
    CloseInstrument,
    ReopenInstrument,
    SetOpeningHours,
    close_instrument,
    reopen_instrument,
    set_opening_hours,
)

__all__ = [
    "ChangeInstrument",
    "CloseInstrument",
    "ImportInstruments",
    "ImportProgress",
    "ImportReport",
    "ListInstrument",
    "RegisterInstrument",
    "ReopenInstrument",
    "SetOpeningHours",
    "WithdrawInstrument",
    "change_instrument",
    "close_instrument",
    "import_file",
    "import_instruments",
    "list_instrument",
    "register_instrument",
    "reopen_instrument",
    "set_opening_hours",
    "withdraw_instrument",
]
