"""What the API of parties answers."""

from datetime import datetime

import msgspec

from marketplace.kernel.wire import Out, Year
from marketplace.parties.queries import (
    Affiliation,
    LegalEntity,
    Member,
    Membership,
    Organisation,
    Person,
    Place,
    SmeProfile,
)
from marketplace.parties.rules.masking import masked_email, masked_phone
from marketplace.parties.rules.shareholding import Shareholding
from marketplace.parties.use_cases import SignedIn


class OrganisationOut(Out):
    """What anybody may know of an organisation."""

    id: int
    kind: str
    legal_entity_id: int
    name: str
    name_en: str
    region_code: str
    is_agency: bool
    suspended: bool

    @classmethod
    def of(cls, row: Organisation) -> "OrganisationOut":
        """From the row."""
        return cls(
            id=row.id,
            kind=row.kind,
            legal_entity_id=row.legal_entity_id,
            name=row.name,
            name_en=row.name_en,
            region_code=row.region_code,
            is_agency=row.is_agency,
            suspended=row.suspended_at is not None,
        )


class PlaceOut(Out):
    """An organisation and the roles that one holds there."""

    organisation: OrganisationOut
    roles: list[str]

    @classmethod
    def of(cls, row: Place) -> "PlaceOut":
        """From the row."""
        return cls(organisation=OrganisationOut.of(row.organisation), roles=sorted(row.roles))


class PersonOut(Out):
    """A person."""

    id: int
    name: str
    email: str
    phone: str
    disabled: bool
    registered_at: datetime

    @classmethod
    def of(cls, row: Person) -> "PersonOut":
        """From the row, in full: for themselves and for one administrator's one question."""
        return cls(
            id=row.id,
            name=row.name,
            email=row.email,
            phone=row.phone,
            disabled=row.disabled_at is not None,
            registered_at=row.registered_at,
        )

    @classmethod
    def masked(cls, row: Person) -> "PersonOut":
        """From the row, for lists."""
        return msgspec.structs.replace(
            cls.of(row), email=masked_email(row.email), phone=masked_phone(row.phone)
        )


class PersonWithPlacesOut(Out):
    """A person and where they hold roles."""

    person: PersonOut
    places: list[PlaceOut]


class MeOut(Out):
    """Who is signed in, for which organisation, and where else they could."""

    person: PersonOut
    organisation: OrganisationOut
    roles: list[str]
    others: list[PlaceOut]

    @classmethod
    def of(cls, signed_in: SignedIn) -> "MeOut":
        """From the sign-in."""
        return cls(
            person=PersonOut.of(signed_in.person),
            organisation=OrganisationOut.of(signed_in.place.organisation),
            roles=sorted(signed_in.place.roles),
            others=[PlaceOut.of(place) for place in signed_in.others],
        )


class TokensOut(Out):
    """An access token for some minutes, a refresh token good once, and who one is."""

    access_token: str
    expires_in: int
    refresh_token: str
    me: MeOut
    token_type: str = "Bearer"  # noqa: S105 the scheme, as RFC 6750 names it


class LegalEntityOut(Out):
    """A legal entity as registered."""

    id: int
    uscc: str
    name: str
    name_en: str
    region_code: str
    kind: str
    capital: str
    legal_representative: str
    address: str
    phone: str
    registered_at: datetime
    verified_at: datetime | None

    @classmethod
    def of(cls, row: LegalEntity) -> "LegalEntityOut":
        """From the row."""
        return cls(
            id=row.id,
            uscc=row.uscc,
            name=row.name,
            name_en=row.name_en,
            region_code=row.region_code,
            kind=row.kind,
            capital=row.capital,
            legal_representative=row.legal_representative,
            address=row.address,
            phone=row.phone,
            registered_at=row.registered_at,
            verified_at=row.verified_at,
        )


class ShareholdingOut(Out):
    """A holder and the part held."""

    holder: str
    basis_points: int

    @classmethod
    def of(cls, row: Shareholding) -> "ShareholdingOut":
        """From the row."""
        return cls(holder=row.holder, basis_points=row.basis_points)


class ShareholdingsOut(Out):
    """Every holder, the largest part first."""

    shareholdings: list[ShareholdingOut]

    @classmethod
    def of(cls, rows: list[Shareholding]) -> "ShareholdingsOut":
        """From the rows."""
        return cls(shareholdings=[ShareholdingOut.of(row) for row in rows])


class AffiliationOut(Out):
    """Whether two legal entities are affiliated, and by what."""

    affiliated: bool
    kind: str | None = None
    detail: str = ""
    shareholding_ids: list[int] = msgspec.field(default_factory=list)

    @classmethod
    def of(cls, found: Affiliation | None) -> "AffiliationOut":
        """From what was found."""
        if found is None:
            return cls(affiliated=False)
        return cls(
            affiliated=True,
            kind=found.kind,
            detail=found.detail,
            shareholding_ids=list(found.shareholding_ids),
        )


class MemberOut(Out):
    """A person and one role they hold."""

    person_id: int
    name: str
    email: str
    phone: str
    role: str
    granted_at: datetime
    disabled: bool

    @classmethod
    def of(cls, row: Member, *, masked: bool) -> "MemberOut":
        """From the row; masked for those who look on from outside."""
        return cls(
            person_id=row.person_id,
            name=row.name,
            email=masked_email(row.email) if masked else row.email,
            phone=masked_phone(row.phone) if masked else row.phone,
            role=row.role,
            granted_at=row.granted_at,
            disabled=row.disabled_at is not None,
        )


class MembershipOut(Out):
    """One role of one person in one organisation."""

    person_id: int
    organisation_id: int
    role: str
    granted_at: datetime

    @classmethod
    def of(cls, row: Membership) -> "MembershipOut":
        """From the row."""
        return cls(
            person_id=row.person_id,
            organisation_id=row.organisation_id,
            role=row.role,
            granted_at=row.granted_at,
        )


class ProfileOut(Out):
    """An SME's profile of a year."""

    organisation_id: int
    year: Year
    staff: int
    sales_fen: int
    assets_fen: int
    registration_number: str
    filed_at: datetime

    @classmethod
    def of(cls, row: SmeProfile) -> "ProfileOut":
        """From the row."""
        return cls(
            organisation_id=row.organisation_id,
            year=row.year,
            staff=row.staff,
            sales_fen=row.sales_fen,
            assets_fen=row.assets_fen,
            registration_number=row.registration_number,
            filed_at=row.filed_at,
        )
