"""The words of pricing that are stored and sent."""

from __future__ import annotations

from enum import StrEnum


class CostKind(StrEnum):
    """A component of what an instrument costs its unit in a year."""

    CONSUMABLES = "consumables"
    """Gases, reagents, wearing parts."""
    WATER_ELECTRICITY = "water_electricity"
    """What the meters say."""
    LABOUR = "labour"
    """Pay of those who run it."""
    MAINTENANCE = "maintenance"
    """Repairs, service contracts, calibration."""
    DEPRECIATION = "depreciation"
    """The purchase spread over its life; only where the rulebook allows it."""
    OTHER = "other"
    """Rooms, tax, whatever the unit can show."""


class CustomerClass(StrEnum):
    """Who is buying."""

    OWN_UNIT = "own_unit"
    """A group of the unit itself."""
    ACADEMIC = "academic"
    """A university or an institute."""
    SME = "sme"
    """A technology SME with a profile of the year."""
    ENTERPRISE = "enterprise"
    """Any other company."""


class Unit(StrEnum):
    """What is counted."""

    HOUR = "hour"
    SAMPLE = "sample"


class Mode(StrEnum):
    """How the service is given."""

    MACHINE_TIME = "machine_time"
    """The customer books hours on the instrument."""
    SAMPLES = "samples"
    """The customer sends samples in."""

    @property
    def unit(self) -> Unit:
        """The unit in which the mode is priced."""
        return Unit.HOUR if self is Mode.MACHINE_TIME else Unit.SAMPLE
