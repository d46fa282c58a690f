"""What a person may be in an organisation. Nobody approves what they made."""

from enum import StrEnum


class Role(StrEnum):
    """A role is held through a membership: person × organisation × role."""

    BUYER = "buyer"
    """Finds, orders and accepts services for an SME."""
    SME_ADMINISTRATOR = "sme_administrator"
    """Keeps an SME's profile and members, applies for vouchers."""
    TECHNICIAN = "technician"
    """Runs instruments: opens and closes sessions, delivers results."""
    PROVIDER_MANAGER = "provider_manager"
    """Publishes instruments, prices and hours; answers requests; files claims."""
    FINANCE_MAKER = "finance_maker"
    """Prepares runs, payouts and matches; another person approves them."""
    FINANCE_CHECKER = "finance_checker"
    """Approves what a finance maker prepared."""
    VOUCHER_OFFICER = "voucher_officer"
    """Opens programmes, decides applications, audits claims."""
    EVALUATOR = "evaluator"
    """Runs the yearly evaluation."""
    EXPERT = "expert"
    """Scores in an expert panel."""
    STATION_AGENT = "station_agent"
    """Orders on behalf of SMEs at a regional station."""
    REGULATOR = "regulator"
    """Reads everything of the region, changes nothing."""
    AUDITOR = "auditor"
    """Reads everything, changes nothing."""
    ADMINISTRATOR = "administrator"
    """Registers and verifies parties; grants roles."""


ROLES_BY_ORGANISATION_KIND: dict[str, frozenset[Role]] = {
    "sme": frozenset({Role.BUYER, Role.SME_ADMINISTRATOR}),
    "provider": frozenset({Role.TECHNICIAN, Role.PROVIDER_MANAGER}),
    "centre": frozenset(
        {
            Role.FINANCE_MAKER,
            Role.FINANCE_CHECKER,
            Role.VOUCHER_OFFICER,
            Role.EVALUATOR,
            Role.EXPERT,
            Role.ADMINISTRATOR,
            Role.AUDITOR,
        }
    ),
    "station": frozenset({Role.STATION_AGENT}),
    "regulator": frozenset({Role.REGULATOR, Role.AUDITOR}),
    "platform": frozenset(),
}

SEES_EVERYTHING = (Role.AUDITOR, Role.REGULATOR)
"""Roles that may read what belongs to any organisation."""


class Scope(StrEnum):
    """What a system of an organisation may do with its key; a key holds one or more."""

    READINGS_WRITE = "readings:write"
    """Send what the logs of its instruments say."""
    RESERVATIONS_READ = "reservations:read"
    """Read its reservations, and those on its instruments."""
    AVAILABILITY_READ = "availability:read"
    """Read when instruments are free."""
    CALENDAR_WRITE = "calendar:write"
    """Say when its instruments are taken in a calendar outside the platform."""
