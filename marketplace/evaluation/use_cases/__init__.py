"""What is done in a yearly evaluation: one verb a command."""

from marketplace.evaluation.use_cases.drafting import (
    DraftAssessments,
    Drafted,
    GiveScore,
    SetVeto,
    draft_assessments,
    give_score,
    set_veto,
)
from marketplace.evaluation.use_cases.publishing import (
    AnswerObjection,
    FileObjection,
    FinaliseAssessments,
    PublishAssessments,
    YearStep,
    answer_objection,
    file_objection,
    finalise_assessments,
    publish_assessments,
)

__all__ = [
    "AnswerObjection",
    "DraftAssessments",
    "Drafted",
    "FileObjection",
    "FinaliseAssessments",
    "GiveScore",
    "PublishAssessments",
    "SetVeto",
    "YearStep",
    "answer_objection",
    "draft_assessments",
    "file_objection",
    "finalise_assessments",
    "give_score",
    "publish_assessments",
    "set_veto",
]
