"""Whose pages these are, and the choices that several of them offer."""

from marketplace.parties.roles import Role
from marketplace.web.words import Speech
from marketplace.web.words.regions import REGIONS

OVERSEERS = (Role.ADMINISTRATOR, Role.VOUCHER_OFFICER, Role.EVALUATOR, Role.AUDITOR, Role.REGULATOR)
READS_VOUCHERS = (
    Role.VOUCHER_OFFICER,
    Role.FINANCE_CHECKER,
    Role.AUDITOR,
    Role.REGULATOR,
)
"""Who reads everybody's applications and vouchers: as the API has it."""


def region_choices(speech: Speech) -> list[tuple[str, str]]:
    """Places to choose from."""
    return [(code, speech.either(it.chinese, it.english)) for code, it in REGIONS.items()]
