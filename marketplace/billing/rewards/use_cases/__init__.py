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
from marketplace.billing.rewards.use_cases.notices import (
    AnswerObjection,
    FileObjection,
    PublishRun,
    answer_objection,
    file_objection,
    publish_run,
)

__all__ = [
    "AnswerObjection",
    "ApproveRun",
    "DiscardRun",
    "DraftRun",
    "FileObjection",
    "Grade",
    "NoteGrade",
    "PublishRun",
    "RunStatus",
    "answer_objection",
    "approve_run",
    "discard_run",
    "draft_run",
    "file_objection",
    "note_grade",
    "note_grades",
    "publish_run",
]
