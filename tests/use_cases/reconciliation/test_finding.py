"""What the stages find in files of which the truth is known, and what they leave to a person."""

import asyncpg
import pytest

from benchmarks.matching import BY_KIND, WRONG
from benchmarks.matching_world import fill
from marketplace.billing.reconciliation.queries import Within, propose
from marketplace.billing.reconciliation.use_cases import MatchOpen, match_open
from marketplace.kernel.db import Database, Tx, atomically
from tests.builders.ledger import A_DAY, TEST
from tests.builders.payouts import a_finance_team, a_payee, a_payout, a_sent_batch, the_payout
from tests.builders.reconciliation import BankLine, a_line, a_statement, the_lines

LINES, AUTO = 3_000, 90
WITHIN = Within(days=10, late_days=60)
# Of each hundred pairs of line and payment so many have to be explained without a person.
LEAST = {
    "reference": 99,
    "parts": 97,
    "lost": 97,
    "typo": 95,
    "cut": 90,
    "wrong": 93,
    "late": 95,
    "merged": 90,
    "merged_bare": 60,
    "split_bare": 60,
    "name": 90,
    "returned": 99,
    "returned_bare": 90,
    "twin": 0,
}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("world", ["round", "unseen"])
async def test_nothing_wrong_is_explained_and_of_each_kind_most_is(
    database: Database, world: str, seed: int
) -> None:
    plain = await asyncpg.connect(database.url.replace("+asyncpg", ""))
    await fill(plain, world, lines=LINES, seed=seed)
    await plain.execute("grant select on truth to public")
    await plain.close()

    async def find(tx: Tx, _: None) -> tuple[int, dict[str, float]]:
        await propose(tx, WITHIN)
        connection = await tx.raw()
        wrong = await connection.fetchval(WRONG, AUTO)
        kinds = await connection.fetch(BY_KIND, AUTO)
        return wrong, {row["kind"]: 100 * row["explained"] / row["pairs"] for row in kinds}

    wrong, explained = await atomically(database, find, None, actor=TEST)
    assert wrong == 0
    for kind, share in explained.items():
        assert share >= LEAST[kind], (kind, share)


class Sent:
    """Payments on their way, with where they go to."""

    def __init__(self, references: list[str], ids: list[int], number: str, holder: str) -> None:
        self.references = references
        self.ids = ids
        self.number = number
        self.holder = holder

    def out(self, fen: int, remark: str = "转账", **changes: object) -> BankLine:
        """A line to the party's account in its own name."""
        given = {"name": self.holder, "account": self.number}
        return a_line(-fen, remark, **(given | changes))


async def payments(database: Database, *parties: tuple[int, ...]) -> list[Sent]:
    """Sent payments of these sums to a party each, all in one batch."""
    centre = await a_finance_team(database)
    made = []
    for sums in parties:
        payee = await a_payee(database)
        made.append(
            [await a_payout(database, organisation_id=payee, amount_fen=fen) for fen in sums]
        )
    await a_sent_batch(database, centre=centre)
    plain = await asyncpg.connect(database.url.replace("+asyncpg", ""))
    sent = []
    for of_party in made:
        row = await plain.fetchrow(
            "select b.number, b.holder from payout p join bank_account b"
            " on b.id = p.bank_account_id where p.id = $1",
            of_party[0].id,
        )
        assert row is not None, "what was sent goes to an account"
        references = [(await the_payout(database, one.id)).end_to_end_id for one in of_party]
        ids = [one.id for one in of_party]
        sent.append(Sent(references, ids, row["number"], row["holder"]))
    await plain.close()
    return sent


async def explained(database: Database) -> dict[str, int]:
    return (await atomically(database, match_open, MatchOpen(), actor=TEST)).explained


async def test_a_reference_of_another_party_is_a_mistake_and_one_of_the_same_party_is_not(
    database: Database,
) -> None:
    one, other = await payments(database, (123_457, 234_571), (345_689,))
    await a_statement(
        database,
        one.out(123_457, other.references[0]),
        # Meant may be the first payment over another amount.
        one.out(234_571, one.references[0]),
        opening_fen=10**7,
    )
    assert await explained(database) == {"misnamed": 1}
    assert (await the_payout(database, one.ids[0])).status == "confirmed"
    # The payment that was named by mistake is found all the same.
    await a_statement(
        database, other.out(345_689, other.references[0]), opening_fen=10**7 - 358_028
    )
    assert await explained(database) == {"reference": 1}


async def test_a_line_that_comes_to_one_choice_of_a_partys_payments_is_these(
    database: Database,
) -> None:
    (one, other) = await payments(database, (12_345_671, 23_457_113, 34_568_977), (90_000_019,))
    await a_statement(
        database,
        one.out(12_345_671 + 34_568_977),
        other.out(40_000_003),
        other.out(50_000_016),
        opening_fen=10**9,
    )
    assert await explained(database) == {"merged": 1, "split": 2}
    assert [(await the_payout(database, each)).status for each in one.ids] == [
        "confirmed",
        "sent",
        "confirmed",
    ]
    assert {line.score for line in await the_lines(database, status="matched")} >= {92}


async def test_what_a_bank_calls_a_return_is_the_one_payment_that_was_made(
    database: Database,
) -> None:
    one, other = await payments(database, (123_457,), (234_571,))
    await a_statement(
        database,
        one.out(123_457, one.references[0]),
        other.out(234_571, other.references[0]),
        opening_fen=10**7 + 234_571,
    )
    assert await explained(database) == {"reference": 2}
    back = {"name": one.holder, "account": one.number, "booked_on": A_DAY}
    await a_statement(
        database,
        a_line(123_457, "往来款", **back),
        opening_fen=10**7 - 123_457,
    )
    assert await explained(database) == {}
    # Two receipts that could be it are one too many.
    await a_statement(database, a_line(123_457, "退汇 账号不符", **back), opening_fen=10**7)
    assert await explained(database) == {}
    of_other = back | {"name": other.holder, "account": other.number}
    returned = a_line(234_571, "退汇", **of_other)
    await a_statement(database, returned, opening_fen=10**7 + 123_457)
    assert await explained(database) == {"returned": 1}
    assert (await the_payout(database, other.ids[0])).status == "returned"
