"""Known fraud forged into honest services, and near misses beside it."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import asyncpg

from marketplace.vouchers.rules.anomalies import AnomalyKind

CAP_FEN = 1_000_000
YEAR_ENDS = "2024-12-31"


@dataclass
class Truth:
    """Which orders (or, where there is none, organisations) each injected case is about."""

    cases: dict[AnomalyKind, list[frozenset[int]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def note(self, kind: AnomalyKind, subjects: Iterable[int]) -> None:
        """One case."""
        self.cases[kind].append(frozenset(subjects))


class Forger:
    """Turns honest orders into cases of fraud, and other honest ones into near misses."""

    def __init__(
        self, plain: asyncpg.Connection, services: int, cases: int, places: int, seed: int
    ) -> None:
        self._plain = plain
        self._cases = cases
        # Orders far apart from each other, machine time and samples in turn; each is used once.
        step = max(1, services // places)
        ids = range(step, services + 1, step)
        self._machine = (each - each % 10 + 1 for each in ids)
        self._samples = (each - each % 10 + 8 for each in ids)
        self._ids = itertools.count(900_001)
        self._chance = random.Random(seed)
        self.truth = Truth()

    async def forge(self) -> Truth:
        """Every kind of fraud, and its near misses."""
        for case in range(self._cases):
            await self._ties()
            await self._papers()
            await self._split()
            await self._ring()
            await self._cluster()
            await self._prices()
            await self._hours(case)
            await self._burst()
            await self._no_shows()
            await self._identities(case)
        return self.truth

    def _orders(self, number: int, *, samples: bool = False) -> list[int]:
        return list(itertools.islice(self._samples if samples else self._machine, number))

    async def _run(self, statement: str, *arguments: object) -> None:
        await self._plain.execute(statement, *arguments)

    async def _alike(self, orders: list[int], *, instrument: bool = True) -> None:
        """The others get the first order's pair, and its instrument where asked."""
        first, others = orders[0], orders[1:]
        same = ", instrument_id = f.instrument_id" if instrument else ""
        await self._run(
            "update service_order o set buyer_id = f.buyer_id, provider_id = f.provider_id,"
            " buyer_legal_entity_id = f.buyer_legal_entity_id,"
            f" provider_legal_entity_id = f.provider_legal_entity_id{same}"
            " from service_order f where f.id = $1 and o.id = any ($2)",
            first,
            others,
        )
        await self._run(
            "update redemption r set grant_id = f.grant_id, provider_id = f.provider_id,"
            " redeemed_on = f.redeemed_on from redemption f where f.id = $1 and r.id = any ($2)",
            first,
            others,
        )

    async def _entity(self, name: str) -> int:
        new = next(self._ids)
        await self._run(
            "insert into legal_entity (id, uscc, name, region_code, kind, capital,"
            " registered_by, registered_at) overriding system value"
            " values ($1::bigint, '93320000' || lpad(($1::bigint)::text, 10, '0'), $2,"
            " '320100', 'company', 'social', 1, now())",
            new,
            f"{name}{new}",
        )
        return new

    async def _hold(
        self, holder: int, held: int, basis_points: int, until: str | None = None
    ) -> None:
        await self._run(
            "insert into shareholding (legal_entity_id, holder, holder_id, basis_points,"
            " valid_from, valid_until) select $2::bigint, uscc, $1::bigint, $3::integer,"
            " '2020-01-01', $4::text::date from legal_entity where id = $1::bigint",
            holder,
            held,
            basis_points,
            until,
        )

    async def _ties(self) -> None:
        for chain, until, tied in (
            ((9_000, 8_000), None, True),
            ((6_000, 6_000), None, False),
            ((9_000, 9_000), "2023-12-31", False),
        ):
            (order,) = self._orders(1)
            row = await self._plain.fetchrow(
                "select buyer_legal_entity_id, provider_legal_entity_id from service_order"
                " where id = $1",
                order,
            )
            assert row is not None, "the order is one that was made"
            top, middle = await self._entity("控股"), await self._entity("投资")
            await self._hold(top, row[1], 7_000)
            await self._hold(top, middle, chain[0], until)
            await self._hold(middle, row[0], chain[1] - 2_000 * (not tied and until is None))
            if tied:
                self.truth.note(AnomalyKind.AFFILIATED_PARTIES, [order])

    async def _papers(self) -> None:
        for kind, document in (
            (AnomalyKind.DUPLICATE_CONTRACT, "contract"),
            (AnomalyKind.DUPLICATE_PAYMENT_PROOF, "payment-proof"),
        ):
            orders = self._orders(2)
            for shown, order in zip(("ht-{0}/07", "HT {0}—07.pdf"), orders, strict=True):
                await self._run(
                    "update claim_evidence set reference = $3 where order_id = $1 and kind = $2",
                    order,
                    document,
                    shown.format(8_000_000 + orders[0]),
                )
            self.truth.note(kind, orders)
        orders = self._orders(2)
        await self._run(
            "update deliverable d set sha256 = f.sha256 from deliverable f"
            " where f.order_id = $1 and d.order_id = $2",
            *orders,
        )
        self.truth.note(AnomalyKind.DUPLICATE_RESULT, orders)
        for slip in (True, False):
            orders = self._orders(2)
            await self._alike(orders, instrument=False)
            first = await self._plain.fetchval(
                "select number from invoice where order_id = $1", orders[0]
            )
            await self._run(
                "update invoice i set buyer_id = f.buyer_id, provider_id = f.provider_id,"
                " amount_fen = f.amount_fen, issued_on = f.issued_on,"
                " number = coalesce($3, i.number) from invoice f"
                " where f.order_id = $1 and i.order_id = $2",
                *orders,
                self._slipped(first) if slip else None,
            )
            # A slip is made over papers that are all there; else nothing was done a second time.
            if not slip:
                await self._run("delete from usage_session where id = $1", orders[1])
            self.truth.note(AnomalyKind.DUPLICATE_INVOICE, orders)

    def _slipped(self, number: str) -> str:
        """The number with one wrong digit, anywhere after the year, the region and the channel."""
        place = self._chance.randrange(5, 20)
        wrong = (int(number[place]) + self._chance.randrange(1, 10)) % 10
        return f"{number[:place]}{wrong}{number[place + 1 :]}"

    async def _split(self) -> None:
        for apart, split in ((4, True), (45, False)):
            orders = self._orders(3)
            await self._alike(orders)
            await self._run(
                "update redemption set amount_fen = $2::bigint, service_value_fen = $2::bigint * 4"
                " where id = any ($1)",
                orders,
                CAP_FEN * 9 // 10,
            )
            await self._run(
                "update service_order o set placed_at = f.placed_at + $3::integer *"
                " array_position($2::bigint[], o.id) * interval '1 day'"
                " from service_order f where f.id = $1 and o.id = any ($2)",
                orders[0],
                orders[1:],
                apart,
            )
            # What such sums pay for is a sample each that the list has a price for.
            await self._run(
                "update quote set starts_at = made_at, ends_at = made_at + make_interval(secs =>"
                " 3600.0 * $2::bigint * 4 / p.amount_fen) from price p where quote.id = any ($1)"
                " and p.price_list_id = quote.price_list_id and p.unit = 'hour'",
                orders,
                CAP_FEN * 9 // 10,
            )
            if split:
                self.truth.note(AnomalyKind.SPLIT_ORDERS, orders)

    async def _ring(self) -> None:
        """A sum goes round two to four houses, in one order or two each, within weeks.

        Each keeps a little of it, and has as much other trade again, or less.
        """
        members = [await self._entity("环") for _ in range(self._chance.randint(2, 4))]
        orders, amount = [], self._chance.randint(200_000, 900_000)
        began = self._chance.randint(30, 120)
        for place, buyer in enumerate(members):
            seller = members[(place + 1) % len(members)]
            parts = self._chance.randint(1, 2)
            for order in self._orders(parts):
                ago = began - self._chance.randint(0, 28)
                await self._between(order, buyer, seller, amount // parts, ago)
                orders.append(order)
            await self._other_trade(buyer, int(amount * self._chance.uniform(0, 1)), 1)
            amount = int(amount * self._chance.uniform(0.9, 1))
        self.truth.note(AnomalyKind.CIRCULAR_TRADE, orders)

    async def _cluster(self) -> None:
        """Four honest houses in one park that have each other do what they cannot do themselves:
        a third of their trade, all over the year."""
        members = [await self._entity("园") for _ in range(4)]
        for buyer in members:
            for seller in self._chance.sample([each for each in members if each != buyer], 2):
                (order,) = self._orders(1)
                amount = int(60_000 * self._chance.lognormvariate(0, 0.7))
                await self._between(order, buyer, seller, amount, self._chance.randint(1, 300))
            await self._other_trade(buyer, 250_000, 4)

    async def _other_trade(self, entity: int, amount: int, orders: int) -> None:
        """The house buys from others and sells to others, all over the half year."""
        for order in self._orders(orders):
            ago = self._chance.randint(1, 179)
            await self._between(order, entity, None, amount // orders + 1, ago)
        for order in self._orders(orders):
            ago = self._chance.randint(1, 179)
            await self._between(order, None, entity, amount // orders + 1, ago)

    async def _between(
        self, order: int, buyer: int | None, seller: int | None, amount: int, days_ago: int
    ) -> None:
        """Change who bought the service of whom (None: who it was), for how much and when."""
        await self._run(
            "update service_order set buyer_legal_entity_id = coalesce($2, buyer_legal_entity_id),"
            " provider_legal_entity_id = coalesce($3, provider_legal_entity_id) where id = $1",
            order,
            buyer,
            seller,
        )
        await self._run(
            "update redemption set service_value_fen = $2::bigint, amount_fen = $2::bigint / 4,"
            " redeemed_on = $3::text::date - $4::integer where id = $1",
            order,
            amount,
            YEAR_ENDS,
            days_ago,
        )
        # So long that its own list asks as much.
        await self._run(
            "update quote set starts_at = made_at, ends_at = made_at + make_interval(secs"
            " => 3600.0 * $2::bigint / p.amount_fen) from price p where quote.id = $1"
            " and p.price_list_id = quote.price_list_id and p.unit = 'hour'",
            order,
            amount,
        )

    async def _prices(self) -> None:
        for kind, factor, own_list in (
            (AnomalyKind.PRICE_ABOVE_LIST, 2, False),
            (AnomalyKind.PRICE_OUTLIER, 40, True),
        ):
            (order,) = self._orders(1)
            await self._run(
                "update redemption set service_value_fen = service_value_fen * $2::integer"
                " where id = $1",
                order,
                factor,
            )
            if own_list:
                await self._run("update quote set price_list_id = 999999999 where id = $1", order)
            self.truth.note(kind, [order])

    async def _hours(self, case: int) -> None:
        (order,) = self._orders(1)
        await self._run(
            "update usage_session set actual_minutes = actual_minutes + 300 where id = $1", order
        )
        self.truth.note(AnomalyKind.SESSION_IMPOSSIBLE, [order])
        orders = self._orders(5)
        await self._run(
            "update usage_session s set opened_at = f.opened_at, closed_at = f.closed_at,"
            " actual_minutes = f.actual_minutes, test_minutes = 0, operator_id = $3"
            " from usage_session f where f.id = $1 and s.id = any ($2)",
            orders[0],
            orders,
            5_000_000 + case,
        )
        self.truth.note(AnomalyKind.OPERATOR_OVERLAP, orders)
        (order,) = self._orders(1)
        await self._run(
            "update usage_session set opened_at = date_trunc('day', opened_at at time zone"
            " 'Asia/Shanghai') at time zone 'Asia/Shanghai' + interval '10 minutes',"
            " closed_at = date_trunc('day', opened_at at time zone 'Asia/Shanghai')"
            " at time zone 'Asia/Shanghai' + interval '1430 minutes', actual_minutes = 1420"
            " where id = $1",
            order,
        )
        self.truth.note(AnomalyKind.HOURS_ABOVE_OPENING, [order])
        (order,) = self._orders(1, samples=True)
        await self._run(
            "update deliverable d set stored_at = s.received_at - interval '1 day'"
            " from sample_set s where s.order_id = $1 and d.order_id = $1",
            order,
        )
        self.truth.note(AnomalyKind.RESULT_BEFORE_SAMPLES, [order])

    async def _burst(self) -> None:
        orders = self._orders(4)
        await self._alike(orders, instrument=False)
        await self._run(
            "update redemption set redeemed_on = $2::text::date - 2 where id = any ($1)",
            orders,
            YEAR_ENDS,
        )
        await self._run(
            "update voucher_grant g set amount_fen = s.fen from"
            " (select grant_id, sum(amount_fen) as fen from redemption where id = any ($1)"
            "  group by 1) s where g.id = s.grant_id",
            orders,
        )
        self.truth.note(AnomalyKind.BURST_BEFORE_EXPIRY, orders)

    async def _no_shows(self) -> None:
        for number in (2, 1):
            orders = self._orders(number)
            await self._alike(orders, instrument=False)
            await self._run(
                "update redemption set redeemed_on = $2::text::date - 60 where id = any ($1)",
                orders,
                YEAR_ENDS,
            )
            await self._run("update reservation set status = 'no_show' where id = any ($1)", orders)
            await self._run("delete from usage_session where id = any ($1)", orders)
            if number > 1:
                self.truth.note(AnomalyKind.SETTLED_NO_SHOW, orders)

    async def _identities(self, case: int) -> None:
        for first, number in ((100_001 + case * 20, 5), (100_011 + case * 20, 3)):
            ids = list(range(first, first + number))
            await self._run(
                "update legal_entity set address = case when id % 2 = 0 then $2 else $3 end"
                " where id = any ($1)",
                ids,
                f"软件大道{first}号 A座",
                f"软件大道 {first}号Ａ座",
            )
            if number > 3:
                self.truth.note(AnomalyKind.SHARED_IDENTITY, ids)
