"""A company's vouchers: what it holds, what moved, applying for one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.ledger import queries as ledger
from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.parties.roles import Role
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.queries.sanctions import Sanction
from marketplace.web.areas.centre.sanction_cases import standing_sanctions
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told

HOLDERS = (Role.BUYER, Role.SME_ADMINISTRATOR)
EXPIRES_SOON_DAYS = 60
PAGE_SIZE = 50
HEADS = (
    ("券号", "Voucher"),
    ("计划", "Programme"),
    ("状态", "State"),
    ("发放（元）", "Issued (CNY)"),
    ("冻结（元）", "Held (CNY)"),
    ("已用（元）", "Used (CNY)"),
    ("可用（元）", "Left (CNY)"),
    ("有效期至", "Valid until"),
)


@dataclass(frozen=True, slots=True)
class Held:
    """A voucher with the rates at which it pays, and the programme that set them."""

    voucher: vouchers.WalletVoucher
    programme: vouchers.Programme
    parts: list[vouchers.PartBalance]

    @property
    def expires_soon(self) -> bool:
        """Whether something of it is lost within two months."""
        return self.voucher.left_fen > 0 and 0 <= self.voucher.expires_in_days <= EXPIRES_SOON_DAYS

    @property
    def rate_source(self) -> str:
        """The clause that set its rates."""
        return self.programme.agreed.sources.get("layers") or self.programme.source


@dataclass(frozen=True, slots=True)
class Wallet:
    """Every voucher of a company, and what they come to."""

    held: list[Held]
    today: date

    def sum(self, name: str) -> int:
        """What all vouchers come to: `issued_fen`, `frozen_fen`, `used_fen` or `left_fen`."""
        return sum(getattr(each.voucher, name) for each in self.held)

    @property
    def expiring_fen(self) -> int:
        """What is lost within two months if nobody uses it."""
        return sum(each.voucher.left_fen for each in self.held if each.expires_soon)


async def wallet(tx: Tx, _: None = None) -> Wallet:
    """The vouchers of the actor's organisation."""
    found = await vouchers.wallet(tx, tx.actor.organisation_id)
    return Wallet(await _with_rates(tx, found), tx.today)


async def _with_rates(tx: Tx, found: list[vouchers.WalletVoucher]) -> list[Held]:
    parts = await vouchers.balances_of_grants(tx, [each.grant.id for each in found])
    programmes = {
        number: await vouchers.visible_programme(tx, number)
        for number in {each.grant.programme_id for each in found}
    }
    return [
        Held(each, programmes[each.grant.programme_id], parts.get(each.grant.id, []))
        for each in found
    ]


@get("/vouchers", **members(*HOLDERS))
async def show_wallet(request: PageRequest) -> Response[Any]:
    """Issued, held, used, left, expiring; and the rule that set each rate. Policy: J.22b"""

    async def both(tx: Tx, _: None) -> tuple[Wallet, list[Sanction]]:
        return await wallet(tx), await standing_sanctions(tx)

    held, standing = await read(request, both, None)
    return page(request, "sme/vouchers.html", wallet=held, standing=standing)


@get("/vouchers/file", **members(*HOLDERS))
async def get_wallet_file(request: PageRequest) -> Response[Any]:
    """The same vouchers as CSV or XLSX."""
    form = Typed(request.query_params, visitor_of(request).speech)
    found = await read(request, wallet, None)
    rows = [
        (
            each.voucher.grant.id,
            form.speech.either(each.voucher.programme_name, each.voucher.programme_name_en),
            each.voucher.grant.status,
            each.voucher.issued_fen / 100,
            each.voucher.frozen_fen / 100,
            each.voucher.used_fen / 100,
            each.voucher.left_fen / 100,
            each.voucher.grant.valid_until.isoformat(),
        )
        for each in found.held
    ]
    return await as_file(form, "vouchers", HEADS, rows)


@dataclass(frozen=True, slots=True)
class Movements:
    """A voucher, what moved on its accounts, and what orders hold of it."""

    held: Held
    lines: vouchers.Listed[ledger.StatementLine]
    holds: vouchers.Listed[vouchers.VoucherHold]


async def movements(tx: Tx, asked: vouchers.OfGrant) -> Movements:
    """One voucher from its grant to what is left of it.

    Raises:
        GrantMissing: when it is somebody else's.
    """
    found = await vouchers.voucher_of(tx, asked.grant_id)
    (held,) = await _with_rates(tx, [found])
    holds = await vouchers.holds(tx, vouchers.OfGrant(asked.grant_id))
    return Movements(held, await vouchers.movements(tx, asked), holds)


def _asked(form: Typed, grant_id: int, page_size: int = PAGE_SIZE) -> vouchers.OfGrant:
    number = form.whole("page", least=1, most=10_000, needed=False) or 1
    form.require()
    return vouchers.OfGrant(grant_id, vouchers.PageAsked(number, page_size))


@get("/vouchers/{grant_id:int}", **members(*HOLDERS))
async def show_voucher(request: PageRequest, grant_id: FromPath[int]) -> Response[Any]:
    """What moved: granted, used by orders, given back, expired."""
    return await voucher_shown(request, grant_id, empty(visitor_of(request).speech))


async def voucher_shown(
    request: PageRequest,
    grant_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    """A voucher, and the refusal of what was asked of it where there is one."""
    visitor = visitor_of(request)
    asked = _asked(Typed(request.query_params, visitor.speech), grant_id)
    return page(
        request,
        "sme/voucher.html",
        status=status,
        found=await read(request, movements, asked),
        form=form,
        refusal=refusal,
        may_apply=visitor.has(Role.SME_ADMINISTRATOR),
        page_number=asked.page.page,
        page_size=PAGE_SIZE,
        key=new_key(),
    )


@get("/vouchers/{grant_id:int}/file", **members(*HOLDERS))
async def get_voucher_file(request: PageRequest, grant_id: FromPath[int]) -> Response[Any]:
    """Every movement as CSV or XLSX."""
    form = Typed(request.query_params, visitor_of(request).speech)
    found = await read(request, movements, _asked(form, grant_id, ROWS_MAX + 1))
    heads = (("日期", "Day"), ("内容", "What"), ("来源", "From"), ("金额（元）", "Amount (CNY)"))
    rows = [
        (
            each.effective_on.isoformat(),
            each.kind,
            f"{each.source_kind} {each.source_id}",
            each.amount_fen / 100,
        )
        for each in found.lines.rows
    ]
    return await as_file(form, f"voucher-{grant_id}", heads, rows)


routes: list[ControllerRouterHandler] = [
    show_wallet,
    get_wallet_file,
    show_voucher,
    get_voucher_file,
]
