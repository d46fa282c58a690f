"""Policy: J.22a, J.22b. Every programme that comes along is opened, and pays an order by its terms.

One database for all of them, each in its own days, from its file to the claim that it takes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import pytest

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.parties.roles import Role
from marketplace.vouchers import queries
from marketplace.vouchers.rules.limits import Beneficiary
from marketplace.vouchers.rules.paper_days import windows_of
from marketplace.vouchers.rules.programme_file import FOLDER, ProgrammePlan, read_programme
from marketplace.vouchers.rules.states import ApplicationStatus, EvidenceKind, FactKind
from marketplace.vouchers.rules.terms import Terms, terms_of
from marketplace.vouchers.use_cases import (
    ApplyForVoucher,
    ApproveProgramme,
    AttachEvidence,
    DecideApplication,
    DecideFact,
    DraftClaim,
    HoldVoucher,
    SettleVoucher,
    StateFact,
    StoreDocument,
    SubmitApplication,
    SubmitClaim,
    apply_for_voucher,
    approve_programme,
    attach_evidence,
    decide_application,
    decide_fact,
    draft_claim,
    hold_voucher,
    settle_voucher,
    state_fact,
    store_document,
    submit_application,
    submit_claim,
)
from marketplace.vouchers.use_cases.programme_files import ImportProgramme, import_programme
from tests.builders.applications import A_PDF
from tests.builders.parties import a_profile, a_provider, an_actor, an_organisation
from tests.builders.vouchers import TEST, a_piece

# Ten vouchers of the largest face value, and an order that half of them pay for.
ASKED_FEN = 500_000
SERVICE_FEN = 1_200_000
ORDERS_FROM = 50_001
# What an order is for where its buyer names nothing else.
USUAL_KIND = "research-and-development"
# The platform's own terms begin here; an older programme is run with all its days years later.
PLATFORM_SINCE = date(2020, 8, 11)
LATER = 8

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True, slots=True)
class People:
    """Who of the centre opens programmes and decides."""

    officers: tuple[Actor, Actor, Actor]


def in_force(content: bytes) -> bytes:
    """A programme's file, with every day and year in it moved to where the platform has terms."""
    if read_programme(content).file.opens_on >= PLATFORM_SINCE:
        return content

    def later(found: re.Match[str]) -> str:
        return f"{found[1]}{int(found[2]) + LATER}{found[3]}"

    moved = re.sub(r"()\b(20\d\d)(-\d\d-\d\d)", later, content.decode())
    return re.sub(r"(?m)^((?:budget_)?year = )(20\d\d)()$", later, moved).encode()


def day_of(plan: ProgrammePlan, terms: Terms) -> date:
    """A day on which an SME may apply and order: the third of the programme's year."""
    first = max(plan.file.opens_on, date(plan.file.year, 1, 3))
    return terms.batches[0].opens_on if terms.batches else first


def place_of(plan: ProgrammePlan) -> str:
    """Where an SME has all the layers that pay for one: the narrowest region of any."""
    regions = [each.region_code for each in plan.file.layers]
    return max(regions, key=lambda code: len(code.rstrip("0")))


def claim_day(plan: ProgrammePlan, terms: Terms) -> date:
    """A day on which what was redeemed may be claimed: in a window, or after the year."""
    if terms.claim_windows:
        return terms.claim_windows[0].opens_on
    return date(plan.file.year + 1, 1, 5)


async def an_eligible_sme(
    database: Database, plan: ProgrammePlan, kind: Beneficiary, day: date, officer: Actor
) -> Actor:
    """An SME of the programme's place with everything that the programme asks of its kind."""
    sme_id = await an_organisation(database, kind="sme", region_code=place_of(plan))
    await a_profile(
        database,
        organisation_id=sme_id,
        year=plan.file.year,
        staff=5,
        sales_fen=100_000_00,
        assets_fen=100_000_00,
    )
    sme = await an_actor(database, Role.SME_ADMINISTRATOR, organisation_id=sme_id)
    facts: list[dict[str, Any]] = [
        {"kind": FactKind.CERTIFICATE, "name": name} for name in sorted(kind.certificates)
    ]
    facts.append({"kind": FactKind.CAPITAL, "number": 100_000_00})
    facts.append({"kind": FactKind.FOUNDED})
    if kind.entity == "team":
        facts.append({"kind": FactKind.TEAM, "number": kind.members_min or 1})
    for fact in facts:
        stated = StateFact(sme_id, starts_on=day, source="登记机关", **fact)
        made = await atomically(database, state_fact, stated, actor=sme)
        await atomically(database, decide_fact, DecideFact(made.id, True), actor=officer)
    return sme


async def granted(
    database: Database, programme_id: int, terms: Terms, sme: Actor, people: People
) -> int:
    """The voucher that the SME applied for, decided by as many persons as the terms ask for."""
    command = ApplyForVoucher(programme_id, ASKED_FEN, "新型涂层研究")
    asked = await atomically(database, apply_for_voucher, command, actor=sme)
    for kind in terms.application_documents:
        content = A_PDF + kind.encode()
        document = StoreDocument(asked.id, kind, f"{kind}.pdf", content)
        await atomically(database, store_document, document, actor=sme)
    if terms.application_documents:
        assert asked.status == ApplicationStatus.DRAFT
        await atomically(database, submit_application, SubmitApplication(asked.id), actor=sme)
    for officer in people.officers[: terms.approvers]:
        decision = DecideApplication(asked.id, ASKED_FEN)
        decided = await atomically(database, decide_application, decision, actor=officer)
    assert decided.grant_id is not None
    return decided.grant_id


async def claimed(
    database: Database, terms: Terms, claimant: Actor, redemption_id: int, day: date
) -> queries.Claim:
    """The claim of the one redemption, with the papers and days that the terms ask for."""
    made = await atomically(database, draft_claim, DraftClaim(), actor=claimant)
    windows = windows_of(terms)
    pieces = []
    for kind in map(EvidenceKind, terms.required_evidence):
        dated_on = day if kind in windows else None
        pieces.append(a_piece(redemption_id, kind, dated_on=dated_on))
    command = AttachEvidence(made.id, tuple(pieces))
    await atomically(database, attach_evidence, command, actor=claimant)
    return await atomically(database, submit_claim, SubmitClaim(made.id), actor=claimant)


async def test_every_programme_is_opened_pays_an_order_and_takes_its_claim(
    database: Database, clock: SetClock
):
    officers = [await an_actor(database, Role.VOUCHER_OFFICER) for _ in range(3)]
    people = People((officers[0], officers[1], officers[2]))
    paid: dict[str, int] = {}
    for number, path in enumerate(sorted(FOLDER.glob("*.toml"))):
        content = in_force(path.read_bytes())
        plan = read_programme(content)
        terms = terms_of(plan.terms)
        clock.set(datetime.combine(day_of(plan, terms), time(9), SHANGHAI))
        opened = await atomically(
            database, import_programme, ImportProgramme(content), actor=officers[0]
        )
        await atomically(
            database, approve_programme, ApproveProgramme(opened.id), actor=officers[1]
        )
        paid[path.stem] = await one_order(
            database, clock, plan, people, opened.id, ORDERS_FROM + number
        )

    assert len(paid) == len(list(FOLDER.glob("*.toml")))
    # What the table says of an order of 12,000 CNY; a voucher of 5,000 CNY pays no more than that.
    told = {"jiangsu-2020": 5_000, "sichuan-2025": 3_600, "beijing-2015": 5_000}
    told |= {"hunan-2018": 3_600, "shandong-2016": 4_800, "liaoning-2025": 3_600}
    told |= {"jiangsu-zhenjiang-2022": 5_000, "karamay-2025": 3_600, "anhui-2023": 4_800}
    assert {code: paid[code] // 100 for code in told} == told


async def one_order(
    database: Database,
    clock: SetClock,
    plan: ProgrammePlan,
    people: People,
    programme_id: int,
    order_id: int,
) -> int:
    """What a voucher of the programme paid of an order: estimated, held, settled and claimed."""
    terms = terms_of(plan.terms)
    day = day_of(plan, terms)
    sme = await an_eligible_sme(database, plan, terms.eligible[0], day, people.officers[0])
    grant_id = await granted(database, programme_id, terms, sme, people)
    place = next(iter(terms.provider_regions), place_of(plan))
    provider_id = await a_provider(database, region_code=place)

    async def estimate(tx: Tx, on: date) -> queries.VoucherPart:
        question = queries.VoucherQuestion(
            sme.organisation_id, provider_id, USUAL_KIND, SERVICE_FEN, on, instrument_id=1
        )
        return await queries.voucher_part(tx, question)

    told = await atomically(database, estimate, day, actor=TEST)
    assert told.refusals == (), plan.file.code
    command = HoldVoucher(
        order_id, sme.organisation_id, provider_id, 1, USUAL_KIND, SERVICE_FEN, day, (grant_id,)
    )
    held = await atomically(database, hold_voucher, command, actor=TEST)
    settle = SettleVoucher(order_id, SERVICE_FEN, day)
    settled = await atomically(database, settle_voucher, settle, actor=TEST)
    assert 0 < told.total_fen == held.amount_fen == settled.amount_fen <= ASKED_FEN, plan.file.code

    assert settled.redemption_id is not None
    provider = await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=provider_id)
    clock.set(datetime.combine(claim_day(plan, terms), time(9), SHANGHAI))
    claimant = sme if terms.redeemed_by == "sme" else provider
    claim = await claimed(database, terms, claimant, settled.redemption_id, day)
    assert claim.amount_fen == settled.amount_fen
    return settled.amount_fen
