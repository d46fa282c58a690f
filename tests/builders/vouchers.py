"""Programmes, grants, holds and claims for tests, made through the domain's own use cases.

Vouchers lie below orders: in these tests an order and an instrument are only numbers, see
`orders_are_numbers`.
"""

import hashlib
import itertools
import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text

from marketplace.billing.ledger.queries import AccountName, account_id, balance
from marketplace.billing.ledger.use_cases import AccountType, EntryKind
from marketplace.kernel.actors import Actor, system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.parties.roles import Role
from marketplace.vouchers import queries
from marketplace.vouchers.rules.states import EvidenceKind
from marketplace.vouchers.use_cases import (
    ApplyForVoucher,
    ApproveProgramme,
    AttachEvidence,
    AuditClaim,
    DecideApplication,
    DraftClaim,
    DraftProgramme,
    GiveNotice,
    HoldVoucher,
    LayerPlan,
    Piece,
    RecordSpotCheck,
    SettleVoucher,
    SubmitClaim,
    VoucherHeld,
    VoucherSettled,
    apply_for_voucher,
    approve_programme,
    attach_evidence,
    audit_claim,
    decide_application,
    draft_claim,
    draft_programme,
    give_notice,
    hold_voucher,
    record_spot_check,
    settle_voucher,
    submit_claim,
)
from tests.builders.ledger import a_posted_entry, an_account
from tests.builders.owner import become_owner
from tests.builders.parties import an_actor

TEST = system_actor("test")
INSTRUMENT = 1

_numbers = itertools.count(1)

PROVINCE_AND_CITY = (
    LayerPlan("province", "320000", 100_000_000),
    LayerPlan("city", "320100", 100_000_000),
)


async def orders_are_numbers(database: Database) -> None:
    """Let this test's vouchers be held for orders and instruments that nobody entered."""
    async with database.engine.begin() as connection:
        await become_owner(connection)
        for table, column in (
            ("voucher_hold", "order_id"),
            ("voucher_hold", "instrument_id"),
            ("redemption", "order_id"),
        ):
            await connection.execute(
                text(f"alter table {table} drop constraint if exists {table}_{column}_fkey")
            )


async def an_officer(database: Database) -> Actor:
    """A voucher officer of the centre."""
    return await an_actor(database, Role.VOUCHER_OFFICER)


async def a_programme(database: Database, *, approved: bool = True, **changes: Any) -> int:
    """A programme of 2025 that the province and the city of Nanjing fund with 1,000,000 CNY."""
    asked: dict[str, Any] = {
        "name": f"2025年创新券 {next(_numbers)}",
        "name_en": "Innovation vouchers 2025",
        "year": 2025,
        "opens_on": date(2025, 1, 1),
        "closes_on": date(2025, 12, 15),
        "layers": PROVINCE_AND_CITY,
    }
    drafted = await atomically(
        database,
        draft_programme,
        DraftProgramme(**(asked | changes)),
        actor=await an_officer(database),
    )
    if approved:
        await atomically(
            database,
            approve_programme,
            ApproveProgramme(drafted.id),
            actor=await an_officer(database),
        )
    return drafted.id


async def an_application(
    database: Database, *, programme_id: int, sme: Actor, asked_fen: int = 4_000_000
) -> int:
    """A submitted application of the SME."""
    command = ApplyForVoucher(programme_id, asked_fen, "新型涡轮叶片涂层研究")
    return (await atomically(database, apply_for_voucher, command, actor=sme)).id


@dataclass(frozen=True)
class AGrant:
    """A grant, whose it is and where it comes from."""

    grant_id: int
    programme_id: int
    sme: Actor


async def a_grant(
    database: Database,
    *,
    programme_id: int | None = None,
    sme: Actor | None = None,
    amount_fen: int = 4_000_000,
) -> AGrant:
    """A voucher of 40,000 CNY, half from the province and half from the city."""
    programme_id = programme_id or await a_programme(database)
    sme = sme or await an_actor(database, Role.SME_ADMINISTRATOR)
    application_id = await an_application(
        database, programme_id=programme_id, sme=sme, asked_fen=amount_fen
    )
    decided = await atomically(
        database,
        decide_application,
        DecideApplication(application_id, amount_fen),
        actor=await an_officer(database),
    )
    assert decided.grant_id is not None
    return AGrant(decided.grant_id, programme_id, sme)


async def a_hold(
    database: Database, *, granted: AGrant, provider_id: int, **changes: Any
) -> VoucherHeld:
    """A voucher held for an order of 1,000 CNY."""
    asked: dict[str, Any] = {
        "order_id": next(_numbers),
        "organisation_id": granted.sme.organisation_id,
        "provider_id": provider_id,
        "instrument_id": INSTRUMENT,
        "service_kind": "research",
        "service_value_fen": 100_000,
    }
    return await atomically(database, hold_voucher, HoldVoucher(**(asked | changes)), actor=TEST)


async def a_redemption(
    database: Database, *, granted: AGrant, provider_id: int, service_value_fen: int = 100_000
) -> VoucherSettled:
    """A service of 1,000 CNY, used and settled."""
    order_id = next(_numbers)
    await a_hold(
        database,
        granted=granted,
        provider_id=provider_id,
        order_id=order_id,
        service_value_fen=service_value_fen,
    )
    command = SettleVoucher(order_id, service_value_fen, date(2025, 3, 3))
    return await atomically(database, settle_voucher, command, actor=TEST)


def a_digest() -> str:
    """The SHA-256 of a file that nobody attached before."""
    return hashlib.sha256(f"file {next(_numbers)}".encode()).hexdigest()


def an_invoice_number() -> str:
    """An electronic invoice number that nobody used before."""
    return f"2532{next(_numbers):016d}"


def a_piece(redemption_id: int, kind: EvidenceKind, **changes: Any) -> Piece:
    """A piece of evidence with a file of its own."""
    number = an_invoice_number() if kind is EvidenceKind.INVOICE else None
    asked: dict[str, Any] = {
        "redemption_id": redemption_id,
        "kind": kind,
        "sha256": a_digest(),
        "reference": f"{kind}.pdf",
        "invoice_number": number,
    }
    return Piece(**(asked | changes))


@dataclass(frozen=True)
class AClaim:
    """A claim and the people around it."""

    claim_id: int
    provider: Actor
    officer: Actor
    redemption_ids: tuple[int, ...]


async def a_claim(
    database: Database,
    *,
    granted: AGrant | None = None,
    provider: Actor | None = None,
    redemptions: int = 3,
    status: str = "draft",
) -> AClaim:
    """A claim of redemptions of 500 CNY each, with all evidence, brought as far as `status`."""
    granted = granted or await a_grant(database)
    provider = provider or await an_actor(database, Role.PROVIDER_MANAGER)
    ids = []
    for _ in range(redemptions):
        settled = await a_redemption(
            database, granted=granted, provider_id=provider.organisation_id
        )
        assert settled.redemption_id is not None
        ids.append(settled.redemption_id)
    drafted = await atomically(database, draft_claim, DraftClaim(), actor=provider)
    made = AClaim(drafted.id, provider, await an_officer(database), tuple(ids))
    if status != "draft":
        await bring_claim(database, made, status)
    return made


async def bring_claim(database: Database, made: AClaim, status: str) -> None:
    """Prove, submit, audit and spot-check a draft, as far as `status`."""
    pieces = tuple(a_piece(each, kind) for each in made.redemption_ids for kind in EvidenceKind)
    await atomically(
        database, attach_evidence, AttachEvidence(made.claim_id, pieces), actor=made.provider
    )
    await atomically(database, submit_claim, SubmitClaim(made.claim_id), actor=made.provider)
    if status == "submitted":
        return
    page = await atomically(
        database, audit_claim, AuditClaim(made.claim_id, seed=1), actor=made.officer
    )
    if status == "audited":
        return
    for check in page.spot_checks:
        command = RecordSpotCheck(made.claim_id, check.redemption_id, True, "As filed.")
        await atomically(database, record_spot_check, command, actor=made.officer)
    await atomically(database, give_notice, GiveNotice(made.claim_id), actor=made.officer)


async def a_voucher_fund(database: Database, amount_fen: int = 100_000_000) -> None:
    """Treasury money to redeem vouchers with."""
    bank = await an_account(database, AccountType.BANK)
    fund = await an_account(database, AccountType.VOUCHER_FUND)
    await a_posted_entry(
        database,
        debit=bank,
        credit=fund,
        amount_fen=amount_fen,
        kind=EntryKind.VOUCHER_FUND_RECEIVED,
    )


async def money_on(
    database: Database, account_type: AccountType, owner_id: int | None = None
) -> int:
    """What is available on an account; 0 before it is opened."""

    async def ask(tx: Tx, name: AccountName) -> int:
        found = await account_id(tx, name)
        return 0 if found is None else (await balance(tx, found)).available_fen

    return await atomically(database, ask, AccountName(account_type, owner_id), actor=TEST)


async def the_layers(database: Database, programme_id: int) -> list[int]:
    """The ids of a programme's layers."""
    found = await atomically(database, queries.layers, programme_id, actor=TEST)
    return [layer.id for layer in found]


async def the_wallet(database: Database, granted: AGrant) -> queries.WalletVoucher:
    """The only voucher of the grant's SME."""
    found = await atomically(
        database, queries.wallet, granted.sme.organisation_id, actor=granted.sme
    )
    return found[0]


async def with_terms(database: Database, programme_id: int, **terms: Any) -> None:
    """Let a programme have had other terms from the beginning; `code` is its file's."""
    code = terms.pop("code", None)
    snapshot = {name: {"value": value, "source": "J.22b"} for name, value in terms.items()}
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("set local session_replication_role = replica"))
        await connection.execute(
            text(
                "update programme set terms = terms || cast(:terms as jsonb),"
                " code = coalesce(:code, code) where id = :id"
            ),
            {"terms": json.dumps(snapshot), "code": code, "id": programme_id},
        )
