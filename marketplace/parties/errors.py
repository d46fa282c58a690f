"""What parties refuses, and the constraint that stands behind each refusal."""

from marketplace.kernel.errors import Conflict, Forbidden, Missing, Refused, Unauthenticated


class LegalEntityMissing(Missing):
    """No legal entity has this id."""

    code = "legal-entity-not-found"
    title = "No such legal entity"


class OrganisationMissing(Missing):
    """No organisation has this id, or the caller may not know that it exists."""

    code = "organisation-not-found"
    title = "No such organisation"


class PersonMissing(Missing):
    """No person has this id, or the caller may not know that they exist."""

    code = "person-not-found"
    title = "No such person"


class MembershipMissing(Missing):
    """The person does not hold this role there."""

    code = "membership-not-found"
    title = "The person does not hold this role there"


class UsccInvalid(Refused):
    """A unified social credit code has 18 characters of its own alphabet and a check digit."""

    code = "uscc-invalid"
    title = "Not a unified social credit code"
    constraint = "legal_entity_uscc_shape"


class LegalEntityRegistered(Conflict):
    """A unified social credit code is registered once."""

    code = "legal-entity-registered"
    title = "A legal entity with this unified social credit code is registered already"
    constraint = "legal_entity_uscc"


class LegalEntityVerified(Conflict):
    """Verification is given once."""

    code = "legal-entity-verified"
    title = "The legal entity is verified already"


class VerifiedByRegistrar(Refused):
    """Nobody verifies a legal entity that they registered themselves."""

    code = "verified-by-registrar"
    title = "Another person than the one who registered it must verify it"


class ShareholdingsRefused(Refused):
    """Holders are named once each and hold no more than the whole together."""

    code = "shareholdings-refused"
    title = "The shareholdings cannot be right"
    constraint = "shareholding_whole"


class OrganisationRegistered(Conflict):
    """Under one legal entity a name is used once for each kind of organisation."""

    code = "organisation-registered"
    title = "The legal entity has an organisation of this kind and name already"
    constraint = "organisation_name"


class OrganisationUnfit(Refused):
    """Another kind of organisation is needed: a profile is an SME's, an agency is a provider."""

    code = "organisation-unfit"
    title = "This is not for an organisation of this kind"
    constraint = "organisation_agency_is_provider"


class EmailInvalid(Refused):
    """An e-mail address is written in ASCII, with one @."""

    code = "email-invalid"
    title = "Not an e-mail address"
    constraint = "person_email_shape"


class EmailRegistered(Conflict):
    """An e-mail address belongs to one person."""

    code = "email-registered"
    title = "A person with this e-mail address is registered already"
    constraint = "person_email"


class PasswordWeak(Refused):
    """The password is too short or too easy to guess."""

    code = "password-weak"
    title = "Choose a better password"


class PasswordWrong(Refused):
    """The present password was not right, so the new one was not set."""

    code = "password-wrong"
    title = "The present password is wrong"


class RoleUnfit(Refused):
    """Each kind of organisation has roles of its own."""

    code = "role-unfit"
    title = "An organisation of this kind does not have this role"
    constraint = "membership_role"


class RoleToOneself(Forbidden):
    """Nobody grants a role to themselves, nor takes one away from themselves."""

    code = "role-to-oneself"
    title = "Another person must do this"
    constraint = "membership_not_granted_to_oneself"


class SignInRefused(Unauthenticated):
    """E-mail or password is wrong, or the sign-in is locked: the answer does not say which."""

    code = "sign-in-refused"
    title = "The e-mail address or the password is wrong"


class PersonDisabled(Forbidden):
    """The password was right, but the person may not sign in any more."""

    code = "person-disabled"
    title = "This sign-in is disabled"


class OrganisationSuspended(Forbidden):
    """The password was right, but the organisation is suspended."""

    code = "organisation-suspended"
    title = "The organisation is suspended"


class NotAMember(Forbidden):
    """The password was right, but the person holds no role there."""

    code = "not-a-member"
    title = "You hold no role in this organisation"


class ProfileYearClosed(Refused):
    """A profile is filed for the current year, or for the one before or after it."""

    code = "profile-year-closed"
    title = "No profile is filed for this year now"


class RegistrationNumberUsed(Conflict):
    """A registration number of a year belongs to one SME."""

    code = "registration-number-used"
    title = "Another SME filed this registration number for the year"
    constraint = "sme_profile_registration_number"


class ApiKeyMissing(Missing):
    """No key has this id, or it is another organisation's."""

    code = "api-key-not-found"
    title = "No such key"


class ApiKeyRefused(Refused):
    """A key has a name, scopes that exist and an end within two years."""

    code = "api-key-refused"
    title = "Such a key cannot be made"
    constraint = "api_key_lifetime"


class ApiKeyNameUsed(Conflict):
    """Each system of an organisation has one key at a time; a lost one is revoked first."""

    code = "api-key-name-used"
    title = "There is a key of this name already"
    constraint = "api_key_name"


class ViewingRefused(Forbidden):
    """One does not look as oneself, nor as somebody who sees more."""

    code = "viewing-refused"
    title = "You cannot look at the pages as this person"
    constraint = "viewing_another"


class ViewingMissing(Missing):
    """No such look at somebody's pages, or another person's."""

    code = "viewing-not-found"
    title = "No such view"
