"""The refusals of qualifications and training."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Forbidden, Refused


class QualificationStands(Conflict):
    """The person is qualified for the instrument already: extend what they have."""

    code = "qualification-stands"
    title = "This person has a qualification for the instrument"
    constraint = "qualification_stands"


class QualificationToOneself(Forbidden):
    """Nobody qualifies themselves, nor takes their own qualification away."""

    code = "qualification-to-oneself"
    title = "Another person decides your qualification"
    constraint = "qualification_by_another"


class QualificationEnded(Conflict):
    """The qualification was revoked and does not come back; grant a new one."""

    code = "qualification-ended"
    title = "This qualification was revoked"


class QualificationRefused(Refused):
    """The qualification would end before it begins."""

    code = "qualification-refused"
    title = "The qualification is not possible"


class TrainingOpen(Conflict):
    """The person asked for this training already and has no answer yet."""

    code = "training-open"
    title = "There is an open request for this training"
    constraint = "training_request_open"


class TrainingNotInState(Conflict):
    """The request has moved on: this step does not follow from the state it is in."""

    code = "training-state"
    title = "The training request is in another state"


class TrainingRefused(Refused):
    """The date, the trainer or the answer does not fit; every reason is listed."""

    code = "training-refused"
    title = "The training is not possible like that"


class TrainingOfOneself(Forbidden):
    """Nobody trains themselves, nor decides their own request."""

    code = "training-of-oneself"
    title = "Another person trains you"
    constraint = "training_request_by_another"
