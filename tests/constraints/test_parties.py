"""What the tables of parties refuse from whoever writes to them."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import DomainError
from marketplace.parties.errors import (
    EmailInvalid,
    EmailRegistered,
    LegalEntityRegistered,
    OrganisationRegistered,
    OrganisationUnfit,
    RegistrationNumberUsed,
    RoleToOneself,
    RoleUnfit,
    UsccInvalid,
)
from tests.builders.parties import TEST

PERSON = (
    "insert into person (email, name, password_hash, password_changed_at, registered_at)"
    " values ('{}', '{}', '', now(), now())"
)
ENTITY = (
    "insert into legal_entity"
    " (uscc, name, region_code, kind, capital, registered_by, registered_at)"
    " values ('{}', 'x', '{}', '{}', '{}', 1, now())"
)
ORGANISATION = (
    "insert into organisation"
    " (legal_entity_id, kind, name, region_code, is_agency, registered_by, registered_at)"
    " values (1, '{}', '{}', '{}', {}, 1, now())"
)
PROFILE = (
    "insert into sme_profile"
    " (organisation_id, year, staff, sales_fen, assets_fen, registration_number, filed_by,"
    " filed_at) values (1, {}, {}, 0, 0, '{}', 1, now())"
)
MEMBERSHIP = (
    "insert into membership (person_id, organisation_id, role, granted_by, granted_at)"
    " values (1, 1, '{}', {}, now())"
)
HOLDING = "insert into shareholding values (1, '{}', {})"
CODE = "91110000600037341L"


async def write(database: Database, *statements: str) -> None:
    async def run(tx: Tx, _: None) -> None:
        for statement in statements:
            await tx.execute(text(statement))

    await atomically(database, run, None, actor=TEST)


@pytest.mark.parametrize(
    ("statement", "means"),
    [
        (ENTITY.format(CODE + "0", "320000", "company", "social"), UsccInvalid),
        (ENTITY.format(CODE.lower(), "320000", "company", "social"), UsccInvalid),
        (ENTITY.format(CODE.replace("9", "I"), "320000", "company", "social"), UsccInvalid),
        (ENTITY.format("0" * 18, "320000", "company", "social"), LegalEntityRegistered),
        (ORGANISATION.format("platform", "平台", "000000", False), OrganisationRegistered),
        (ORGANISATION.format("sme", "x", "000000", True), OrganisationUnfit),
        (PERSON.format("Li@lab.cn", "x"), EmailInvalid),
        (PERSON.format("li@lab@cn", "x"), EmailInvalid),
        (PERSON.format("李@lab.cn", "x"), EmailInvalid),
        (PERSON.format("platform@invalid", "x"), EmailRegistered),
        (MEMBERSHIP.format("king", 2), RoleUnfit),
        (MEMBERSHIP.format("buyer", 1), RoleToOneself),
    ],
)
async def test_a_named_constraint_is_the_refusal_that_it_means(
    database: Database, statement: str, means: type[DomainError]
) -> None:
    with pytest.raises(means):
        await write(database, statement)


async def test_a_registration_number_is_used_once_a_year_but_may_be_missing(
    database: Database,
) -> None:
    another = ORGANISATION.format("sme", "x", "000000", False)
    await write(database, another, PROFILE.format(2025, 1, ""))
    second = PROFILE.replace("(1, ", "((select max(id) from organisation), ")
    await write(database, second.format(2025, 1, ""))
    await write(database, PROFILE.format(2024, 1, "N-1"))

    with pytest.raises(RegistrationNumberUsed):
        await write(database, second.format(2024, 1, "N-1"))


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        (ENTITY.format(CODE, "32000x", "company", "social"), "legal_entity_region_code_shape"),
        (ENTITY.format(CODE, "320000", "king", "social"), "legal_entity_kind"),
        (ENTITY.format(CODE, "320000", "company", "gold"), "legal_entity_capital"),
        (ORGANISATION.format("king", "x", "000000", False), "organisation_kind"),
        (ORGANISATION.format("sme", "", "000000", False), "organisation_name_length"),
        (ORGANISATION.format("sme", "x", "0", False), "organisation_region_code_shape"),
        (PERSON.format("li@lab.cn", ""), "person_name_length"),
        ("update person set failed_sign_ins = -1", "person_failed_sign_ins_range"),
        (PROFILE.format(1999, 1, ""), "sme_profile_year_range"),
        (PROFILE.format(2025, -1, ""), "sme_profile_figures_range"),
        (HOLDING.format("x", 0), "shareholding_basis_points_range"),
        (HOLDING.format("x", 10_001), "shareholding_basis_points_range"),
        (HOLDING.format("", 1), "shareholding_holder_length"),
        ("update legal_entity set verified_at = now()", "legal_entity_verified_whole"),
    ],
)
async def test_what_no_edge_lets_through_is_a_bug_and_is_stopped(
    database: Database, statement: str, constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        await write(database, statement)
