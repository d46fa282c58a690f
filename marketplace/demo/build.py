"""Building the province: parties registered, files imported, prices filed, hours opened."""

from __future__ import annotations

from collections.abc import Callable

from marketplace.billing.payouts import use_cases as payouts
from marketplace.billing.pricing import use_cases as pricing
from marketplace.billing.pricing.rules.states import CostKind, CustomerClass
from marketplace.billing.pricing.rules.states import Unit as PriceUnit
from marketplace.billing.pricing.rules.tariff import PriceAsked
from marketplace.booking import use_cases as booking
from marketplace.booking.rules.availability import BookingTerms
from marketplace.catalogue import queries as catalogue_queries
from marketplace.catalogue import use_cases as catalogue
from marketplace.demo.facts import Kind
from marketplace.demo.files import provider_file
from marketplace.demo.people import person_name
from marketplace.demo.plan import Plan, PlannedCompany, PlannedEntity, PlannedProvider, demo_uscc
from marketplace.demo.world import (
    MAIL_DOMAIN,
    PASSWORD,
    Company,
    OfferedInstrument,
    Staff,
    Unit,
    World,
)
from marketplace.kernel.actors import Actor, system_actor
from marketplace.parties import use_cases as parties
from marketplace.parties.roles import Role

Progress = Callable[[str, int], None]

# So many units and companies take part in the year; the others are listed and can be found.
UNITS_MAX = 40
COMPANIES_MAX = 200
PLANNED_HOURS = 1_400
YEAR = 2025
SYSTEM = system_actor("demo")


async def register_staff(world: World) -> Staff:
    """The centre, its people, and the regulator's auditor."""
    entity = await world.do(
        parties.register_legal_entity,
        parties.RegisterLegalEntity(
            uscc=demo_uscc("12", "320000", 900_001),
            name="演示省科技资源统筹服务中心",
            name_en="Demo Provincial Centre for S&T Resources",
            region_code="320000",
            kind="public_institution",
            capital="fiscal",
        ),
        SYSTEM,
    )
    centre = await world.do(
        parties.register_organisation,
        parties.RegisterOrganisation(
            legal_entity_id=entity.id,
            kind="centre",
            name="省科技资源统筹服务中心",
            name_en="Provincial centre",
            region_code="320000",
        ),
        SYSTEM,
    )
    people = {
        "administrator": Role.ADMINISTRATOR,
        "finance_maker": Role.FINANCE_MAKER,
        "finance_checker": Role.FINANCE_CHECKER,
        "voucher_officer": Role.VOUCHER_OFFICER,
        "second_officer": Role.VOUCHER_OFFICER,
        "evaluator": Role.EVALUATOR,
        "second_evaluator": Role.EVALUATOR,
        "expert": Role.EXPERT,
        "auditor": Role.AUDITOR,
    }
    return Staff(
        organisation_id=centre.id,
        **{
            name: await _member(world, centre.id, "centre", name.replace("_", "-"), role)
            for name, role in people.items()
        },
    )


async def _member(
    world: World, organisation_id: int, kind: str, mail_name: str, *roles: Role
) -> Actor:
    person = await world.do(
        parties.add_member,
        parties.AddMember(
            organisation_id=organisation_id,
            role=roles[0],
            person=parties.RegisterPerson(
                email=f"{mail_name}@{MAIL_DOMAIN}", name=person_name(mail_name), password=PASSWORD
            ),
        ),
        SYSTEM,
    )
    for role in roles[1:]:
        await world.do(
            parties.grant_role, parties.GrantRole(person.id, organisation_id, role), SYSTEM
        )
    return Actor(person.id, organisation_id, kind, frozenset(map(str, roles)))


async def _organisation(
    world: World, entity_id: int, kind: str, planned: PlannedEntity, name: str, name_en: str
) -> int:
    made = await world.do(
        parties.register_organisation,
        parties.RegisterOrganisation(
            legal_entity_id=entity_id,
            kind=kind,
            name=name,
            name_en=name_en,
            region_code=planned.region_code,
        ),
        SYSTEM,
    )
    return made.id


async def register_providers(world: World, plan: Plan, staff: Staff, progress: Progress) -> None:
    """Every unit with its legal entity and its file of instruments; the first also open."""
    entity_ids: dict[str, int] = {}
    for number, planned in enumerate(plan.providers, 1):
        entity_id = entity_ids.get(planned.entity.uscc) or await _entity(world, planned.entity)
        entity_ids[planned.entity.uscc] = entity_id
        organisation_id = await _organisation(
            world, entity_id, "provider", planned.entity, planned.name, planned.name_en
        )
        takes_part = number <= UNITS_MAX
        manager = (
            await _member(
                world, organisation_id, "provider", f"provider{number}", Role.PROVIDER_MANAGER
            )
            if takes_part
            else SYSTEM
        )
        await _import(world, planned, organisation_id, manager, number)
        if takes_part:
            unit = Unit(
                organisation_id=organisation_id,
                legal_entity_id=entity_id,
                name=planned.name,
                manager=manager,
                technician=await _member(
                    world, organisation_id, "provider", f"technician{number}", Role.TECHNICIAN
                ),
            )
            world.units.append(unit)
            await _open(world, unit, planned, number - 1)
            await _bank_account(world, manager, staff, planned.name, number)
        progress("providers", 1)


async def _entity(world: World, planned: PlannedEntity) -> int:
    made = await world.do(
        parties.register_legal_entity,
        parties.RegisterLegalEntity(
            uscc=planned.uscc,
            name=planned.name,
            name_en=planned.name_en,
            region_code=planned.region_code,
            kind=planned.kind,
            capital=planned.capital,
            legal_representative=f"演示 {planned.uscc[-7:]}",
        ),
        SYSTEM,
    )
    return made.id


async def _import(
    world: World, planned: PlannedProvider, organisation_id: int, manager: Actor, number: int
) -> None:
    file_name, content = provider_file(planned, number)
    report = await world.do(
        catalogue.import_instruments,
        catalogue.ImportInstruments(
            provider_id=organisation_id,
            file_name=file_name,
            content=content,
        ),
        manager,
    )
    if report.refused:
        raise RuntimeError(f"the demo's own file was refused: {report.errors[:3]}")


async def _open(world: World, unit: Unit, planned: PlannedProvider, unit_number: int) -> None:
    """Opening hours, booking rule, cost sheet and price list of every instrument of a unit."""
    listed, _ = await world.ask(
        catalogue_queries.own_instruments,
        catalogue_queries.OwnInstruments(unit.organisation_id, page_size=200),
        unit.manager,
    )
    kinds = {one.inner_id: one.kind for one in planned.instruments}
    week = tuple(catalogue_queries.OpeningHours(day, 0, 24 * 60) for day in range(7))
    for instrument in listed:
        kind = kinds[instrument.inner_id]
        await world.do(
            catalogue.set_opening_hours,
            catalogue.SetOpeningHours(instrument.id, week),
            unit.manager,
        )
        await world.do(
            booking.set_booking_rule,
            booking.SetBookingRule(
                instrument.id,
                BookingTerms(
                    step_minutes=30,
                    minimum_minutes=60,
                    maximum_minutes=24 * 60,
                    notice_minutes=24 * 60,
                    horizon_days=60,
                    before_minutes=0,
                    after_minutes=30,
                    seats=1,
                ),
            ),
            unit.manager,
        )
        await file_prices(world, unit, instrument.id, kind, year=YEAR)
        unit.instruments.append(
            OfferedInstrument(
                id=instrument.id,
                name=instrument.cname,
                unit_number=unit_number,
                hour_fen=kind.hour_yuan * 100,
                sample_fen=kind.sample_yuan * 100,
            )
        )


async def file_prices(
    world: World, unit: Unit, instrument_id: int, kind: Kind, *, year: int
) -> None:
    """A cost sheet that covers the usual price, and the price list under it [J.21a]."""
    year_cost_fen = kind.hour_yuan * 100 * PLANNED_HOURS
    await world.do(
        pricing.file_cost_sheet,
        pricing.FileCostSheet(
            instrument_id=instrument_id,
            year=year,
            planned_minutes=PLANNED_HOURS * 60,
            components=(
                (CostKind.CONSUMABLES, year_cost_fen * 40 // 100),
                (CostKind.WATER_ELECTRICITY, year_cost_fen * 15 // 100),
                (CostKind.LABOUR, year_cost_fen * 30 // 100),
                (CostKind.MAINTENANCE, year_cost_fen * 20 // 100),
            ),
        ),
        unit.manager,
    )
    hour_fen, sample_fen = kind.hour_yuan * 100, kind.sample_yuan * 100
    prices = [
        PriceAsked(CustomerClass.OWN_UNIT, PriceUnit.HOUR, hour_fen // 2),
        PriceAsked(CustomerClass.ACADEMIC, PriceUnit.HOUR, hour_fen * 3 // 4),
        PriceAsked(CustomerClass.SME, PriceUnit.HOUR, hour_fen),
        PriceAsked(CustomerClass.ENTERPRISE, PriceUnit.HOUR, hour_fen),
    ]
    if sample_fen:
        minutes = -(-kind.sample_yuan * 60 // kind.hour_yuan)
        prices += [
            PriceAsked(who, PriceUnit.SAMPLE, sample_fen, minutes_per_unit=minutes)
            for who in (CustomerClass.SME, CustomerClass.ENTERPRISE)
        ]
    await world.do(
        pricing.file_price_list,
        pricing.FilePriceList(instrument_id=instrument_id, prices=tuple(prices)),
        unit.manager,
    )


async def _bank_account(world: World, manager: Actor, staff: Staff, name: str, number: int) -> None:
    account = await world.do(
        payouts.register_bank_account,
        payouts.RegisterBankAccount(
            bank_name="演示银行",
            cnaps=f"{320_000_000_000 + number}",
            number=account_number(number),
            holder=name,
        ),
        manager,
    )
    await world.do(
        payouts.verify_bank_account,
        payouts.VerifyBankAccount(account.id),
        staff.finance_checker,
    )


def account_number(number: int) -> str:
    """The account of the n-th unit at the demo's bank."""
    return f"9558800000{number:06d}"


async def register_companies(world: World, plan: Plan, progress: Progress) -> None:
    """Every SME; the first ones with a person, a profile and money to spend."""
    for number, planned in enumerate(plan.companies, 1):
        entity_id = await _entity(world, planned.entity)
        organisation_id = await _organisation(
            world, entity_id, "sme", planned.entity, planned.entity.name, planned.entity.name_en
        )
        if number <= COMPANIES_MAX:
            await _company(world, planned, organisation_id, number)
        progress("companies", 1)


async def _company(
    world: World, planned: PlannedCompany, organisation_id: int, number: int
) -> None:
    buyer = await _member(
        world, organisation_id, "sme", f"sme{number}", Role.BUYER, Role.SME_ADMINISTRATOR
    )
    world.companies.append(
        Company(organisation_id, planned.entity.name, buyer, planned.deposit_fen)
    )
    await file_profile(world, planned, buyer, YEAR)


async def file_profile(world: World, planned: PlannedCompany, buyer: Actor, year: int) -> None:
    """The SME's figures of a year, with its number in the national register."""
    await world.do(
        parties.file_sme_profile,
        parties.FileSmeProfile(
            organisation_id=buyer.organisation_id,
            year=year,
            staff=planned.staff,
            sales_fen=planned.sales_fen,
            assets_fen=planned.assets_fen,
            registration_number=str(year) + planned.registration_number[4:],
        ),
        buyer,
    )
