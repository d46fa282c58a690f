"""What is done with statements, their lines, and periods: one verb a command."""

from marketplace.billing.reconciliation.rules.states import MatchKind
from marketplace.billing.reconciliation.use_cases.clearing import (
    ClearLines,
    UndoClearing,
    clear_lines,
    undo_clearing,
)
from marketplace.billing.reconciliation.use_cases.explaining import (
    MatchLine,
    UndoMatch,
    match_line,
    undo_match,
)
from marketplace.billing.reconciliation.use_cases.importing import (
    ImportStatement,
    import_statement,
)
from marketplace.billing.reconciliation.use_cases.matching import (
    MatchReport,
    MatchStatement,
    match_statement,
)
from marketplace.billing.reconciliation.use_cases.previewing import (
    Preview,
    PreviewStatement,
    preview_statement,
)
from marketplace.billing.reconciliation.use_cases.proposing import (
    MatchOpen,
    OpenReport,
    Suggestions,
    match_open,
    suggestions,
)
from marketplace.billing.reconciliation.use_cases.reading import STATEMENT_BYTES_MAX
from marketplace.billing.reconciliation.use_cases.signing import (
    ApproveSignOff,
    DraftSignOff,
    approve_sign_off,
    draft_sign_off,
)

__all__ = [
    "STATEMENT_BYTES_MAX",
    "ApproveSignOff",
    "ClearLines",
    "DraftSignOff",
    "ImportStatement",
    "MatchKind",
    "MatchLine",
    "MatchOpen",
    "MatchReport",
    "MatchStatement",
    "OpenReport",
    "Preview",
    "PreviewStatement",
    "Suggestions",
    "UndoClearing",
    "UndoMatch",
    "approve_sign_off",
    "clear_lines",
    "draft_sign_off",
    "import_statement",
    "match_line",
    "match_open",
    "match_statement",
    "preview_statement",
    "suggestions",
    "undo_clearing",
    "undo_match",
]
