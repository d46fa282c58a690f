"""The worked example of docs/changing-a-rule.md, done as it says. Policy: J.30a"""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path

import pytest

from marketplace.billing.rewards.use_cases import DraftRun, draft_run
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.rulebook import Rulebook, load, rulebook_path, use_rulebook
from tests.builders.invoicing import a_charge
from tests.builders.rewards import a_grade, a_graded_provider, a_maker

PAGE = Path(__file__).resolve().parents[3] / "docs" / "changing-a-rule.md"
OLD_CAP, NEW_CAP, NEW_RATE = re.findall(
    r"^```toml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)


@pytest.fixture
def changed(tmp_path: Path):
    """Jiangsu's rulebook with the lines that the page tells to put there."""

    def with_lines(*, rate: bool) -> Rulebook:
        text = rulebook_path("jiangsu").read_text(encoding="utf-8")
        assert text.count(OLD_CAP) == 1
        text = text.replace(OLD_CAP, NEW_CAP)
        if rate:
            text, times = re.subn(
                r"^rate_by_grade = \[\n.*?^\]\n", NEW_RATE, text, flags=re.DOTALL | re.MULTILINE
            )
            assert times == 1
        path = tmp_path / "jiangsu.toml"
        path.write_text(text, encoding="utf-8")
        return load(path)

    return with_lines


async def rewards(database: Database, clock: SetClock, book: Rulebook) -> dict[int, int]:
    """The reward of each year for services of 10,000 CNY in each."""
    provider_id = await a_graded_provider(database)
    await a_grade(database, provider_id=provider_id, year=2026)
    for settled_on in (date(2025, 11, 3), date(2026, 1, 5)):
        await a_charge(
            database,
            provider_id=provider_id,
            settled_on=settled_on,
            voucher_fen=2_500_00,
            own_fen=7_500_00,
        )
    clock.set(datetime(2026, 2, 2, 9, 0, tzinfo=SHANGHAI))
    maker = await a_maker(database)
    with use_rulebook(book):
        runs = [
            await atomically(database, draft_run, DraftRun(2025, date(2025, 12, 31)), actor=maker),
            await atomically(database, draft_run, DraftRun(2026, date(2026, 2, 1)), actor=maker),
        ]
    return {run.year: run.total_fen for run in runs}


async def test_a_higher_cap_and_rate_pay_more_in_the_new_year_and_not_in_the_old(
    database, clock, changed
):
    assert {2025: 500_00, 2026: 600_00} == await rewards(database, clock, changed(rate=True))


async def test_a_higher_cap_alone_pays_nobody_more_than_their_rate(database, clock, changed):
    assert {2025: 500_00, 2026: 500_00} == await rewards(database, clock, changed(rate=False))


async def test_a_cap_below_the_rate_is_what_counts_from_its_first_day_on(database, clock):
    book = load(rulebook_path("jiangsu"))
    terms = book.reward.share_cap_basis_points.model_dump(mode="json")
    terms[0]["until"] = "2025-12-31"
    terms.append({"value": 400, "since": "2026-01-01", "source": "J.30a"})
    told = book.model_dump(mode="json")
    told["reward"]["share_cap_basis_points"] = terms

    assert {2025: 500_00, 2026: 400_00} == await rewards(
        database, clock, Rulebook.model_validate(told)
    )
