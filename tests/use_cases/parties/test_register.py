"""Registering legal entities, organisations, people and profiles."""

from datetime import datetime

import pytest
from sqlalchemy import text

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import DomainError
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.parties import queries
from marketplace.parties.errors import (
    EmailRegistered,
    LegalEntityMissing,
    LegalEntityRegistered,
    LegalEntityVerified,
    MembershipMissing,
    OrganisationMissing,
    OrganisationRegistered,
    OrganisationUnfit,
    PersonMissing,
    ProfileYearClosed,
    RegistrationNumberUsed,
    RoleToOneself,
    RoleUnfit,
    ShareholdingsRefused,
    UsccInvalid,
    VerifiedByRegistrar,
)
from marketplace.parties.queries import AffiliationKind, Pair, Search, SmeYear
from marketplace.parties.roles import Role
from marketplace.parties.rules.shareholding import Shareholding
from marketplace.parties.use_cases import (
    AddMember,
    FileSmeProfile,
    GrantRole,
    RegisterPerson,
    RevokeRole,
    SetShareholdings,
    SuspendOrganisation,
    add_member,
    disable_person,
    enable_person,
    file_sme_profile,
    grant_role,
    resume_organisation,
    revoke_role,
    set_shareholdings,
    suspend_organisation,
    verify_legal_entity,
)
from tests.builders.parties import (
    PASSWORD,
    TEST,
    a_legal_entity,
    a_person,
    a_profile,
    a_provider,
    a_station,
    a_uscc,
    an_actor,
    an_organisation,
    an_sme,
)


async def audit_lines(database: Database, action: str) -> list[dict[str, object]]:
    async def ask(tx: Tx, _: None) -> list[dict[str, object]]:
        rows = await tx.execute(
            text("select * from audit_event where action = :a order by id"), {"a": action}
        )
        return [dict(row) for row in rows.mappings()]

    return await atomically(database, ask, None, actor=TEST)


async def test_a_code_with_a_typing_error_is_never_registered(database: Database) -> None:
    with pytest.raises(UsccInvalid):
        await a_legal_entity(database, uscc=a_uscc() + "0")


async def test_a_code_is_registered_once_however_it_is_written(database: Database) -> None:
    code = a_uscc()
    await a_legal_entity(database, uscc=code)

    with pytest.raises(LegalEntityRegistered):
        await a_legal_entity(database, uscc=f" {code.lower()} ")


async def test_another_person_verifies_what_one_registered(database: Database) -> None:
    legal_entity_id = await a_legal_entity(database)
    checker = await an_actor(database, Role.ADMINISTRATOR)

    with pytest.raises(VerifiedByRegistrar):
        await atomically(database, verify_legal_entity, legal_entity_id, actor=TEST)
    verified = await atomically(database, verify_legal_entity, legal_entity_id, actor=checker)
    assert verified.verified_by == checker.person_id
    with pytest.raises(LegalEntityVerified):
        await atomically(database, verify_legal_entity, legal_entity_id, actor=checker)


async def test_holders_are_replaced_whole_and_the_trail_keeps_the_old(database: Database) -> None:
    legal_entity_id = await a_legal_entity(
        database, shareholdings=(Shareholding("王五", 6_000), Shareholding("李四", 4_000))
    )

    after = await atomically(
        database,
        set_shareholdings,
        SetShareholdings(legal_entity_id, (Shareholding("赵六", 10_000),)),
        actor=TEST,
    )

    assert after == [Shareholding("赵六", 10_000)]
    kept = await atomically(database, queries.shareholdings, legal_entity_id, actor=TEST)
    assert kept == after
    (line,) = await audit_lines(database, "set_shareholdings")
    assert line["facts"] == {
        "since": "2025-03-03",
        "source": "",
        "before": {"王五": 6_000, "李四": 4_000},
        "after": {"赵六": 10_000},
    }


async def test_refused_holders_leave_no_legal_entity_behind(database: Database) -> None:
    code = a_uscc()
    with pytest.raises(ShareholdingsRefused):
        await a_legal_entity(database, uscc=code, shareholdings=(Shareholding("王五", 10_001),))

    found = await atomically(database, queries.search_legal_entities, Search(text=code), actor=TEST)
    assert found.total == 0


async def test_the_register_tells_why_two_legal_entities_are_affiliated(
    database: Database,
) -> None:
    mother = await a_legal_entity(database)
    code = (await atomically(database, queries.legal_entity, mother, actor=TEST)).uscc
    daughter = await a_legal_entity(database, shareholdings=(Shareholding(code, 1),))
    stranger = await a_legal_entity(database)

    found = await atomically(
        database, queries.affiliation_today, Pair(mother, daughter), actor=TEST
    )

    assert found is not None
    assert found.kind is AffiliationKind.DIRECT_SHAREHOLDING
    assert (
        await atomically(database, queries.affiliation_today, Pair(stranger, daughter), actor=TEST)
        is None
    )


async def test_a_name_is_used_once_for_each_kind_under_one_legal_entity(
    database: Database,
) -> None:
    legal_entity_id = await a_legal_entity(database)

    async def register(kind: str) -> None:
        await an_organisation(
            database, kind=kind, legal_entity_id=legal_entity_id, name="分析测试中心"
        )

    await register("provider")
    await register("sme")

    with pytest.raises(OrganisationRegistered):
        await register("provider")


async def test_an_organisation_belongs_to_a_legal_entity_that_exists(database: Database) -> None:
    with pytest.raises(LegalEntityMissing):
        await an_organisation(database, kind="sme", legal_entity_id=999_999)


async def test_an_agency_is_a_provider(database: Database) -> None:
    assert await a_provider(database, is_agency=True)
    with pytest.raises(OrganisationUnfit):
        await an_organisation(database, kind="station", is_agency=True)


async def test_there_is_one_platform(database: Database) -> None:
    with pytest.raises(OrganisationUnfit):
        await an_organisation(database, kind="platform")


async def test_an_address_belongs_to_one_person(database: Database) -> None:
    await a_person(database, email="li@lab.cn")

    with pytest.raises(EmailRegistered):
        await a_person(database, email=" LI@lab.cn ")


async def test_a_role_is_granted_once_and_noted(database: Database) -> None:
    administrator = await an_actor(database, Role.ADMINISTRATOR)
    lab = await a_provider(database)
    grant = GrantRole(await a_person(database), lab, Role.TECHNICIAN)

    first = await atomically(database, grant_role, grant, actor=administrator)
    again = await atomically(database, grant_role, grant, actor=administrator)

    assert first == again
    assert first.granted_by == administrator.person_id
    lines = [
        line
        for line in await audit_lines(database, "grant_role")
        if line["subject_id"] == grant.person_id
    ]
    assert [line["facts"] for line in lines] == [{"organisation_id": lab, "role": "technician"}]


async def test_a_role_of_another_kind_is_refused(database: Database) -> None:
    lab = await a_provider(database)

    with pytest.raises(RoleUnfit):
        await a_person(database, organisation_id=lab, roles=(Role.FINANCE_CHECKER,))


async def test_nobody_grants_or_revokes_their_own_role(database: Database) -> None:
    me = await an_actor(database, Role.ADMINISTRATOR)

    with pytest.raises(RoleToOneself):
        await atomically(
            database,
            grant_role,
            GrantRole(me.person_id, me.organisation_id, Role.FINANCE_CHECKER),
            actor=me,
        )
    with pytest.raises(RoleToOneself):
        await atomically(
            database,
            revoke_role,
            RevokeRole(me.person_id, me.organisation_id, Role.ADMINISTRATOR),
            actor=me,
        )


async def test_the_platform_itself_is_given_no_role(database: Database) -> None:
    administrator = await an_actor(database, Role.ADMINISTRATOR)

    with pytest.raises(PersonMissing):
        await atomically(
            database,
            grant_role,
            GrantRole(1, administrator.organisation_id, Role.ADMINISTRATOR),
            actor=administrator,
        )
    with pytest.raises(PersonMissing):
        await atomically(database, enable_person, 1, actor=administrator)


async def test_a_revoked_role_is_gone_and_revoking_it_again_finds_none(
    database: Database,
) -> None:
    lab = await a_provider(database)
    person_id = await a_person(database, organisation_id=lab, roles=(Role.TECHNICIAN,))
    revoke = RevokeRole(person_id, lab, Role.TECHNICIAN)

    await atomically(database, revoke_role, revoke, actor=TEST)

    assert await atomically(database, queries.places, person_id, actor=TEST) == []
    with pytest.raises(MembershipMissing):
        await atomically(database, revoke_role, revoke, actor=TEST)


def _newcomer(organisation_id: int, role: Role, email: str = "new@lab.cn") -> AddMember:
    return AddMember(organisation_id, role, RegisterPerson(email, "新人", PASSWORD))


@pytest.mark.parametrize(
    ("keeper_role", "role"),
    [(Role.SME_ADMINISTRATOR, Role.BUYER), (Role.PROVIDER_MANAGER, Role.TECHNICIAN)],
)
async def test_an_organisation_keeps_its_own_members(
    database: Database, keeper_role: Role, role: Role
) -> None:
    keeper = await an_actor(database, keeper_role)

    added = await atomically(
        database, add_member, _newcomer(keeper.organisation_id, role), actor=keeper
    )

    places = await atomically(database, queries.places, added.id, actor=TEST)
    assert [(place.organisation.id, place.roles) for place in places] == [
        (keeper.organisation_id, frozenset({role}))
    ]


async def test_a_keeper_does_not_reach_into_another_organisation(database: Database) -> None:
    keeper = await an_actor(database, Role.PROVIDER_MANAGER)
    other = await an_actor(database, Role.TECHNICIAN)
    there = other.organisation_id

    with pytest.raises(OrganisationMissing):
        await atomically(database, add_member, _newcomer(there, Role.TECHNICIAN), actor=keeper)
    with pytest.raises(OrganisationMissing):
        await atomically(
            database,
            revoke_role,
            RevokeRole(other.person_id, there, Role.TECHNICIAN),
            actor=keeper,
        )
    with pytest.raises(OrganisationMissing):
        await atomically(database, queries.members, there, actor=keeper)
    with pytest.raises(PersonMissing):
        await atomically(
            database,
            grant_role,
            GrantRole(other.person_id, keeper.organisation_id, Role.TECHNICIAN),
            actor=keeper,
        )


async def test_a_keeper_adds_no_role_of_the_centre(database: Database) -> None:
    keeper = await an_actor(database, Role.SME_ADMINISTRATOR)

    with pytest.raises(RoleUnfit):
        await atomically(
            database,
            add_member,
            _newcomer(keeper.organisation_id, Role.ADMINISTRATOR),
            actor=keeper,
        )


async def test_a_refused_first_role_leaves_no_person_behind(database: Database) -> None:
    keeper = await an_actor(database, Role.SME_ADMINISTRATOR)
    with pytest.raises(DomainError):
        await atomically(
            database, add_member, _newcomer(keeper.organisation_id, Role.AUDITOR), actor=keeper
        )

    found = await atomically(database, queries.search_people, Search(text="new@lab.cn"), actor=TEST)
    assert found.total == 0


async def test_a_profile_is_filed_and_corrected_and_the_trail_keeps_both(
    database: Database,
) -> None:
    me = await an_actor(database, Role.SME_ADMINISTRATOR)
    filed = FileSmeProfile(me.organisation_id, 2025, 12, 500_00, 600_00, "N-1")

    await atomically(database, file_sme_profile, filed, actor=me)
    corrected = FileSmeProfile(me.organisation_id, 2025, 13, 500_00, 600_00, "N-1")
    profile = await atomically(database, file_sme_profile, corrected, actor=me)

    assert profile.staff == 13
    asked = SmeYear(me.organisation_id, 2025)
    assert await atomically(database, queries.sme_profile, asked, actor=me) == profile
    lines = await audit_lines(database, "file_sme_profile")
    assert [12, 13] == [line["facts"]["staff"] for line in lines[-2:]]  # type: ignore[index]


@pytest.mark.parametrize(
    ("year", "open_"), [(2023, False), (2024, True), (2026, True), (2027, False)]
)
async def test_a_profile_is_filed_for_about_now(database: Database, year: int, open_: bool) -> None:
    me = await an_actor(database, Role.SME_ADMINISTRATOR)
    filing = atomically(
        database, file_sme_profile, FileSmeProfile(me.organisation_id, year, 1, 1, 1), actor=me
    )

    if open_:
        assert (await filing).year == year
    else:
        with pytest.raises(ProfileYearClosed):
            await filing


async def test_the_year_of_a_profile_turns_at_midnight_in_shanghai(
    database: Database, clock: SetClock
) -> None:
    me = await an_actor(database, Role.SME_ADMINISTRATOR)
    filing = FileSmeProfile(me.organisation_id, 2024, 1, 1, 1)

    clock.set(datetime(2025, 12, 31, 23, 59, tzinfo=SHANGHAI))
    await atomically(database, file_sme_profile, filing, actor=me)
    clock.set(datetime(2026, 1, 1, 0, 0, tzinfo=SHANGHAI))
    with pytest.raises(ProfileYearClosed):
        await atomically(database, file_sme_profile, filing, actor=me)


async def test_a_registration_number_belongs_to_one_sme_a_year(database: Database) -> None:
    await a_profile(
        database,
        organisation_id=await an_sme(database, profile_year=None),
        registration_number="N-1",
    )
    other = await an_sme(database, profile_year=None)

    with pytest.raises(RegistrationNumberUsed):
        await a_profile(database, organisation_id=other, registration_number="N-1")
    await a_profile(database, organisation_id=other, year=2024, registration_number="N-1")


async def test_a_profile_is_an_smes_own(database: Database) -> None:
    me = await an_actor(database, Role.SME_ADMINISTRATOR)
    other = await an_sme(database)

    with pytest.raises(OrganisationMissing):
        await atomically(database, file_sme_profile, FileSmeProfile(other, 2025, 1, 1, 1), actor=me)
    with pytest.raises(OrganisationMissing):
        await atomically(database, queries.sme_profiles, other, actor=me)
    with pytest.raises(OrganisationUnfit):
        await a_profile(database, organisation_id=await a_provider(database))


async def test_a_suspension_is_noted_and_ended(database: Database) -> None:
    administrator = await an_actor(database, Role.ADMINISTRATOR)
    lab = await a_provider(database)

    suspended = await atomically(
        database, suspend_organisation, SuspendOrganisation(lab, "欠费"), actor=administrator
    )
    assert suspended.suspended_at is not None
    resumed = await atomically(database, resume_organisation, lab, actor=administrator)

    assert resumed.suspended_at is None
    assert len(await audit_lines(database, "suspend")) == 1
    assert len(await audit_lines(database, "resume")) == 1


@pytest.mark.parametrize("whose", ["platform", "own"])
async def test_nobody_suspends_the_ground_they_stand_on(database: Database, whose: str) -> None:
    me = await an_actor(database, Role.ADMINISTRATOR)
    target = 1 if whose == "platform" else me.organisation_id

    with pytest.raises(OrganisationUnfit):
        await atomically(database, suspend_organisation, SuspendOrganisation(target, "?"), actor=me)


async def test_a_person_is_disabled_and_enabled_by_another(database: Database) -> None:
    me = await an_actor(database, Role.ADMINISTRATOR)
    person_id = await a_person(database)

    assert (await atomically(database, disable_person, person_id, actor=me)).disabled_at
    assert (await atomically(database, enable_person, person_id, actor=me)).disabled_at is None
    with pytest.raises(RoleToOneself):
        await atomically(database, disable_person, me.person_id, actor=me)


async def test_lists_find_by_part_of_a_name_and_by_region(database: Database) -> None:
    nanjing = await a_provider(database, name="南京大学100%测试中心", region_code="320102")
    await a_provider(database, name="苏州纳米所", region_code="320505")

    async def names(search: Search, actor: Actor = TEST) -> list[int]:
        found = await atomically(database, queries.search_organisations, search, actor=actor)
        return [row.id for row in found.rows]

    assert await names(Search(text="大学", kind="provider")) == [nanjing]
    assert await names(Search(text="100%")) == [nanjing]
    assert await names(Search(text="1000")) == []
    assert await names(Search(region_code="320100", kind="provider")) == [nanjing]
    assert len(await names(Search(region_code="320000", kind="provider"))) == 2
    assert len(await names(Search(kind="provider", page=2, page_size=1))) == 1


async def test_a_station_agent_finds_the_smes_of_the_region(database: Database) -> None:
    station = await a_station(database, region_code="320100")
    agent = await an_actor(database, Role.STATION_AGENT, organisation_id=station)
    near = await an_sme(database, region_code="320102")
    await an_sme(database, region_code="320505")
    await a_provider(database, region_code="320102")

    found = await atomically(database, queries.search_organisations, Search(), actor=agent)

    assert [row.id for row in found.rows] == [near]
    assert found.total == 1
