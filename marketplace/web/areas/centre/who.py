"""Whose pages these are."""

from marketplace.parties.roles import Role

OVERSEERS = (Role.ADMINISTRATOR, Role.VOUCHER_OFFICER, Role.EVALUATOR, Role.AUDITOR, Role.REGULATOR)
