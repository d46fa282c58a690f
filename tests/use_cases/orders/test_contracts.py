"""Contracts that are kept: names under them, where they stand with the registry, who prints."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.kernel.db import Database, Tx
from marketplace.orders import queries
from marketplace.orders.errors import (
    ContractMissing,
    OrderMissing,
    RegistrationRefused,
    StepNotOpen,
)
from marketplace.orders.queries import ContractAsked, RegistrationList, SignedContract
from marketplace.orders.rules.contract import document_sha256
from marketplace.orders.rules.registration import RegistrationState
from marketplace.orders.use_cases import (
    ConfirmOrder,
    MoveRegistration,
    RegisterContract,
    confirm_order,
    move_registration,
    register_contract,
)
from marketplace.parties.roles import Role
from tests.builders.booking import at_hours
from tests.builders.orders import Market, a_confirmed_order, a_market, a_move, an_order
from tests.builders.parties import an_actor

NUMBER, DAY = "2025320101000123", date(2025, 3, 3)
ELIGIBLE, SUBMITTED, REGISTERED, REFUSED, NOT_ELIGIBLE = (
    RegistrationState.ELIGIBLE,
    RegistrationState.SUBMITTED,
    RegistrationState.REGISTERED,
    RegistrationState.REFUSED,
    RegistrationState.NOT_ELIGIBLE,
)


async def the_contract(market: Market, order_id: int, number: int | None = None) -> SignedContract:
    asked = ContractAsked(order_id, number)
    return await market.do(queries.signed_contract, asked, by=market.buyer)


async def rename_everybody(tx: Tx, name: str) -> None:
    await tx.execute(text("update person set name = :name").bindparams(name=name))


async def test_signers_keep_the_names_that_they_signed_with(database: Database):
    market = await a_market(database, needs_approval=True)
    placed = await an_order(market)
    before = await the_contract(market, placed.id)
    confirmed = await a_confirmed_order_of(market, placed.id)
    signed = await the_contract(market, confirmed)

    await market.do(rename_everybody, "别人")

    assert before.provider_signed_name is None
    assert signed.provider_signed_name not in (None, "别人")
    assert signed == await the_contract(market, confirmed)
    assert signed.sha256 == document_sha256(signed.document)


async def a_confirmed_order_of(market: Market, order_id: int) -> int:
    return (await market.do(confirm_order, ConfirmOrder(order_id), by=market.manager)).id


async def test_each_addendum_is_printed_by_its_number_for_the_two_sides_only(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    await a_move(market, placed.id, at_hours(4, 9, 11))

    standing, first = (
        await the_contract(market, placed.id),
        await the_contract(market, placed.id, 0),
    )

    assert (1, 0) == (standing.amendment, first.amendment)
    assert standing.document["amends"]["sha256"] == first.sha256
    with pytest.raises(ContractMissing):
        await the_contract(market, placed.id, 2)
    asked = ContractAsked(placed.id)
    with pytest.raises(ContractMissing):
        await market.do(queries.signed_contract, asked, by=market.officer)
    stranger = await an_actor(database, Role.BUYER)
    with pytest.raises(OrderMissing):
        await market.do(queries.signed_contract, asked, by=stranger)


async def test_a_digest_tells_days_and_nothing_else(database: Database):
    market = await a_market(database, needs_approval=True)
    placed = await an_order(market)
    digest = (await the_contract(market, placed.id)).sha256

    unsigned = await market.do(queries.verify_contract, digest)
    await a_confirmed_order_of(market, placed.id)
    signed = await market.do(queries.verify_contract, digest)

    assert (True, DAY, None) == (
        unsigned.exists,
        unsigned.buyer_signed_on,
        unsigned.provider_signed_on,
    )
    assert DAY == signed.provider_signed_on
    assert not (await market.do(queries.verify_contract, "0" * 64)).exists


async def test_a_contract_goes_to_the_registry_and_back_step_by_step(database: Database):
    market = await a_market(database, needs_approval=True)
    unsigned = await an_order(market, during=at_hours(3, 9, 11))
    found = await a_confirmed_order(market)

    def to(state: RegistrationState, **facts: Any) -> MoveRegistration:
        return replace(MoveRegistration(found.id, state), **facts)

    with pytest.raises(StepNotOpen):
        await market.do(
            move_registration, MoveRegistration(unsigned.id, ELIGIBLE), by=market.manager
        )
    with pytest.raises(RegistrationRefused):
        await market.do(move_registration, to(SUBMITTED), by=market.manager)
    with pytest.raises(RegistrationRefused):
        await market.do(move_registration, to(ELIGIBLE), by=market.officer)
    other = await an_actor(database, Role.PROVIDER_MANAGER)
    with pytest.raises(OrderMissing):
        await market.do(move_registration, to(ELIGIBLE), by=other)
    await market.do(move_registration, to(ELIGIBLE), by=market.manager)
    await market.do(move_registration, to(SUBMITTED), by=market.manager)
    await market.do(move_registration, to(REFUSED, reason="缺少附件"), by=market.officer)
    await market.do(move_registration, to(SUBMITTED), by=market.manager)
    given = to(REGISTERED, number=NUMBER, registered_on=DAY, place="南京市技术合同登记处")
    registered = await market.do(move_registration, given, by=market.manager)

    assert ("registered", NUMBER, DAY, "南京市技术合同登记处") == (
        registered.state,
        registered.number,
        registered.registered_on,
        registered.place,
    )
    story = await market.do(queries.order_story, found.id, by=market.buyer)
    assert NUMBER == story.contract.registration_number
    steps = [each.facts["state"] for each in story.timeline if each.kind == "registration"]
    assert ["eligible", "submitted", "refused", "submitted", "registered"] == steps
    await market.do(move_registration, to(REFUSED, reason="撤销登记"), by=market.officer)
    assert (await market.do(queries.contract_of, found.id)).registration_number is None


async def test_contracts_are_listed_by_where_they_stand(database: Database):
    market = await a_market(database, needs_approval=True)
    first = await a_confirmed_order(market)
    quiet = await an_order(market, during=at_hours(3, 9, 11))
    second = await a_confirmed_order_of(market, quiet.id)
    await an_order(market, during=at_hours(4, 9, 11))
    await market.do(register_contract, RegisterContract(first.id, NUMBER, DAY), by=market.manager)

    async def listed(**asked: Any) -> list[int]:
        page = await market.do(
            queries.registrations, replace(RegistrationList(), **asked), by=market.manager
        )
        assert page.total >= len(page.rows)
        return [row.order_id for row in page.rows]

    assert [second, first.id] == await listed()
    assert [first.id] == await listed(state=REGISTERED)
    assert [second] == await listed(state=NOT_ELIGIBLE)
    assert [first.id] == await listed(page=2, page_size=1)
    assert [second, first.id] == await listed(signed_from=DAY, signed_until=DAY, text="显微镜")
    assert [] == await listed(signed_from=date(2025, 3, 4))
    assert [] == await listed(provider_id=999_999)
    other = await an_actor(database, Role.PROVIDER_MANAGER)
    assert 0 == (await market.do(queries.registrations, RegistrationList(), by=other)).total
    assert (
        2 == (await market.do(queries.registrations, RegistrationList(), by=market.officer)).total
    )
