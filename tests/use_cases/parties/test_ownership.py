"""Who holds whom through others, since when, and who is under one control."""

from datetime import date

import pytest
from sqlalchemy import text

from marketplace.kernel.db import Database, Tx, atomically
from marketplace.parties import queries
from marketplace.parties.errors import LegalEntityMissing, ShareholdingsRefused
from marketplace.parties.queries import Affiliation, AffiliationKind, OwnershipQuestion, Pair
from marketplace.parties.rules.shareholding import Shareholding
from marketplace.parties.use_cases import (
    SetContact,
    SetShareholdings,
    set_contact,
    set_shareholdings,
)
from tests.builders.parties import TEST, a_legal_entity

HELD = dict[str, int]


async def named(database: Database, name: str, **holders: int) -> int:
    return await a_legal_entity(
        database,
        name=name,
        shareholdings=tuple(Shareholding(*each) for each in holders.items()),
    )


async def tie(database: Database, one: int, other: int) -> Affiliation | None:
    there = await atomically(database, queries.affiliation_today, Pair(one, other), actor=TEST)
    back = await atomically(database, queries.affiliation_today, Pair(other, one), actor=TEST)
    assert (there is None) == (back is None)
    return there


async def group(database: Database, legal_entity_id: int) -> queries.ControllingGroup:
    return await atomically(database, queries.controlling_group, legal_entity_id, actor=TEST)


async def owned(database: Database, legal_entity_id: int, on: date | None = None) -> HELD:
    question = OwnershipQuestion(legal_entity_id, on)
    found = await atomically(database, queries.ownership, question, actor=TEST)
    return {held.holder: held.basis_points for held in found.holdings}


async def test_control_through_others_is_a_tie_and_its_way_is_told(database: Database) -> None:
    top = await named(database, "甲公司")
    middle = await named(database, "乙公司", 甲公司=6_000)
    bottom = await named(database, "丙公司", 乙公司=9_000)

    found = await tie(database, top, bottom)

    assert found is not None
    assert found.kind is AffiliationKind.INDIRECT_CONTROL
    assert found.detail == (
        "甲公司 holds 60.00 % of 乙公司, 乙公司 holds 90.00 % of 丙公司: 54.00 % of 丙公司 in all."
    )
    assert len(found.shareholding_ids) == 2
    assert (await group(database, middle)).legal_entity_ids == (top, middle, bottom)


async def test_ways_add_up_and_a_cycle_ends(database: Database) -> None:
    await named(database, "甲公司", 丁公司=1_000)
    await named(database, "乙公司", 甲公司=5_000)
    await named(database, "丙公司", 甲公司=5_000)
    bottom = await named(database, "丁公司", 乙公司=4_000, 丙公司=4_000, 王五=2_000)

    assert await owned(database, bottom) == {
        "乙公司": 4_000,
        "丙公司": 4_000,
        "甲公司": 4_000,
        "王五": 2_000,
    }


async def test_too_little_through_others_is_no_tie(database: Database) -> None:
    top = await named(database, "甲公司")
    await named(database, "乙公司", 甲公司=6_000)
    bottom = await named(database, "丙公司", 乙公司=6_000)

    assert await tie(database, top, bottom) is None
    assert (await group(database, top)).legal_entity_ids[-1] == bottom


async def test_a_person_behind_two_chains_controls_both(database: Database) -> None:
    await named(database, "甲控股", 王五=9_000)
    await named(database, "乙控股", 王五=10_000)
    firm = await named(database, "甲检测", 甲控股=9_000)
    client = await named(database, "乙材料", 乙控股=8_000)
    stranger = await named(database, "丙材料", 赵六=10_000)

    found = await tie(database, firm, client)

    assert found is not None
    assert found.kind is AffiliationKind.COMMON_CONTROL
    assert "王五 holds 90.00 % of 甲控股, 甲控股 holds 90.00 % of 甲检测" in found.detail
    of_firm = await group(database, firm)
    assert len(of_firm.legal_entity_ids) == 4
    assert of_firm == await group(database, client)
    assert (await group(database, stranger)).legal_entity_ids == (stranger,)


async def test_a_holder_registered_later_is_found_by_code_and_by_name(database: Database) -> None:
    bottom = await named(database, "丙公司", 乙公司=10_000)
    middle = await named(database, "乙公司", 甲公司=10_000)
    top = await named(database, "甲公司")

    assert (await group(database, bottom)).legal_entity_ids == (bottom, middle, top)


async def test_shares_hold_from_and_up_to_their_days(database: Database) -> None:
    firm = await named(database, "甲公司", 王五=10_000)
    sold = SetShareholdings(
        firm, (Shareholding("赵六", 7_000),), since=date(2024, 7, 1), source="工商变更登记"
    )
    await atomically(database, set_shareholdings, sold, actor=TEST)

    assert await owned(database, firm, date(2024, 6, 30)) == {"王五": 10_000}
    assert await owned(database, firm) == {"赵六": 7_000}
    history = await atomically(database, queries.shareholding_history, firm, actor=TEST)
    assert [(each.holder, each.valid_until, each.source) for each in history] == [
        ("赵六", None, "工商变更登记"),
        ("王五", date(2024, 6, 30), ""),
    ]


async def test_what_will_be_held_is_refused(database: Database) -> None:
    firm = await named(database, "甲公司")
    for since in (date(2025, 3, 4), date(1999, 12, 31)):
        with pytest.raises(ShareholdingsRefused):
            await atomically(
                database, set_shareholdings, SetShareholdings(firm, (), since=since), actor=TEST
            )
    with pytest.raises(LegalEntityMissing):
        await atomically(database, set_shareholdings, SetShareholdings(77_777, ()), actor=TEST)


async def test_the_database_keeps_the_parts_within_the_whole(database: Database) -> None:
    firm = await named(database, "甲公司", 王五=6_000)

    async def hold_more(tx: Tx, _: None) -> None:
        await tx.execute(
            text(
                "insert into shareholding (legal_entity_id, holder, basis_points, valid_from)"
                f" values ({firm}, '赵六', 4001, '2024-01-01')"
            )
        )

    with pytest.raises(ShareholdingsRefused):
        await atomically(database, hold_more, None, actor=TEST)


async def test_the_address_may_change(database: Database) -> None:
    firm = await named(database, "甲公司")
    changed = await atomically(
        database, set_contact, SetContact(firm, " 中山路1号 ", "025-1"), actor=TEST
    )

    assert (changed.address, changed.phone) == ("中山路1号", "025-1")
    for ask in (queries.shareholding_history, queries.legal_entity):
        with pytest.raises(LegalEntityMissing):
            await atomically(database, ask, 77_777, actor=TEST)
