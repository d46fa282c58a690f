"""The verbs of parties: register, verify, suspend, grant, file, sign in."""

from marketplace.parties.use_cases.api_keys import (
    ApiKeyMade,
    MakeApiKey,
    act_by_key,
    make_api_key,
    revoke_api_key,
)
from marketplace.parties.use_cases.legal_entities import (
    RegisterLegalEntity,
    SetContact,
    SetShareholdings,
    register_legal_entity,
    set_contact,
    set_shareholdings,
    verify_legal_entity,
)
from marketplace.parties.use_cases.memberships import (
    AddMember,
    GrantRole,
    RevokeRole,
    add_member,
    grant_role,
    revoke_role,
)
from marketplace.parties.use_cases.organisations import (
    RegisterOrganisation,
    SuspendOrganisation,
    register_organisation,
    resume_organisation,
    suspend_organisation,
)
from marketplace.parties.use_cases.people import (
    RegisterPerson,
    disable_person,
    enable_person,
    register_person,
)
from marketplace.parties.use_cases.sign_in import (
    ChangePassword,
    ResumeSignIn,
    SignedIn,
    SignIn,
    Standing,
    change_password,
    resume_sign_in,
    sign_in,
    standing,
)
from marketplace.parties.use_cases.sme_profiles import FileSmeProfile, file_sme_profile

__all__ = [
    "AddMember",
    "ApiKeyMade",
    "ChangePassword",
    "FileSmeProfile",
    "GrantRole",
    "MakeApiKey",
    "RegisterLegalEntity",
    "RegisterOrganisation",
    "RegisterPerson",
    "ResumeSignIn",
    "RevokeRole",
    "SetContact",
    "SetShareholdings",
    "SignIn",
    "SignedIn",
    "Standing",
    "SuspendOrganisation",
    "act_by_key",
    "add_member",
    "change_password",
    "disable_person",
    "enable_person",
    "file_sme_profile",
    "grant_role",
    "make_api_key",
    "register_legal_entity",
    "register_organisation",
    "register_person",
    "resume_organisation",
    "resume_sign_in",
    "revoke_api_key",
    "revoke_role",
    "set_contact",
    "set_shareholdings",
    "sign_in",
    "standing",
    "suspend_organisation",
    "verify_legal_entity",
]
