"""Open lines explained by what is surest, and suggestions for the others."""

from datetime import date, timedelta

import pytest

from marketplace.billing.payouts import queries as payout_queries
from marketplace.billing.reconciliation.errors import LineMissing, LineNotReady
from marketplace.billing.reconciliation.jobs import JOBS, match_open_lines, remove_orphans
from marketplace.billing.reconciliation.queries import CaseSearch, attachments_of, open_cases
from marketplace.billing.reconciliation.rules.cases import CaseReason
from marketplace.billing.reconciliation.rules.matching import OpenLine
from marketplace.billing.reconciliation.rules.scoring import Candidate, scored
from marketplace.billing.reconciliation.use_cases import MatchOpen, match_open, suggestions
from marketplace.billing.reconciliation.use_cases.cases import (
    AttachFile,
    DownloadFile,
    SetCase,
    attach_file,
    download_file,
    set_case,
)
from marketplace.kernel.db import Database, atomically
from tests.builders.attachments import a_pdf
from tests.builders.ledger import A_DAY, TEST
from tests.builders.parties import a_provider
from tests.builders.payouts import (
    a_finance_team,
    a_payee,
    a_payout,
    a_sent_batch,
    a_sent_payout,
    the_payout,
)
from tests.builders.reconciliation import BankLine, a_line, a_statement, the_lines


async def test_open_lines_of_all_statements_are_explained_by_what_is_surest(
    database: Database,
) -> None:
    centre = await a_finance_team(database)
    payees = [await a_payee(database) for _ in range(6)]
    made = [
        await a_payout(database, organisation_id=payee, amount_fen=1_000 + place)
        for place, payee in enumerate(payees)
    ]
    await a_sent_batch(database, centre=centre)
    sent = [await the_payout(database, one.id) for one in made]
    sought = payout_queries.bank_account_by_id
    accounts = [one.bank_account_id or 0 for one in sent]
    numbers = [(await atomically(database, sought, one, actor=TEST)).number for one in accounts]
    refs = [one.end_to_end_id for one in sent]

    def out(fen: int, remark: str, **changes: object) -> BankLine:
        return a_line(-fen, remark, **({"name": "", "account": ""} | changes))

    await a_statement(
        database,
        out(1_000, refs[0]),
        out(500, f"{refs[1]} 一"),
        out(501, f"{refs[1]} 二"),
        out(2_005, f"{refs[2]} {refs[3]}"),
        out(1_004, "转账", account=numbers[4], name="示例大学"),
        out(1_005, refs[5], account="9" * 16),
        opening_fen=100_000,
    )
    report = await atomically(database, match_open, MatchOpen(), actor=TEST)
    assert report.explained == {"reference": 1, "parts": 2, "sum": 1, "account": 1}
    assert {(await the_payout(database, one.id)).status for one in sent[:5]} == {"confirmed"}
    (left,) = [line for line in await the_lines(database, status="unmatched") if line.line_number]
    assert left.amount_fen == -1_005
    assert {line.score for line in await the_lines(database, status="matched")} == {95, 96, 98, 100}
    assert (await atomically(database, match_open, MatchOpen(), actor=TEST)).explained == {}
    assert await match_open_lines(database) == 0
    assert {job.run for job in JOBS} == {match_open_lines, remove_orphans}

    found = await atomically(database, suggestions, left.id, actor=TEST)
    assert found.candidates[0].candidate.reference == refs[5]
    assert "the account is another one" in found.candidates[0].reasons
    with pytest.raises(LineMissing):
        await atomically(database, suggestions, 99_999, actor=TEST)


async def test_two_lines_that_could_be_one_payment_are_left(database: Database) -> None:
    paid = await a_sent_payout(database, amount_fen=300)
    await a_statement(
        database,
        a_line(-300, paid.end_to_end_id, account=""),
        a_line(-300, paid.end_to_end_id, account=""),
        opening_fen=1_000,
    )
    report = await atomically(database, match_open, MatchOpen(), actor=TEST)
    assert report.explained == {}


LINE = OpenLine(1, A_DAY, -300, "示例大学", "6222000000000001", "SC-P-7", "")


def a_candidate(**changes: object) -> Candidate:
    given: dict[str, object] = {
        "payout_id": 7,
        "reference": "SC-P-7",
        "amount_fen": 300,
        "status": "sent",
        "account_number": "6222000000000001",
        "holder": "示例大学",
        "sent_on": A_DAY,
        "confirmed_on": None,
    }
    return Candidate(**(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "score"),
    [
        ({}, 100),
        ({"account_number": "1" * 16}, 100),
        ({"reference": "SC-P-8"}, 55),
        ({"amount_fen": 301}, 100),
        ({"amount_fen": 301, "account_number": "1" * 16, "holder": "x"}, 35),
        ({"sent_on": A_DAY + timedelta(days=1)}, 80),
        ({"sent_on": date(2024, 1, 1), "reference": "SC-P-8"}, 40),
    ],
)
def test_a_score_is_the_sum_of_what_agrees(changes: dict[str, object], score: int) -> None:
    assert scored(LINE, a_candidate(**changes), 10).score == score


async def test_an_open_line_has_an_owner_a_reason_an_age_and_papers(
    database: Database, services: object
) -> None:
    centre = await a_finance_team(database)
    await a_provider(database)
    await a_statement(database, a_line(777, "不明来款"))
    (line,) = await the_lines(database)
    owner = centre.maker.person_id
    given = SetCase(line.id, owner, CaseReason.UNKNOWN_PAYER, "已致电银行")
    await atomically(database, set_case, given, actor=centre.checker)
    given = SetCase(line.id, owner, CaseReason.AWAITING_PAYER, "待付款人说明")
    await atomically(database, set_case, given, actor=centre.maker)
    attach = AttachFile(line.id, "回单.pdf", a_pdf())
    paper = await atomically(database, attach_file, attach, actor=centre.maker)
    with pytest.raises(LineNotReady):
        await atomically(database, attach_file, attach, actor=centre.maker)
    download = DownloadFile(line.id, paper.id)
    taken = await atomically(database, download_file, download, actor=centre.checker)
    assert (taken.name, taken.content) == ("回单.pdf", a_pdf())
    with pytest.raises(LineMissing):
        await atomically(database, download_file, DownloadFile(line.id, 9_999), actor=TEST)
    search = CaseSearch(owner_id=owner, reason_code="awaiting_payer", text="说明")
    ((case,), total) = await atomically(database, open_cases, search, actor=TEST)
    assert (total, case.age_days, case.attachments) == (1, 0, 1)
    _, none = await atomically(database, open_cases, CaseSearch(unowned=True), actor=TEST)
    assert none == 0
    assert len(await atomically(database, attachments_of, line.id, actor=TEST)) == 1
    stranger = SetCase(line.id, 1, CaseReason.OTHER)
    with pytest.raises(LineNotReady, match="finance"):
        await atomically(database, set_case, stranger, actor=centre.maker)
