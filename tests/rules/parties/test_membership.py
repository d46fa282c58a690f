"""Each kind of organisation has roles of its own, and nobody helps themselves to one."""

import pytest

from marketplace.parties.errors import RoleToOneself, RoleUnfit
from marketplace.parties.roles import ROLES_BY_ORGANISATION_KIND, Role
from marketplace.parties.rules.masking import masked_email, masked_phone
from marketplace.parties.rules.membership import require_another_person, require_role_fits
from marketplace.parties.rules.states import OrganisationKind


@pytest.mark.parametrize("kind", [*OrganisationKind, "unknown"])
@pytest.mark.parametrize("role", Role)
def test_a_role_fits_the_kinds_that_have_it_and_no_other(role: Role, kind: str) -> None:
    if role in ROLES_BY_ORGANISATION_KIND.get(kind, frozenset()):
        require_role_fits(role, kind)
    else:
        with pytest.raises(RoleUnfit):
            require_role_fits(role, kind)


def test_every_kind_is_listed_with_its_roles() -> None:
    assert set(OrganisationKind) == set(ROLES_BY_ORGANISATION_KIND)


def test_nobody_grants_a_role_to_themselves() -> None:
    require_another_person(7, 8)
    with pytest.raises(RoleToOneself):
        require_another_person(7, 7)


@pytest.mark.parametrize(
    ("address", "shown"),
    [("li.ming@lab.cn", "l***@lab.cn"), ("x@y", "x***@y"), ("", "***")],
)
def test_a_masked_address_is_recognised_by_who_knows_it(address: str, shown: str) -> None:
    assert masked_email(address) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [("13812345678", "138****5678"), ("025-8360", "***60"), ("", "")],
)
def test_a_masked_number_keeps_its_ends(number: str, shown: str) -> None:
    assert masked_phone(number) == shown
