"""What the API of parties reads."""

from datetime import date
from typing import Annotated

import msgspec

from marketplace.kernel.wire import AmountFen, BasisPoints, Id, In, Line, Word
from marketplace.parties.roles import Role
from marketplace.parties.rules.shareholding import Shareholding
from marketplace.parties.rules.states import Capital, LegalEntityKind, OrganisationKind
from marketplace.parties.schemas.ownership import Address, Source, Telephone
from marketplace.parties.use_cases import (
    AddMember,
    ChangePassword,
    FileSmeProfile,
    RegisterLegalEntity,
    RegisterOrganisation,
    RegisterPerson,
    SetShareholdings,
    SignIn,
    SuspendOrganisation,
)

RegionCode = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}$")]
# Longer than a code is, so that the rule can say what is wrong with it.
Uscc = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
Email = Annotated[str, msgspec.Meta(min_length=3, max_length=254)]
Password = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Phone = Annotated[str, msgspec.Meta(pattern=r"^[0-9+() -]{0,30}$")]
Name = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*[^\x00-\x1f\s][^\x00-\x1f]*$"
    ),
]
RefreshToken = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
RegistrationNumber = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z-]{0,40}$")]
Headcount = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class SignInIn(In):
    """Who asks to come in; without `organisation_id` for the first of their organisations."""

    email: Email
    password: Password
    organisation_id: Id | None = None

    def to_command(self) -> SignIn:
        """The attempt."""
        return SignIn(self.email, self.password, self.organisation_id)


class RefreshIn(In):
    """A refresh token, good once; with `organisation_id` to go on in another organisation."""

    refresh_token: RefreshToken
    organisation_id: Id | None = None


class SignOutIn(In):
    """The refresh token whose sign-in shall end."""

    refresh_token: RefreshToken


class PasswordIn(In):
    """A new password, and the present one as proof."""

    present: Password
    new: Password

    def to_command(self, person_id: int) -> ChangePassword:
        """The change."""
        return ChangePassword(person_id, self.present, self.new)


class ShareholdingIn(In):
    """A holder (code of a legal entity or name of a person) and the part held."""

    holder: Name
    basis_points: BasisPoints

    def value(self) -> Shareholding:
        """The rule's own value."""
        return Shareholding(self.holder, self.basis_points)


Shareholdings = Annotated[list[ShareholdingIn], msgspec.Meta(max_length=200)]


class LegalEntityIn(In):
    """A legal entity as its licence or certificate says it."""

    uscc: Uscc
    name: Name
    region_code: RegionCode
    kind: LegalEntityKind
    capital: Capital
    name_en: Line = ""
    legal_representative: Line = ""
    shareholdings: Shareholdings = msgspec.field(default_factory=list)
    held_since: date | None = None
    source: Source = ""
    address: Address = ""
    phone: Telephone = ""

    def to_command(self) -> RegisterLegalEntity:
        """The registration."""
        return RegisterLegalEntity(
            uscc=self.uscc,
            name=self.name,
            region_code=self.region_code,
            kind=self.kind,
            capital=self.capital,
            name_en=self.name_en,
            legal_representative=self.legal_representative,
            shareholdings=tuple(holding.value() for holding in self.shareholdings),
            held_since=self.held_since,
            source=self.source,
            address=self.address,
            phone=self.phone,
        )


class ShareholdingsIn(In):
    """Every holder of a legal entity from a day on (today, unless `since` says another)."""

    shareholdings: Shareholdings
    since: date | None = None
    source: Source = ""

    def to_command(self, legal_entity_id: int) -> SetShareholdings:
        """The replacement."""
        holdings = tuple(holding.value() for holding in self.shareholdings)
        return SetShareholdings(legal_entity_id, holdings, self.since, self.source)


class OrganisationIn(In):
    """A unit of a legal entity that takes part."""

    legal_entity_id: Id
    kind: OrganisationKind
    name: Name
    region_code: RegionCode
    name_en: Line = ""
    is_agency: bool = False

    def to_command(self) -> RegisterOrganisation:
        """The registration."""
        return RegisterOrganisation(
            legal_entity_id=self.legal_entity_id,
            kind=self.kind,
            name=self.name,
            region_code=self.region_code,
            name_en=self.name_en,
            is_agency=self.is_agency,
        )


class SuspensionIn(In):
    """Why an organisation is suspended."""

    reason: Word

    def to_command(self, organisation_id: int) -> SuspendOrganisation:
        """The suspension."""
        return SuspendOrganisation(organisation_id, self.reason)


class PersonIn(In):
    """Somebody who shall be able to sign in."""

    email: Email
    name: Name
    password: Password
    phone: Phone = ""

    def to_command(self) -> RegisterPerson:
        """The registration."""
        return RegisterPerson(self.email, self.name, self.password, self.phone)


class MemberIn(In):
    """A new person and the first role they hold."""

    role: Role
    email: Email
    name: Name
    password: Password
    phone: Phone = ""

    def to_command(self, organisation_id: int) -> AddMember:
        """The registration and the grant."""
        person = RegisterPerson(self.email, self.name, self.password, self.phone)
        return AddMember(organisation_id, self.role, person)


class ProfileIn(In):
    """What an SME says about itself for a year."""

    staff: Headcount
    sales_fen: AmountFen
    assets_fen: AmountFen
    registration_number: RegistrationNumber = ""

    def to_command(self, organisation_id: int, year: int) -> FileSmeProfile:
        """The profile to file."""
        return FileSmeProfile(
            organisation_id=organisation_id,
            year=year,
            staff=self.staff,
            sales_fen=self.sales_fen,
            assets_fen=self.assets_fen,
            registration_number=self.registration_number,
        )
