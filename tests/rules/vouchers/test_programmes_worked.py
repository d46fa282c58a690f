"""Every worked row of docs/vouchers/*.md is what the programme's file says of that service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from marketplace.kernel.money import parse_yuan
from marketplace.vouchers.rules.limits import CapScope
from marketplace.vouchers.rules.programme_file import FOLDER, ProgrammePlan, read_programme
from marketplace.vouchers.rules.regions import layers_for
from marketplace.vouchers.rules.shares import LayerRoom, Purchase, voucher_shares
from marketplace.vouchers.rules.terms import terms_of

DOCS = Path(__file__).parents[3] / "docs" / "vouchers"
PAGES = [DOCS / f"{path.stem}.md" for path in sorted(FOLDER.glob("*.toml"))]
PLENTY = 10**15


def rows(page: Path) -> list[dict[str, str]]:
    """The rows of the page's tables of worked examples, by the names of their columns."""
    found = []
    for part in page.read_text(encoding="utf-8").split("<!-- table: worked -->\n")[1:]:
        lines = [line for line in part.split("\n\n")[0].splitlines() if line.startswith("|")]
        head, _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        found += [dict(zip(head, cells, strict=True)) for cells in body]
    return found


def plan_of(page: Path) -> ProgrammePlan:
    return read_programme((FOLDER / f"{page.stem}.toml").read_bytes())


def purchase_of(row: dict[str, str], plan: ProgrammePlan) -> Purchase:
    known: dict[str, Any] = {
        "buyer_region": row.get("SME's region") or plan.file.layers[0].region_code,
        "provider_region": row.get("provider's region", ""),
        "service_kind": row.get("kind of service", "research"),
        "first_use": row.get("first use") == "yes",
        "others_fen": parse_yuan(row.get("others pay") or "0"),
        "persons": int(row.get("persons") or 0),
        "value_in_year_fen": parse_yuan(row.get("bought before") or "0"),
    }
    if row.get("buyer"):
        known["beneficiary"] = row["buyer"]
    spent = parse_yuan(row.get("used before") or "0")
    known["spent"] = {
        (CapScope.SME_YEAR, funder): spent
        for funder in (None, *{layer.funder for layer in plan.file.layers})
    }
    return Purchase(**known)


def rooms_of(row: dict[str, str], plan: ProgrammePlan, buyer_region: str) -> list[LayerRoom]:
    """What the layers of the SME's place have left, and of all of them where costs are split."""
    left = parse_yuan(row["left of the voucher"]) if row.get("left of the voucher") else PLENTY
    every = plan.file.regions
    return [
        LayerRoom(each.layer_id, each.funder, each.ratio_basis_points, left, each.region_code)
        for each in (every if "cost_split" in plan.terms else layers_for(buyer_region, every))
    ]


@pytest.mark.parametrize(
    ("page", "row"),
    [(page, row) for page in PAGES for row in rows(page)],
    ids=lambda each: each.stem if isinstance(each, Path) else each["service"],
)
def test_a_programme_pays_what_its_page_works_out_by_hand(page: Path, row: dict[str, str]):
    plan = plan_of(page)
    value_fen = parse_yuan(row["service"])

    purchase = purchase_of(row, plan)

    rooms = rooms_of(row, plan, purchase.buyer_region)
    paid = voucher_shares(value_fen, rooms, terms_of(plan.terms), purchase)

    amounts = {share.layer_id: share.amount_fen for share in paid.layers}
    layers = {
        f"{layer.name} pays": amounts.get(number, 0)
        for number, layer in enumerate(plan.file.layers, start=1)
    }
    told = {name: parse_yuan(row[name]) for name in row if name.endswith(" pays")}
    assert told == {name: amount for name, amount in layers.items() if name in told}
    assert sum(layers.values()) == sum(told.values())
    others_fen = parse_yuan(row.get("others pay") or "0")
    assert parse_yuan(row["own part"]) == value_fen - paid.total_fen - others_fen
    assert paid.explanation


def test_every_shipped_programme_has_a_page_with_examples():
    assert all(rows(page) for page in PAGES)


def test_the_page_of_vouchers_links_every_page_beside_it():
    told = DOCS.with_suffix(".md").read_text(encoding="utf-8")

    missing = [
        page.name for page in sorted(DOCS.glob("*.md")) if f"vouchers/{page.name}" not in told
    ]
    assert missing == []
