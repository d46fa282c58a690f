"""A table that a phone shows as cards: every cell is named by its column, none loses its role."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from marketplace.web.cards import as_cards
from tests.builders.orders import a_delivered_order, a_market

TABLE = Markup(
    '<table class="table"><thead><tr><th scope="col"><a href="?order=no">单号 ↑</a></th>'
    '<th scope="col"><span class="sr-only">操作</span></th><th scope="col">A &lt; "B"</th></tr>'
    '</thead><tbody><tr class="x"><th scope="row">7</th><td> </td><td class="numbers">1</td></tr>'
    '<tr><td colspan="2">none</td><td>2</td></tr></tbody></table>'
)


def test_every_cell_says_its_column_and_its_role():
    shown = as_cards(TABLE)

    assert '<table class="cards table" role="table">' in shown
    assert 1 == shown.count('role="rowgroup"><tr role="row"><th scope="col" role="columnheader">')
    assert '<tr class="x" role="row"><th scope="row" role="rowheader" data-label="单号">7' in shown
    assert '<td role="cell" data-label=""></td>' in shown
    assert '<td class="numbers" role="cell" data-label="A &lt; &#34;B&#34;">1</td>' in shown
    assert '<td colspan="2" role="cell" data-label="">none</td>' in shown
    assert 'data-label="A &lt; &#34;B&#34;">2</td>' in shown


@pytest.mark.timeout(120)
async def test_a_buyers_orders_are_cards(enter, database):
    market = await a_market(database)
    order = await a_delivered_order(market)
    browser = await enter(market.buyer)
    shown = await browser.open("/orders", lang="en")

    assert f'href="/orders/{order.id}"' in shown.source
    for name in ("Order", "What", "State", "Placed", "Own part"):
        assert f'data-label="{name}"' in shown.source
