"""Signing in: who may, what is counted, what is noted, and what is not given away."""

import asyncio
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import SetClock
from marketplace.parties import passwords
from marketplace.parties.errors import (
    NotAMember,
    OrganisationSuspended,
    PasswordWeak,
    PasswordWrong,
    PersonDisabled,
    SignInRefused,
)
from marketplace.parties.roles import Role
from marketplace.parties.use_cases import (
    ChangePassword,
    GrantRole,
    ResumeSignIn,
    RevokeRole,
    SignedIn,
    SignIn,
    SuspendOrganisation,
    change_password,
    disable_person,
    enable_person,
    grant_role,
    resume_sign_in,
    revoke_role,
    sign_in,
    suspend_organisation,
)
from tests.builders.parties import PASSWORD, TEST, a_person, a_provider, an_actor, an_sme

LI = "li@lab.cn"


async def a_technician(database: Database, *, email: str = LI) -> tuple[int, int]:
    lab = await a_provider(database)
    return lab, await a_person(database, email=email, organisation_id=lab, roles=(Role.TECHNICIAN,))


async def attempt(
    database: Database, password: str = PASSWORD, *, organisation_id: int | None = None
) -> SignedIn:
    return await sign_in(database, SignIn(LI, password, organisation_id))


async def fail(database: Database, times: int) -> None:
    for _ in range(times):
        with pytest.raises(SignInRefused):
            await attempt(database, "a wrong password")


async def scalar(database: Database, query: str) -> object:
    async def ask(tx: Tx, _: None) -> object:
        return await tx.scalar(text(query))

    return await atomically(database, ask, None, actor=TEST)


async def test_a_sign_in_is_for_one_organisation_with_every_role_there(
    database: Database,
) -> None:
    lab = await a_provider(database)
    both = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)
    person_id = await a_person(database, email=LI, organisation_id=lab, roles=both)

    found = await sign_in(database, SignIn(" LI@Lab.cn ", PASSWORD))

    assert found.actor.person_id == person_id
    assert found.actor.organisation_id == lab
    assert found.actor.organisation_kind == "provider"
    assert found.actor.roles == frozenset(both)
    assert found.others == ()
    facts = await scalar(database, "select facts from audit_event where action = 'sign_in'")
    assert facts == {"organisation_id": lab, "roles": ["provider_manager", "technician"]}


async def test_an_organisation_may_be_chosen_and_the_others_are_told(database: Database) -> None:
    lab, person_id = await a_technician(database)
    sme = await an_sme(database)
    await atomically(database, grant_role, GrantRole(person_id, sme, Role.BUYER), actor=TEST)

    assert (await attempt(database)).actor.organisation_id == lab
    chosen = await attempt(database, organisation_id=sme)
    assert chosen.actor.organisation_id == sme
    assert [place.organisation.id for place in chosen.others] == [lab]
    with pytest.raises(NotAMember):
        await attempt(database, organisation_id=await a_provider(database))


async def test_wrong_address_wrong_password_and_lock_say_the_same(database: Database) -> None:
    await a_technician(database)
    said = set()
    for email, password in [
        ("nobody@lab.cn", PASSWORD),
        ("not an address", PASSWORD),
        *[(LI, "a wrong password")] * 5,
        (LI, PASSWORD),
    ]:
        with pytest.raises(SignInRefused) as refused:
            await sign_in(database, SignIn(email, password))
        said.add((refused.value.code, refused.value.detail, str(refused.value.extras)))

    assert len(said) == 1


async def test_the_fifth_failure_locks_and_a_quarter_of_an_hour_unlocks(
    database: Database, clock: SetClock
) -> None:
    await a_technician(database)
    await fail(database, 5)

    clock.set(clock.now() + timedelta(minutes=14, seconds=59))
    with pytest.raises(SignInRefused):
        await attempt(database)
    clock.set(clock.now() + timedelta(seconds=1))

    await attempt(database)


async def test_a_success_forgets_the_failures_before_it(database: Database) -> None:
    await a_technician(database)
    for _ in range(3):
        await fail(database, 4)
        await attempt(database)


async def test_an_administrator_ends_a_lock(database: Database) -> None:
    _, person_id = await a_technician(database)
    await fail(database, 5)

    await atomically(database, enable_person, person_id, actor=TEST)

    await attempt(database)


async def test_failures_are_kept_although_the_answer_is_a_refusal(database: Database) -> None:
    _, person_id = await a_technician(database)
    await fail(database, 2)

    assert await scalar(database, f"select failed_sign_ins from person where id={person_id}") == 2
    noted = "select array_agg(subject_id) from audit_event where action = 'refuse_sign_in'"
    assert await scalar(database, noted) == [person_id, person_id]


async def test_a_burst_of_guesses_gets_no_more_than_five(database: Database) -> None:
    await a_technician(database)
    guesses = [f"guess number {number}" for number in range(19)]

    outcomes = await asyncio.gather(
        *(attempt(database, guess) for guess in [*guesses, PASSWORD]), return_exceptions=True
    )

    assert all(isinstance(outcome, SignInRefused) for outcome in outcomes)
    guessed = "select count(*) from audit_event where facts @> '{\"locked\": false}'"
    assert await scalar(database, guessed) == 5


async def test_somebody_without_a_role_stays_outside(database: Database) -> None:
    await a_person(database, email=LI)

    with pytest.raises(NotAMember):
        await attempt(database)


async def test_a_disabled_person_stays_outside(database: Database) -> None:
    _, person_id = await a_technician(database)
    await atomically(database, disable_person, person_id, actor=TEST)

    with pytest.raises(PersonDisabled):
        await attempt(database)
    with pytest.raises(SignInRefused):
        await attempt(database, "a wrong password")


async def test_a_suspended_organisation_is_passed_over_and_refused_by_name(
    database: Database,
) -> None:
    lab, person_id = await a_technician(database)
    await atomically(database, suspend_organisation, SuspendOrganisation(lab, "欠费"), actor=TEST)

    with pytest.raises(OrganisationSuspended):
        await attempt(database)
    sme = await an_sme(database)
    await atomically(database, grant_role, GrantRole(person_id, sme, Role.BUYER), actor=TEST)

    assert (await attempt(database)).actor.organisation_id == sme
    with pytest.raises(OrganisationSuspended):
        await attempt(database, organisation_id=lab)


async def test_the_platform_itself_cannot_sign_in(database: Database) -> None:
    for password in ("", PASSWORD):
        with pytest.raises(SignInRefused):
            await sign_in(database, SignIn("platform@invalid", password))


async def test_a_sign_in_goes_on_with_the_roles_of_now(database: Database) -> None:
    lab = await a_provider(database)
    person_id = await a_person(
        database,
        email=LI,
        organisation_id=lab,
        roles=(Role.TECHNICIAN, Role.PROVIDER_MANAGER),
    )
    found = await attempt(database)
    goes_on = ResumeSignIn(person_id, lab, found.at)

    await atomically(
        database, revoke_role, RevokeRole(person_id, lab, Role.PROVIDER_MANAGER), actor=TEST
    )

    resumed = await atomically(database, resume_sign_in, goes_on, actor=TEST)
    assert resumed.actor.roles == {Role.TECHNICIAN}


async def test_a_new_password_ends_the_sign_ins_of_before(
    database: Database, clock: SetClock
) -> None:
    lab, person_id = await a_technician(database)
    found = await attempt(database)
    clock.set(clock.now() + timedelta(minutes=1))

    change = ChangePassword(person_id, PASSWORD, "another long phrase")
    await change_password(database, change, actor=found.actor)

    with pytest.raises(SignInRefused):
        await atomically(
            database, resume_sign_in, ResumeSignIn(person_id, lab, found.at), actor=TEST
        )
    with pytest.raises(SignInRefused):
        await attempt(database)
    again = await attempt(database, "another long phrase")
    resumed = ResumeSignIn(person_id, lab, again.at)
    await atomically(database, resume_sign_in, resumed, actor=TEST)


async def test_guessing_the_present_password_locks_as_well(database: Database) -> None:
    me = await an_actor(database, Role.BUYER)
    guess = ChangePassword(me.person_id, "a wrong password", "another long phrase")
    for _ in range(5):
        with pytest.raises(PasswordWrong):
            await change_password(database, guess, actor=me)

    with pytest.raises(PasswordWrong):
        await change_password(
            database, ChangePassword(me.person_id, PASSWORD, "another long phrase"), actor=me
        )
    noted = "select count(*) from audit_event where action = 'refuse_sign_in' and person_id > 1"
    assert await scalar(database, noted) == 6


async def test_a_weak_new_password_costs_no_attempt(database: Database) -> None:
    me = await an_actor(database, Role.BUYER)

    with pytest.raises(PasswordWeak):
        await change_password(database, ChangePassword(me.person_id, PASSWORD, "short"), actor=me)

    counted = f"select failed_sign_ins from person where id = {me.person_id}"
    assert await scalar(database, counted) == 0


async def test_a_hash_of_another_cost_is_renewed_at_the_next_sign_in(database: Database) -> None:
    await a_technician(database)
    before = await scalar(database, f"select password_hash from person where email = '{LI}'")
    really = passwords.HASHER
    passwords.HASHER = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)
    try:
        await attempt(database)
        after = await scalar(database, f"select password_hash from person where email = '{LI}'")
        assert after != before
        await attempt(database)
        assert after == await scalar(
            database, f"select password_hash from person where email = '{LI}'"
        )
    finally:
        passwords.HASHER = really


async def test_an_unknown_address_costs_a_hash_too() -> None:
    assert not await passwords.verified(None, "a password that nobody has")
    assert not await passwords.verified("", "")
    assert await passwords.verified(await passwords.hashed("密码"), "密码")
