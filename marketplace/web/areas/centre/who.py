"""Whose pages these are, and the choices that several of them offer."""

from collections.abc import Sequence

from marketplace.parties.roles import Role
from marketplace.web.words import Speech, label
from marketplace.web.words.regions import REGIONS

OVERSEERS = (Role.ADMINISTRATOR, Role.VOUCHER_OFFICER, Role.EVALUATOR, Role.AUDITOR, Role.REGULATOR)
READS_VOUCHERS = (
    Role.VOUCHER_OFFICER,
    Role.FINANCE_CHECKER,
    Role.AUDITOR,
    Role.REGULATOR,
)
"""Who reads everybody's applications and vouchers: as the API has it."""


def named(speech: Speech, group: str, values: Sequence[str]) -> list[tuple[str, str]]:
    """The choices of a list: each value with its name."""
    names = [(value, label(group, value)) for value in values]
    return [(str(value), speech.either(name.chinese, name.english)) for value, name in names]


def region_choices(speech: Speech) -> list[tuple[str, str]]:
    """Places to choose from."""
    return [(code, speech.either(it.chinese, it.english)) for code, it in REGIONS.items()]
