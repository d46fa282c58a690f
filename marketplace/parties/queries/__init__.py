"""Who is who: organisations, legal entities, people, profiles, and who is tied to whom."""

from marketplace.parties.queries.access import CENTRE_ROLES, require_own_or_staff
from marketplace.parties.queries.api_keys import ApiKey, KeySearch, api_keys
from marketplace.parties.queries.organisations import (
    affiliation,
    affiliation_today,
    affiliations,
    legal_entities,
    legal_entity,
    organisation,
    organisations,
    require_organisation,
    shareholdings,
    sme_profile,
    sme_profiles,
    visible_organisation,
)
from marketplace.parties.queries.people import (
    PersonWithPlaces,
    members,
    names_of_people,
    people,
    person,
    person_with_places,
    places,
)
from marketplace.parties.queries.rows import (
    Found,
    LegalEntity,
    Member,
    Membership,
    Organisation,
    Pair,
    Person,
    Place,
    SmeProfile,
    SmeYear,
)
from marketplace.parties.queries.search import (
    Search,
    search_legal_entities,
    search_organisations,
    search_people,
)
from marketplace.parties.queries.staff import count_by_kind, technicians
from marketplace.parties.queries.units import UNITS
from marketplace.parties.rules.affiliation import Affiliation, AffiliationKind

__all__ = [
    "CENTRE_ROLES",
    "UNITS",
    "Affiliation",
    "AffiliationKind",
    "ApiKey",
    "Found",
    "KeySearch",
    "LegalEntity",
    "Member",
    "Membership",
    "Organisation",
    "Pair",
    "Person",
    "PersonWithPlaces",
    "Place",
    "Search",
    "SmeProfile",
    "SmeYear",
    "affiliation",
    "affiliation_today",
    "affiliations",
    "api_keys",
    "count_by_kind",
    "legal_entities",
    "legal_entity",
    "members",
    "names_of_people",
    "organisation",
    "organisations",
    "people",
    "person",
    "person_with_places",
    "places",
    "require_organisation",
    "require_own_or_staff",
    "search_legal_entities",
    "search_organisations",
    "search_people",
    "shareholdings",
    "sme_profile",
    "sme_profiles",
    "technicians",
    "visible_organisation",
]
