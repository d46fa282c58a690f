"""What the API takes and answers about sanctions."""

from datetime import date, datetime

from marketplace.kernel.wire import Id, In, Out
from marketplace.vouchers.queries.sanctions import Sanction
from marketplace.vouchers.rules.states import SanctionKind
from marketplace.vouchers.schemas.requests import Told
from marketplace.vouchers.use_cases.sanctions import ProposeSanction


class SanctionIn(In):
    """A sanction as it is proposed."""

    organisation_id: Id
    kind: SanctionKind
    reason: Told
    starts_on: date
    ends_on: date | None = None
    programme_id: Id | None = None

    def to_command(self) -> ProposeSanction:
        """The sanction that is proposed."""
        return ProposeSanction(
            self.organisation_id,
            self.kind,
            self.reason,
            self.starts_on,
            self.ends_on,
            self.programme_id,
        )


class StatementIn(In):
    """What the party says."""

    statement: Told


class SanctionOut(Out):
    """A sanction and how far it has come."""

    id: int
    organisation_id: int
    programme_id: int | None
    kind: str
    reason: str
    starts_on: date
    ends_on: date | None
    status: str
    proposed_by: int
    proposed_at: datetime
    statement_due_on: date
    statement: str | None
    stated_at: datetime | None
    decided_by: int | None
    decided_at: datetime | None
    decision: str
    appeal_due_on: date | None
    appeal: str | None
    appealed_at: datetime | None
    appeal_decided_by: int | None
    appeal_decided_at: datetime | None
    appeal_answer: str | None

    @classmethod
    def of(cls, row: Sanction) -> "SanctionOut":
        """The answer for a sanction."""
        return cls.like(row)
