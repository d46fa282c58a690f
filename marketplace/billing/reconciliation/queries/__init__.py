"""Reads of statements, their lines and what they were matched to, and of how the books stand."""

from marketplace.billing.reconciliation.queries.balancing import (
    AccountBalance,
    Aged,
    Balancing,
    BalancingAsked,
    Unexplained,
    balancing,
    unexplained,
)
from marketplace.billing.reconciliation.queries.cases import (
    CaseSearch,
    LineAttachment,
    OpenCase,
    attachments_of,
    open_cases,
)
from marketplace.billing.reconciliation.queries.clearings import (
    Clearing,
    ClearingItem,
    clearing_by_id,
    open_lines_by_id,
)
from marketplace.billing.reconciliation.queries.lines import (
    LineSearch,
    StatementLine,
    alike_lines,
    line_by_id,
    open_line,
    open_lines,
    statement_lines,
)
from marketplace.billing.reconciliation.queries.proposals import (
    Proposal,
    Within,
    found_by_stage,
    proposals,
    propose,
)
from marketplace.billing.reconciliation.queries.sign_offs import (
    SignOff,
    sign_off_by_id,
    sign_offs,
)
from marketplace.billing.reconciliation.queries.statements import (
    BankStatement,
    StatementSearch,
    known_bookings,
    known_file,
    known_identities,
    last_statement,
    statement_by_id,
    statements,
)

__all__ = [
    "AccountBalance",
    "Aged",
    "Balancing",
    "BalancingAsked",
    "BankStatement",
    "CaseSearch",
    "Clearing",
    "ClearingItem",
    "LineAttachment",
    "LineSearch",
    "OpenCase",
    "Proposal",
    "SignOff",
    "StatementLine",
    "StatementSearch",
    "Unexplained",
    "Within",
    "alike_lines",
    "attachments_of",
    "balancing",
    "clearing_by_id",
    "found_by_stage",
    "known_bookings",
    "known_file",
    "known_identities",
    "last_statement",
    "line_by_id",
    "open_cases",
    "open_line",
    "open_lines",
    "open_lines_by_id",
    "proposals",
    "propose",
    "sign_off_by_id",
    "sign_offs",
    "statement_by_id",
    "statement_lines",
    "statements",
    "unexplained",
]
