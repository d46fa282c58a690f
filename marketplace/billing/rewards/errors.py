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


class NoticeNeeded(Refused):
    """The terms of the run ask for a public notice before it is paid."""

    code = "reward-notice-needed"
    title = "Publish the run first: nobody is paid without a notice"
    constraint = "reward_run_notice_given"


class NoticeOpen(Conflict):
    """The notice of the run is not over."""

    code = "reward-notice-open"
    title = "The public notice is not over"
    constraint = "reward_run_notice_over"


class ObjectionsStand(Conflict):
    """An objection to the run is not answered, or was right."""

    code = "reward-objections-stand"
    title = "Objections to the run stand"
    constraint = "reward_run_objections_dismissed"


class NoticeMissing(Missing):
    """No run of this number is in public notice."""

    code = "reward-notice-missing"
    title = "No such notice of rewards"


class NoticeOver(Refused):
    """Objections were taken until the last day of the notice."""

    code = "reward-notice-over"
    title = "The notice is over; objections are not taken any more"


class ObjectionMissing(Missing):
    """There is no such objection to rewards."""

    code = "reward-objection-missing"
    title = "No such objection"


class ObjectionAnswered(Conflict):
    """The objection was answered before, or its run was decided."""

    code = "reward-objection-answered"
    title = "The objection was answered before"


class UseReportMissing(Missing):
    """There is no such report on the use of a reward, or none that the caller may see."""

    code = "reward-use-report-missing"
    title = "No such report on the use of a reward"


class UseReportMoved(Conflict):
    """The report is not in the state that this needs."""

    code = "reward-use-report-moved"
    title = "The report is in another state"
    constraint = "reward_use_filing_undecided"


class UsesRefused(Refused):
    """What a report says does not account for the reward."""

    code = "reward-uses"
    title = "The report does not account for the reward"
    constraint = "reward_use_filing_whole"


class UseEvidenceRefused(Conflict):
    """The report has this very paper, or as many as it may have."""

    code = "reward-use-evidence"
    title = "The paper cannot be added to the report"
    constraint = "reward_use_evidence_once"


class FilerDecides(Refused):
    """Whoever filed a report does not accept it."""

    code = "reward-use-second-person"
    title = "Another person looks at the report"
    constraint = "reward_use_filing_second_person"


class ClawbackMissing(Missing):
    """There is no such clawback, or none that the caller may see."""

    code = "reward-clawback-missing"
    title = "No such clawback of a reward"


class YearOpen(Refused):
    """The year is not closed: the next run takes off what was paid too much."""

    code = "reward-year-open"
    title = "The year is open: the next run takes it off"


class NothingOverpaid(Refused):
    """The legal entity was paid no more than the year comes to."""

    code = "reward-nothing-overpaid"
    title = "The legal entity was not overpaid in that year"


class ClawbackProposed(Conflict):
    """A clawback of the same entity and year waits for its second person."""

    code = "reward-clawback-proposed"
    title = "A clawback of this year is being decided"
    constraint = "reward_clawback_one_proposal"


class ClawbackDecided(Conflict):
    """The clawback was decided before, or is not owed."""

    code = "reward-clawback-decided"
    title = "The clawback is in another state"


class ClawbackSecondPerson(Refused):
    """Whoever proposed a clawback does not decide it."""

    code = "reward-clawback-second-person"
    title = "Another person decides the clawback"
    constraint = "reward_clawback_second_person"


class ClawbackOutdated(Conflict):
    """Services, grades or payments have changed since it was proposed."""

    code = "reward-clawback-outdated"
    title = "The clawback is out of date; reject it and propose it again"


class ClawbackExceedsPaid(Conflict):
    """More would be owed back than was paid."""

    code = "reward-clawback-exceeds-paid"
    title = "More would be owed back than was paid"
    constraint = "reward_clawback_within_paid"


class NothingToRecover(Conflict):
    """Nothing is owed by this provider, or nothing lies there to take it from."""

    code = "reward-nothing-to-recover"
    title = "There is nothing to take"
