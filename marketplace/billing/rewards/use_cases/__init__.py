"""Noting grades, drafting runs, approving or discarding them."""

from marketplace.billing.rewards.rules.states import RecoverySource, RunStatus
from marketplace.billing.rewards.rules.uses import Use
from marketplace.billing.rewards.use_cases.approval import (
    ApproveRun,
    DiscardRun,
    approve_run,
    discard_run,
)
from marketplace.billing.rewards.use_cases.clawbacks import (
    DecideClawback,
    ProposeClawback,
    RecoverClawback,
    decide_clawback,
    overpaid_of_year,
    propose_clawback,
    recover_clawback,
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
from marketplace.billing.rewards.use_cases.uses import (
    AttachEvidence,
    DecideUseReport,
    DownloadEvidence,
    FileUseReport,
    attach_evidence,
    decide_use_report,
    download_evidence,
    file_use_report,
)

__all__ = [
    "AnswerObjection",
    "ApproveRun",
    "AttachEvidence",
    "DecideClawback",
    "DecideUseReport",
    "DiscardRun",
    "DownloadEvidence",
    "DraftRun",
    "FileObjection",
    "FileUseReport",
    "Grade",
    "NoteGrade",
    "ProposeClawback",
    "PublishRun",
    "RecoverClawback",
    "RecoverySource",
    "RunStatus",
    "Use",
    "answer_objection",
    "approve_run",
    "attach_evidence",
    "decide_clawback",
    "decide_use_report",
    "discard_run",
    "download_evidence",
    "draft_run",
    "file_objection",
    "file_use_report",
    "note_grade",
    "note_grades",
    "overpaid_of_year",
    "propose_clawback",
    "publish_run",
    "recover_clawback",
]
