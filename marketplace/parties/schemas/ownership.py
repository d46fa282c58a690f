"""What the API reads and says of who holds whom."""

from datetime import date
from typing import Annotated

import msgspec

from marketplace.kernel.wire import In, Out
from marketplace.parties.queries import ControllingGroup, Ownership
from marketplace.parties.rules.ownership import Holding, Step, Way
from marketplace.parties.rules.shareholding import DatedShareholding
from marketplace.parties.use_cases import SetContact

Address = Annotated[str, msgspec.Meta(max_length=300, pattern=r"^[^\x00-\x1f]*$")]
Telephone = Annotated[str, msgspec.Meta(pattern=r"^[0-9+() -]{0,40}$")]
Source = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f]*$")]


class ContactIn(In):
    """Where a legal entity sits and how it is reached."""

    address: Address
    phone: Telephone

    def to_command(self, legal_entity_id: int) -> SetContact:
        """The replacement."""
        return SetContact(legal_entity_id, self.address, self.phone)


class ShareholdingHistoryOut(Out):
    """A part, from and up to when it was held, and by which source."""

    id: int
    holder: str
    basis_points: int
    valid_from: date
    valid_until: date | None
    source: str
    holder_legal_entity_id: int | None

    @classmethod
    def of(cls, row: DatedShareholding) -> "ShareholdingHistoryOut":
        """From the row."""
        return cls(
            id=row.id,
            holder=row.holder,
            basis_points=row.basis_points,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            source=row.source,
            holder_legal_entity_id=row.holder_id,
        )


class StepOut(Out):
    """One holding on a way."""

    shareholding_id: int
    holder: str
    held: str
    basis_points: int

    @classmethod
    def of(cls, step: Step) -> "StepOut":
        """From the step."""
        return cls(
            shareholding_id=step.shareholding_id,
            holder=step.holder,
            held=step.held,
            basis_points=step.basis_points,
        )


class HoldingOut(Out):
    """A holder, what it holds over every way, and the ways, from the holder down."""

    holder: str
    basis_points: int
    controls: bool
    told: str
    ways: list[list[StepOut]]

    @classmethod
    def of(cls, held: Holding, control_basis_points: int) -> "HoldingOut":
        """From what was found."""
        return cls(
            holder=held.holder,
            basis_points=held.basis_points,
            controls=held.share * 10_000 >= control_basis_points,
            told=held.told(),
            ways=[_steps(way) for way in held.ways],
        )


def _steps(way: Way) -> list[StepOut]:
    return [StepOut.of(step) for step in reversed(way.steps)]


class OwnershipOut(Out):
    """Everybody who holds a legal entity on a day, the largest part first."""

    legal_entity_id: int
    name: str
    on: date
    control_basis_points: int
    holdings: list[HoldingOut]

    @classmethod
    def of(cls, found: Ownership) -> "OwnershipOut":
        """From what was found."""
        return cls(
            legal_entity_id=found.legal_entity.id,
            name=found.legal_entity.name,
            on=found.on,
            control_basis_points=found.control_basis_points,
            holdings=[HoldingOut.of(held, found.control_basis_points) for held in found.holdings],
        )


class ControllingGroupOut(Out):
    """The legal entities under one control, and who controls whom."""

    group_id: int
    legal_entity_ids: list[int]
    because: list[str]

    @classmethod
    def of(cls, found: ControllingGroup) -> "ControllingGroupOut":
        """From what was found."""
        return cls(
            group_id=found.id,
            legal_entity_ids=list(found.legal_entity_ids),
            because=list(found.because),
        )
