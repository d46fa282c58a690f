"""What rewards refuse."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Missing, Refused


class RunMissing(Missing):
    """There is no such run, or none that the caller may see."""

    code = "reward-run-missing"
    title = "No such reward run"


class ThroughRefused(Refused):
    """A run cannot be drawn up through that day."""

    code = "reward-through"
    title = "No run can be drawn up through that day"


class TermsMissing(Refused):
    """The rulebook says nothing about rewards on that day."""

    code = "reward-terms-missing"
    title = "No reward terms are in force on that day"


class DraftOpen(Conflict):
    """The year has a draft: two of them would both pay what is open."""

    code = "reward-draft-open"
    title = "Approve or discard the other draft of this year first"
    constraint = "reward_run_one_draft"


class DraftedAtOnce(Conflict):
    """Somebody drafted a run of the same year at the same moment."""

    code = "reward-drafted-at-once"
    title = "Another run of this year was drafted at the same moment"
    constraint = "reward_run_sequence"


class RunNotDraft(Conflict):
    """The run was approved or discarded before."""

    code = "reward-run-not-draft"
    title = "The run is not a draft any more"


class SecondPersonNeeded(Refused):
    """Whoever drew up a run does not approve it."""

    code = "reward-second-person"
    title = "Another person approves"
    constraint = "reward_run_second_person"


class RunOutdated(Conflict):
    """Services, grades or payments have changed since the run was drafted."""

    code = "reward-run-outdated"
    title = "The run is out of date; discard it and draft it again"


class RunDisagrees(Conflict):
    """A share is not what the rules give for its own figures."""

    code = "reward-run-disagrees"
    title = "A share does not agree with the rules"


class RewardCapPassed(Conflict):
    """A legal entity would be paid more in the year than its cap."""

    code = "reward-cap-passed"
    title = "The cap of a legal entity would be passed"
    constraint = "reward_year_cap"
