"""The kinds of legal entities and organisations."""

from enum import StrEnum


class OrganisationKind(StrEnum):
    """What an organisation is on the platform; its roles follow from it."""

    PLATFORM = "platform"
    """The platform itself, acting in jobs; nobody is a member."""
    CENTRE = "centre"
    """The centre that runs the platform: vouchers, finance, evaluation, administration."""
    PROVIDER = "provider"
    """A unit that opens its instruments; several may belong to one legal entity."""
    SME = "sme"
    """A technology-based small or medium-sized enterprise that buys services."""
    STATION = "station"
    """A regional service station that helps SMEs to order."""
    REGULATOR = "regulator"
    """An authority that reads and does not change."""


class LegalEntityKind(StrEnum):
    """What the register of legal entities says it is."""

    UNIVERSITY = "university"
    INSTITUTE = "institute"
    PUBLIC_INSTITUTION = "public_institution"
    COMPANY = "company"
    SOCIAL_ORGANISATION = "social_organisation"
    GOVERNMENT = "government"


class Capital(StrEnum):
    """Where the capital came from: rewards and the duty to open differ by it."""

    FISCAL = "fiscal"
    """State or public money."""
    SOCIAL = "social"
    """Private money."""
