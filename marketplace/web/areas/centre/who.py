"""Whose pages these are."""

from marketplace.parties.roles import Role

OVERSEERS = (Role.ADMINISTRATOR, Role.VOUCHER_OFFICER, Role.EVALUATOR, Role.AUDITOR, Role.REGULATOR)
READS_VOUCHERS = (
    Role.VOUCHER_OFFICER,
    Role.FINANCE_CHECKER,
    Role.AUDITOR,
    Role.REGULATOR,
)
"""Who reads everybody's applications and vouchers: as the API has it."""
