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
    """The purchase spread over its life; only where the instrument's funds allow it."""
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
    """What is counted, and priced."""

    HOUR = "hour"
    """Billable minutes, at a price per hour."""
    DAY = "day"
    """Started days of 24 hours."""
    SESSION = "session"
    """One booking, however long."""
    SAMPLE = "sample"
    """A sample tested."""
    ELEMENT = "element"
    """An element or component determined in one sample."""
    RUN = "run"
    """A run of the instrument, with as many samples as go in."""


class Mode(StrEnum):
    """How the service is given."""

    MACHINE_TIME = "machine_time"
    """The customer books hours on the instrument."""
    SAMPLES = "samples"
    """The customer sends samples in."""

    @property
    def units(self) -> tuple[Unit, ...]:
        """The units in which the mode can be priced."""
        if self is Mode.MACHINE_TIME:
            return (Unit.HOUR, Unit.DAY, Unit.SESSION)
        return (Unit.SAMPLE, Unit.ELEMENT, Unit.RUN)


class ExtraKind(StrEnum):
    """What a service may need beside the instrument."""

    STAFF_HELP = "staff_help"
    """A person of the unit who prepares, operates or evaluates."""
    CONSUMABLE = "consumable"
    """Material used up for the customer."""
    OTHER = "other"
    """Anything else whose cost the unit can show."""
