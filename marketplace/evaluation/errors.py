"""Refusals about assessments."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Missing, Refused


class AssessmentMissing(Missing):
    """No such assessment, or none that you may see yet."""

    code = "assessment-not-found"
    title = "No such assessment"


class ObjectionMissing(Missing):
    """No such objection."""

    code = "objection-not-found"
    title = "No such objection"


class NothingToAssess(Refused):
    """There is nothing in the state that this step needs."""

    code = "nothing-to-assess"
    title = "There is no assessment for this step"


class AssessmentPublished(Conflict):
    """What is published is not scored or drafted again."""

    code = "assessment-published"
    title = "The assessment is published already"


class ObjectionsClosed(Conflict):
    """Objections are taken while the notice runs, and answered once."""

    code = "objections-closed"
    title = "This objection cannot be taken now"


class OwnAssessment(Refused):
    """The person who drafted the assessments may not finalise them."""

    code = "assessment-self-finalised"
    title = "Somebody else has to finalise these assessments"
    constraint = "assessment_two_persons"
