"""Noting grades, drafting runs, approving or discarding them."""

from marketplace.billing.rewards.rules.states import RunStatus
from marketplace.billing.rewards.use_cases.approval import (
    ApproveRun,
    DiscardRun,
    approve_run,
    discard_run,
)
from marketplace.billing.rewards.use_cases.drafting import DraftRun, draft_run
from marketplace.billing.rewards.use_cases.grades import Grade, NoteGrade, note_grade, note_grades

__all__ = [
    "ApproveRun",
    "DiscardRun",
    "DraftRun",
    "Grade",
    "NoteGrade",
    "RunStatus",
    "approve_run",
    "discard_run",
    "draft_run",
    "note_grade",
    "note_grades",
]
