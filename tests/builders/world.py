"""A whole small world: one of everything that an organisation may own, and strangers to all of it.

The access tests walk over it. A new kind of thing with an id in an address belongs in `_ids`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from marketplace.billing.ledger.use_cases import AccountType
from marketplace.billing.payouts.use_cases import (
    AskRefund,
    InstructPayout,
    RegisterBankAccount,
    VerifyBankAccount,
    ask_refund,
    instruct_payout,
    register_bank_account,
    verify_bank_account,
)
from marketplace.billing.pricing.use_cases import ObjectToPrices, object_to_prices
from marketplace.booking.rules.busy_sources import SourceKind
from marketplace.booking.rules.ical import FeedKind
from marketplace.booking.rules.schedule import DatedHours
from marketplace.booking.use_cases import (
    AddSource,
    DraftStatement,
    MakeFeed,
    add_source,
    draft_statement,
    make_feed,
)
from marketplace.booking.use_cases.hours import SetDatedHours, set_dated_hours
from marketplace.catalogue.queries import export_csv
from marketplace.catalogue.use_cases import ImportInstruments, import_instruments
from marketplace.evaluation.use_cases import (
    DraftAssessments,
    FileObjection,
    PublishAssessments,
    draft_assessments,
    file_objection,
    publish_assessments,
)
from marketplace.exchange.use_cases import MakeExport, make_export
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx
from marketplace.kernel.time import shanghai_day, shanghai_instant
from marketplace.orders.use_cases import (
    AcceptOrder,
    IssueInvoiceFile,
    ReviewOrder,
    accept_order,
    issue_invoice_file,
    review_order,
)
from marketplace.orders.use_cases.custody import SendSamples, send_samples
from marketplace.orders.use_cases.enquiry_files import AttachFile, attach_file
from marketplace.orders.use_cases.saved import SaveSearch, save_search
from marketplace.parties.roles import Role
from marketplace.vouchers.rules.states import EvidenceKind
from marketplace.vouchers.use_cases import AttachEvidence, DraftClaim, attach_evidence, draft_claim
from tests.builders.anomalies import anomaly_things
from tests.builders.applications import application_things
from tests.builders.attachments import a_pdf
from tests.builders.booking import (
    a_bookable_instrument,
    a_closure,
    a_group,
    a_reservation,
    a_series,
    at_hours,
)
from tests.builders.claims import claim_things
from tests.builders.credit import credit_things
from tests.builders.disputes import dispute_things
from tests.builders.einvoice import an_invoice_file
from tests.builders.enquiries import a_service, an_enquiry, an_offer
from tests.builders.hours import a_session_in_history
from tests.builders.notices import public_notices
from tests.builders.offices import office_things, waiting_orders
from tests.builders.orders import (
    Market,
    a_delivered_order,
    a_market,
    a_move,
    a_quote,
    a_sample_order,
    an_order,
    free_use_things,
)
from tests.builders.owner import become_owner
from tests.builders.parties import a_person, an_actor
from tests.builders.pricing import a_price_list
from tests.builders.rewards import a_grade, a_reward_fund, an_approved_run, reward_things
from tests.builders.standing import standing_things
from tests.builders.usage import usage_things
from tests.builders.vouchers import a_piece
from tests.builders.waiting import waiting_things

# Roles of organisations whose things are nobody else's business.
BOUND_ROLES = (
    Role.BUYER,
    Role.SME_ADMINISTRATOR,
    Role.TECHNICIAN,
    Role.PROVIDER_MANAGER,
    Role.STATION_AGENT,
)

# The newest of each kind is the one that was built for the purpose.
_IDS = {
    "account_id": "select max(id) from bank_account where organisation_id = {provider}",
    "assessment_id": "select id from assessment where provider_id = {provider}",
    "change_id": "select max(id) from order_change",
    "ledger_account_id": "select max(id) from account",
    "ledger_entry_id": "select max(id) from entry",
    "claim_id": "select max(id) from claim",
    "clawback_id": "select max(id) from clawback",
    "sanction_id": "select max(id) from sanction",
    "enquiry_id": "select max(id) from enquiry",
    "export_id": "select max(id) from national_export",
    "file_id": "select max(id) from enquiry_file",
    "offer_id": "select max(id) from enquiry_offer",
    "feed_id": "select max(id) from calendar_feed",
    "search_id": "select max(id) from saved_search",
    "source_id": "select max(id) from busy_source",
    "closure_id": "select max(id) from closure",
    "deliverable_id": "select max(id) from deliverable",
    "document_id": "select max(id) from application_document",
    "fact_id": "select max(id) from beneficiary_fact",
    "grant_id": "select max(id) from voucher_grant",
    "position": "select 1",
    "objection_id": "select max(id) from objection",
    "payout_id": "select max(id) from payout where organisation_id = {provider}",
    "price_list_id": "select max(id) from price_list",
    "price_objection_id": "select max(id) from price_objection",
    "programme_id": "select max(id) from programme",
    "invoice_id": "select invoice_id from invoice_file",
    "legal_entity_id": "select legal_entity_id from organisation where id = {provider}",
    "refund_id": "select max(id) from wallet_refund",
    "redemption_id": "select max(id) from redemption",
    "statement_id": "select max(id) from hours_statement",
    "application_id": "select max(id) from voucher_application",
    "run_id": "select max(id) from reward_run",
    "reading_id": "select max(id) from machine_reading",
    "repair_id": "select max(id) from session_repair",
    "report_id": "select max(id) from problem_report",
    "key_id": "select max(id) from api_key",
}


@dataclass(frozen=True)
class World:
    """Ids by the name they have in an address, who owns them, and who does not."""

    ids: dict[str, int | str]
    owners: dict[Role, Actor]
    strangers: dict[Role, Actor]


async def a_world(database: Database) -> World:
    """Build it; the clock of `database` has moved on by some days after."""
    await _tell_ids_apart(database)
    market = await a_market(database)
    agent = await an_actor(database, Role.STATION_AGENT)
    await _file(market)
    await usage_things(market)
    ordered = await _trade(market) | await _send(market)
    await _settle(market)
    await _report(market)
    await _enquire(market, agent)
    ids = await _ids(market) | ordered
    ids |= await standing_things(market, learner_id=int(ids["person_id"]))
    ids |= await waiting_things(market)
    ids |= await credit_things(market)
    ids |= await free_use_things(market)
    ids |= await dispute_things(market, settled_order_id=int(ids["order_id"]))
    ids |= await anomaly_things(market)
    ids |= await reward_things(market.database, market.manager, int(ids["run_id"]))
    ids |= await office_things(
        market, payout_id=int(ids["payout_id"]), programme_id=int(ids["programme_id"])
    )
    ids |= await waiting_orders(market, agent)
    ids |= await public_notices(market)
    sme_people = dict.fromkeys((Role.BUYER, Role.SME_ADMINISTRATOR), market.buyer)
    return World(
        ids=ids,
        owners=sme_people
        | {
            Role.TECHNICIAN: market.technician,
            Role.PROVIDER_MANAGER: market.manager,
            Role.STATION_AGENT: agent,
        },
        strangers={role: await an_actor(database, role) for role in BOUND_ROLES},
    )


async def _tell_ids_apart(database: Database) -> None:
    """Let each table count from a number of its own: an order's id is no instrument's."""
    async with database.engine.begin() as connection:
        await become_owner(connection)
        sequences = await connection.execute(
            text("select sequencename from pg_sequences where schemaname = 'public' order by 1")
        )
        for place, name in enumerate(sequences.scalars().all(), start=1):
            await connection.execute(text(f"alter sequence {name} restart with {place * 1000}"))


async def _file(market: Market) -> None:
    """What the provider keeps of its instrument: hours out of service, an import, an account."""
    await a_closure(market.database, instrument_id=market.instrument_id, during=at_hours(20, 8, 12))
    await market.do(make_feed, MakeFeed(FeedKind.PROVIDER), by=market.manager)
    await market.do(save_search, SaveSearch("电镜", "电镜"), by=market.buyer)
    pushed = AddSource(market.instrument_id, SourceKind.PUSH, "校内预约系统")
    await market.do(add_source, pushed, by=market.manager)
    filed = await a_price_list(market.database, instrument_id=market.instrument_id)
    objection = ObjectToPrices(filed.id, "样品费过高")
    await market.do(object_to_prices, objection, by=market.buyer)
    sunday = SetDatedHours(
        market.instrument_id, (DatedHours(date(2025, 3, 30), 480, 720),), "Open day"
    )
    await market.do(set_dated_hours, sunday, by=market.manager)
    provider_id = market.manager.organisation_id
    file = await market.do(export_csv, provider_id, by=market.manager)
    # The last line is refused: the report has something to say.
    again = ImportInstruments(provider_id, "仪器.csv", file + "无此仪器\r\n".encode())
    await market.do(import_instruments, again, by=market.manager)
    for owner in (market.manager, market.buyer):
        account = RegisterBankAccount("江苏银行", "313301000019", "31010188000123456", "持有人")
        made = await market.do(register_bank_account, account, by=owner)
        checker = await an_actor(market.database, Role.FINANCE_CHECKER)
        await market.do(verify_bank_account, VerifyBankAccount(made.id), by=checker)


async def _trade(market: Market) -> dict[str, int | str]:
    """An order delivered and accepted, one that its provider wants at another time, an unused
    quote, the provider's own use."""
    done = await a_delivered_order(market)
    settled = await market.do(accept_order, AcceptOrder(done.id), by=market.buyer)
    await market.do(review_order, ReviewOrder(done.id, 5, "清晰"), by=market.buyer)
    file = IssueInvoiceFile(done.id, "发票.xml", await an_invoice_file(market, settled))
    await market.do(issue_invoice_file, file, by=market.manager)
    waiting = await an_order(market, during=at_hours(6, 9, 11))
    await a_move(market, waiting.id, at_hours(6, 13, 15), by=market.manager)
    quote = await a_quote(market, during=at_hours(7, 9, 11))
    own = await a_reservation(
        market.database,
        instrument_id=market.instrument_id,
        during=at_hours(8, 9, 11),
        actor=market.technician,
    )
    assert done.reservation_id is not None
    recurring = await a_bookable_instrument(
        market.database, provider_id=market.manager.organisation_id
    )
    group = await a_group(
        market.database,
        instrument_id=recurring,
        actor=market.technician,
        during=at_hours(40, 14, 15),
    )
    series = await a_series(
        market.database,
        instrument_id=recurring,
        actor=market.technician,
        starts_at=at_hours(40, 9, 11).starts_at,
        rule="FREQ=WEEKLY;COUNT=2",
    )
    return {
        "group_id": group.id,
        "series_id": series.series.id,
        "order_id": done.id,
        "waiting_order_id": waiting.id,
        "quote_id": quote.id,
        "reservation_id": own.id,
        "used_reservation_id": done.reservation_id,
    }


async def _send(market: Market) -> dict[str, int | str]:
    """Samples on their way to the provider."""
    order_id = (await a_sample_order(market)).id
    sent = await market.do(send_samples, SendSamples(order_id, "顺丰", "SF1", 5), by=market.buyer)
    return {"sample_order_id": order_id, "shipment_id": sent.id, "code": f"SC-{order_id}-1"}


async def _enquire(market: Market, agent: Actor) -> None:
    """What an agent asks for the buyer, with a file and an offer that stands."""
    asked = await an_enquiry(market, by=agent, buyer_id=market.buyer.organisation_id)
    paper = AttachFile(asked.id, "需求.pdf", a_pdf())
    await market.do(attach_file, paper, by=market.buyer)
    during = at_hours(50, 9, 11)
    later = a_service(market, starts_at=during.starts_at, ends_at=during.ends_at)
    await an_offer(market, asked.id, service=later)


async def _settle(market: Market) -> None:
    """A claim with its evidence, a payout, an assessment with an objection."""
    claim = await market.do(draft_claim, DraftClaim(), by=market.manager)
    redemption_id = await market.do(_scalar, _IDS["redemption_id"])
    pieces = tuple(a_piece(redemption_id, kind) for kind in EvidenceKind)
    await market.do(attach_evidence, AttachEvidence(claim.id, pieces), by=market.manager)
    await claim_things(market, claim.id)
    await market.do(application_things, market.buyer.organisation_id, by=market.buyer)
    payout = InstructPayout(
        market.manager.organisation_id, 100, "settlement", 1, AccountType.PAYABLE
    )
    await market.do(instruct_payout, payout, by=await an_actor(market.database, Role.FINANCE_MAKER))
    await market.do(ask_refund, AskRefund(1, "多付退回"), by=market.buyer)
    await a_reward_fund(market.database)
    await a_grade(market.database, provider_id=market.manager.organisation_id)
    today = shanghai_day(market.database.clock.now())
    await an_approved_run(market.database, through=today)
    evaluator = await an_actor(market.database, Role.EVALUATOR)
    await market.do(draft_assessments, DraftAssessments(2025), by=evaluator)
    await market.do(publish_assessments, PublishAssessments(2025), by=evaluator)
    assessment_id = await market.do(
        _scalar, _IDS["assessment_id"].format(provider=market.manager.organisation_id)
    )
    await market.do(file_objection, FileObjection(assessment_id, "机时有误"), by=market.manager)


async def _report(market: Market) -> None:
    """A month of machine-hours drawn up, and a quarter for the national platform."""
    await a_session_in_history(
        market.database,
        instrument_id=market.instrument_id,
        opened_at=shanghai_instant(date(2024, 11, 5), 600),
    )
    january = DraftStatement(date(2025, 1, 1))
    await market.do(draft_statement, january, by=market.technician)
    await market.do(make_export, MakeExport(2024, 4), by=market.technician)


async def _ids(market: Market) -> dict[str, int | str]:
    provider = market.manager.organisation_id
    found: dict[str, int | str] = {
        name: await market.do(_scalar, query.format(provider=provider))
        for name, query in _IDS.items()
    }
    sme = market.buyer.organisation_id
    return found | {
        "instrument_id": market.instrument_id,
        "organisation_id": sme,
        "provider_id": provider,
        "person_id": await a_person(market.database, organisation_id=sme, roles=(Role.BUYER,)),
        "role": Role.BUYER,
        "year": 2025,
        "month": 2,
        "batch_id": await market.do(_scalar, "select max(id) from import_batch"),
    }


async def _scalar(tx: Tx, query: str) -> int:
    found = await tx.scalar(text(query))
    assert isinstance(found, int), query
    return found
