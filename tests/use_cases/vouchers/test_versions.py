"""Policy: J.22a, J.22b. An approved programme changes by a version that another person approves."""

from datetime import date
from typing import Any

import pytest

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import SetClock, shanghai_instant
from marketplace.parties.roles import Role
from marketplace.vouchers import queries
from marketplace.vouchers.errors import (
    ProgrammeCodeTaken,
    ProgrammeMissing,
    ProgrammeRefused,
    ProgrammeStateMoved,
    ProgrammeVersionMissing,
    ProgrammeVersionStartTaken,
    ProgrammeVersionWaiting,
    SamePerson,
)
from marketplace.vouchers.queries import ProgrammeVersion, VersionPair, VersionsAsked
from marketplace.vouchers.rules.programme_file import shipped_programme
from marketplace.vouchers.use_cases import (
    ApproveProgramme,
    DecideVersion,
    DraftVersion,
    ImportProgramme,
    SettleVoucher,
    TermGiven,
    approve_programme,
    approve_version,
    discard_version,
    draft_version,
    import_programme,
    settle_voucher,
)
from tests.builders.parties import a_provider, an_actor
from tests.builders.vouchers import (
    TEST,
    a_grant,
    a_hold,
    a_programme,
    an_officer,
    orders_are_numbers,
)

HALF = {"cap_per_order_fen": TermGiven(20_000, "苏科机发〔2025〕1号")}
APRIL = date(2025, 4, 1)


async def a_version(
    database: Database, programme_id: int, *, by: Actor | None = None, **changes: Any
) -> ProgrammeVersion:
    asked: dict[str, Any] = {"starts_on": APRIL, "reason": "Less money", "changes": HALF}
    command = DraftVersion(programme_id, **(asked | changes))
    return await atomically(
        database, draft_version, command, actor=by or await an_officer(database)
    )


async def approved(database: Database, version: ProgrammeVersion) -> ProgrammeVersion:
    command = DecideVersion(version.programme_id, version.version)
    return await atomically(database, approve_version, command, actor=await an_officer(database))


async def test_a_version_is_drafted_by_one_and_approved_by_another(database: Database):
    programme_id = await a_programme(database)
    officer = await an_officer(database)

    drafted = await a_version(database, programme_id, by=officer)

    assert (drafted.version, drafted.status) == (2, "draft")
    decide = DecideVersion(programme_id, 2)
    with pytest.raises(SamePerson):
        await atomically(database, approve_version, decide, actor=officer)
    with pytest.raises(ProgrammeVersionWaiting):
        await a_version(database, programme_id)
    assert (await approved(database, drafted)).status == "approved"
    with pytest.raises(ProgrammeStateMoved):
        await approved(database, drafted)
    decide = DecideVersion(programme_id, 9)
    with pytest.raises(ProgrammeVersionMissing):
        await atomically(database, discard_version, decide, actor=officer)


async def test_orders_keep_the_terms_they_were_held_under(database: Database, clock: SetClock):
    await orders_are_numbers(database)
    granted = await a_grant(database)
    provider_id = await a_provider(database)
    await approved(database, await a_version(database, granted.programme_id))
    old = await a_hold(database, granted=granted, provider_id=provider_id, order_id=700)
    clock.set(shanghai_instant(APRIL, 9 * 60))
    new = await a_hold(database, granted=granted, provider_id=provider_id, order_id=701)

    assert (old.amount_fen, new.amount_fen) == (50_000, 20_000)
    settle = SettleVoucher(700, 100_000, APRIL)
    settled = await atomically(database, settle_voucher, settle, actor=TEST)
    assert settled.amount_fen == 50_000


async def test_a_version_is_seen_by_the_public_once_it_is_approved(database: Database):
    programme_id = await a_programme(database)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    drafted = await a_version(database, programme_id)
    asked, pair = VersionsAsked(programme_id), VersionPair(programme_id, 1, 2)

    assert (await atomically(database, queries.versions, asked, actor=sme)).total == 0
    with pytest.raises(ProgrammeVersionMissing):
        await atomically(database, queries.compare_versions, pair, actor=sme)
    await approved(database, drafted)

    assert (await atomically(database, queries.versions, asked, actor=sme)).total == 1
    [found] = await atomically(database, queries.compare_versions, pair, actor=sme)
    assert found.term == "cap_per_order_fen"
    assert found.first is not None
    assert found.second is not None
    assert (found.first["value"], found.second["value"]) == (10_000_000, 20_000)
    of = await atomically(database, queries.programme, programme_id, actor=TEST)
    assert (of.version, of.agreed.cap_per_order_fen) == (1, 10_000_000)


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"starts_on": date(2025, 3, 3)}, ["starts-on"]),
        ({"starts_on": date(2024, 12, 31)}, ["starts-on", "starts-on"]),
        ({"changes": {}}, ["changes"]),
        ({"changes": {"layers": TermGiven([], "x")}}, ["terms.layers"]),
        ({"changes": {"nonsense": TermGiven(1, "x")}}, ["terms.nonsense"]),
        ({"changes": {"validity": TermGiven("weeks-3", "x")}}, ["terms.validity"]),
        ({"changes": {"staff_max": TermGiven(None, "x")}}, ["terms.staff_max"]),
    ],
)
async def test_a_version_that_cannot_be_is_refused_with_its_reasons(
    database: Database, changes: dict[str, Any], rules: list[str]
):
    programme_id = await a_programme(database)

    with pytest.raises(ProgrammeRefused) as refused:
        await a_version(database, programme_id, **changes)

    assert [reason.rule for reason in refused.value.reasons] == rules


async def test_versions_come_one_after_the_other(database: Database, clock: SetClock):
    programme_id = await a_programme(database)
    await approved(database, await a_version(database, programme_id))
    same_day = {"cap_per_order_fen": TermGiven(30_000, "x")}

    with pytest.raises(ProgrammeRefused):
        await a_version(database, programme_id, changes=same_day)
    later = await a_version(database, programme_id, changes=same_day, starts_on=date(2025, 5, 1))
    clock.set(shanghai_instant(date(2025, 5, 1), 0))
    with pytest.raises(ProgrammeRefused):
        await approved(database, later)
    discarded = await atomically(
        database, discard_version, DecideVersion(programme_id, 3), actor=await an_officer(database)
    )
    assert discarded.status == "discarded"
    assert ProgrammeVersionStartTaken.constraint == "programme_version_start"


async def test_a_draft_is_drafted_anew_instead(database: Database):
    programme_id = await a_programme(database, approved=False)

    with pytest.raises(ProgrammeStateMoved):
        await a_version(database, programme_id)


async def test_a_programme_is_drafted_from_its_file_and_opened_like_any_other(database: Database):
    content = shipped_programme("zhejiang-yuhuan-2023").read_bytes()
    officer, second = await an_officer(database), await an_officer(database)

    drafted = await atomically(database, import_programme, ImportProgramme(content), actor=officer)
    await atomically(database, approve_programme, ApproveProgramme(drafted.id), actor=second)

    assert (drafted.code, drafted.year) == ("zhejiang-yuhuan-2023", 2023)
    [layer] = await atomically(database, queries.layers, drafted.id, actor=TEST)
    assert (layer.name, layer.ratio_basis_points) == ("玉环市", 10_000)
    named = await atomically(database, queries.programme_named, drafted.code, actor=TEST)
    assert named.id == drafted.id
    with pytest.raises(ProgrammeMissing):
        await atomically(database, queries.programme_named, "nowhere", actor=TEST)
    again = content.decode().replace("玉环市科技创新券", "另一个名称")
    with pytest.raises(ProgrammeCodeTaken):
        await atomically(database, import_programme, ImportProgramme(again.encode()), actor=officer)
    with pytest.raises(ProgrammeRefused):
        await atomically(database, import_programme, ImportProgramme(b"code = 1"), actor=officer)
