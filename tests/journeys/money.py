"""Steps of the centre: money in and out, claims, evaluation, rewards, and the books."""

from __future__ import annotations

import csv
import hashlib
import io
from typing import Any

from marketplace.demo.bank import ACCOUNT_NUMBER
from marketplace.kernel.money import parse_yuan
from tests.journeys.market import HOUR_FEN
from tests.journeys.people import People, at

TOPPED_UP_FEN = 500_000
VOUCHER_FUND_FEN = 20_000_000
REWARD_FUND_FEN = 5_000_000
STRAY_FEN = 66_600


async def money_arrives(people: People) -> None:
    """The SME and treasury transfer money with the references they were given; one forgets."""
    day = people.clock.now().date()
    for amount_fen, payer, account, remark in (
        (TOPPED_UP_FEN, "苏州微芯科技有限公司", "6222000000000007", wallet_reference(people)),
        (VOUCHER_FUND_FEN, "省财政厅", "1000200030004000", "创新券 SC-V-2025"),
        (REWARD_FUND_FEN, "省财政厅", "1000200030004000", "奖补 SC-R-2025"),
        (STRAY_FEN, "苏州微芯科技有限公司", "6222000000000007", "货款"),
    ):
        people.bank.receive(
            day, amount_fen=amount_fen, payer=payer, payer_account=account, remark=remark
        )
    report = await the_bank_reports(people)
    assert (3, 1) == (sum(report["matched"].values()), report["left"])
    stray = (await people.maker.reads("/statement-lines", status="unmatched"))["results"][0]
    assert STRAY_FEN == stray["amount_fen"]
    matched = await people.maker.posts(
        f"/statement-lines/{stray['id']}/match",
        {
            "kind": "wallet",
            "target_id": people.buyer.organisation_id,
            "reason": "The SME says on the telephone that it is its top-up.",
        },
    )
    assert matched["status"] == "matched"


def wallet_reference(people: People) -> str:
    """What an SME writes on its transfer."""
    return f"充值 SC-W-{people.buyer.organisation_id}"


async def the_bank_reports(people: People) -> dict[str, Any]:
    """A statement as the bank exports it is imported once, and matched by rules."""
    content = people.bank.statement()
    assert content is not None
    where = {"account_number": ACCOUNT_NUMBER.replace(" ", ""), "file_name": "对账单.csv"}
    imported = await people.maker.posts("/bank-statements", content=content, params=where)
    again = await people.maker.asks("POST", "/bank-statements", content=content, params=where)
    assert again.status_code == 409
    assert people.bank.balance_fen == imported["closing_fen"]
    report: dict[str, Any] = await people.maker.posts(f"/bank-statements/{imported['id']}/match")
    return report


async def names_a_bank_account(people: People) -> None:
    """The provider says where it is paid; the centre verifies it."""
    account = await people.manager.posts(
        "/bank-accounts",
        {
            "bank_name": "示例银行南京分行",
            "cnaps": "105301000013",
            "number": "6222020000000001",
            "holder": "示例大学",
        },
    )
    await people.checker.posts(f"/bank-accounts/{account['id']}/verify")


async def redeems(people: People, invoice_number: str) -> int:
    """The provider claims the voucher part; audit, spot check, public notice, approval."""
    await people.days_pass(at(2025, 4, 1, 9))
    claim = await people.manager.posts("/claims", {})
    redemption = (await people.manager.reads("/redemptions", claim_id=claim["id"]))["results"][0]
    assert redemption["amount_fen"] == HOUR_FEN
    there = f"/claims/{claim['id']}"
    kinds = ("contract", "invoice", "payment-proof", "result", "usage-log")
    await people.manager.posts(
        f"{there}/evidence",
        {
            "pieces": [
                {
                    "redemption_id": redemption["id"],
                    "kind": kind,
                    "sha256": hashlib.sha256(kind.encode()).hexdigest(),
                    "reference": f"{kind}.pdf",
                    "invoice_number": invoice_number if kind == "invoice" else None,
                }
                for kind in kinds
            ]
        },
    )
    await people.manager.posts(f"{there}/submit")
    audited = await people.officer.posts(f"{there}/audit")
    for check in audited["spot_checks"]:
        await people.officer.posts(
            f"{there}/spot-checks/{check['redemption_id']}",
            {"passed": True, "finding": "As it was filed."},
        )
    await people.officer.posts(f"{there}/give-notice")
    assert (await people.checker.is_refused(f"{there}/approve"))[:3] in ("409", "422")
    await people.days_pass(at(2025, 4, 21, 9))
    approved = await people.checker.posts(f"{there}/approve")
    assert approved["claim"]["status"] == "approved"
    waiting = await people.manager.reads("/payouts", source_kind="claim", status="instructed")
    assert [(claim["id"], HOUR_FEN)] == [
        (payout["source_id"], payout["amount_fen"]) for payout in waiting["results"]
    ]
    claim_id: int = claim["id"]
    return claim_id


async def is_owed(people: People, account_type: str) -> int:
    """What lies on the accounts of a type, credit positive."""
    trial = await people.auditor.reads("/ledger/trial-balance")
    return -sum(line["balance_fen"] for line in trial["lines"] if line["type"] == account_type)


async def pays_out(people: People, *amounts_fen: int) -> None:
    """The maker batches what waits, the checker approves, the bank pays and says so."""
    batch = await people.maker.posts("/payout-batches", {})
    assert (len(amounts_fen), sum(amounts_fen)) == (batch["lines"], batch["total_fen"])
    there = f"/payout-batches/{batch['id']}"
    assert (await people.maker.is_refused(f"{there}/approve")) == "403 forbidden"
    await people.checker.posts(f"{there}/approve")
    file = await people.maker.fetches(f"{there}/file")
    assert file.content == (await people.checker.fetches(f"{there}/file")).content
    await people.maker.posts(f"{there}/send")
    for payment in csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))):
        people.bank.pay(
            people.clock.now().date(),
            amount_fen=parse_yuan(payment["金额"]),
            payee=payment["收款人户名"],
            payee_account=payment["收款账号"],
            remark=payment["客户端流水号"],
        )
    report = await the_bank_reports(people)
    assert (len(amounts_fen), 0) == (sum(report["matched"].values()), report["left"])
    paid = await people.manager.reads("/payouts", status="confirmed", batch_id=batch["id"])
    assert sorted(amounts_fen) == sorted(payout["amount_fen"] for payout in paid["results"])


async def evaluates(people: People) -> str:
    """Drafted, published, objections awaited, made final by another evaluator."""
    await people.days_pass(at(2026, 1, 5, 9))
    await people.evaluator.posts("/evaluations/2025/draft")
    drafted = await people.expert.reads("/assessments", year=2025)
    for component in ("landmark_services", "rules_and_practice"):
        await people.expert.posts(
            f"/assessments/{drafted['results'][0]['id']}/scores",
            {"component": component, "score": 100},
        )
    await people.evaluator.posts("/evaluations/2025/publish")
    await people.days_pass(at(2026, 1, 26, 9))
    assert (await people.evaluator.is_refused("/evaluations/2025/finalise"))[:3] in ("409", "422")
    await people.other_evaluator.posts("/evaluations/2025/finalise")
    await people.days_pass(at(2026, 1, 27, 9))
    found = await people.auditor.reads(
        "/assessments", year=2025, provider_id=people.manager.organisation_id
    )
    grade: str = found["results"][0]["grade"]
    return grade


async def rewards(people: People, grade: str) -> int:
    """A run of the year, approved by a second person; what it pays is the grade's rate."""
    run = await people.maker.posts("/rewards/runs", {"year": 2025, "through": "2025-12-31"})
    rate = {"excellent": 500, "good": 300, "qualified": 100, "unqualified": 0}[grade]
    assert 2 * HOUR_FEN * rate // 10_000 == run["total_fen"]
    if run["total_fen"]:
        assert (await people.maker.is_refused(f"/rewards/runs/{run['id']}/approve"))[:3] == "403"
        await people.checker.posts(f"/rewards/runs/{run['id']}/approve")
    total_fen: int = run["total_fen"]
    return total_fen


async def signs_the_books_off(people: People) -> None:
    """Books and bank agree; two people close the year, and nothing is posted into it any more."""
    days = {"first_on": "2025-01-01", "last_on": "2026-01-31"}
    await people.days_pass(at(2026, 2, 2, 9))
    balancing = await people.auditor.reads("/reconciliation/balancing", **days)
    assert (0, 0, people.bank.balance_fen) == (
        balancing["difference_fen"],
        balancing["unexplained_lines"],
        balancing["ledger_fen"],
    )
    drafted = await people.maker.posts("/reconciliation/periods", days)
    there = f"/reconciliation/periods/{drafted['id']}"
    assert await people.maker.is_refused(f"{there}/approve") == "403 forbidden"
    signed = await people.checker.posts(f"{there}/approve")
    assert signed["status"] == "signed"
    trial = await people.auditor.reads("/ledger/trial-balance")
    assert {"cash", "voucher"} <= trial["difference_fen"].keys()
    assert not any(trial["difference_fen"].values())
    verified = await people.auditor.reads("/ledger/verify")
    assert verified["problems"] == []
