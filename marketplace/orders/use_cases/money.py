"""The legs of an order's money: held when it is placed, settled or released when it ends.

The voucher comes before the wallet everywhere (see `steps`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.billing.credit import queries as credit_queries
from marketplace.billing.credit import use_cases as credit
from marketplace.billing.credit.use_cases import Owing
from marketplace.billing.invoicing import use_cases as invoicing
from marketplace.billing.ledger import queries as ledger_queries
from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import AccountType, EntryKind
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.money import yuan
from marketplace.orders.errors import FiguresChanged, VoucherCoversLess, WalletShort
from marketplace.orders.queries.orders import Order
from marketplace.orders.queries.quotes import Quote
from marketplace.orders.rules.settlement import NOTHING, Parts
from marketplace.orders.use_cases.payment import (
    ItemPaid,
    ItemValue,
    fee_charges,
    move_fee_charge,
    payment_of,
)
from marketplace.vouchers import queries as voucher_queries
from marketplace.vouchers import use_cases as vouchers
from marketplace.vouchers.errors import VoucherNotUsable

SOURCE = "service_order"


@dataclass(frozen=True, slots=True)
class Held:
    """An order's price in its parts; of the own part, what the buyer may claim back afterwards."""

    parts: Parts
    reimbursed_fen: int


@dataclass(frozen=True, slots=True)
class _Taken:
    """What is held of vouchers: paid to the provider, or back to the buyer."""

    paid_fen: int = 0
    reimbursed_fen: int = 0

    @property
    def total_fen(self) -> int:
        return self.paid_fen + self.reimbursed_fen


async def hold_voucher(tx: Tx, order_id: int, quote: Quote, *, own_fen_max: int | None) -> Held:
    """Hold what the voucher pays and say what is left for the buyer.

    Between quote and order the voucher may have been spent or its rules changed. Then the buyer
    is asked anew: it agreed to an own part, and pays more only when it says so. What a voucher
    pays back to the SME takes nothing off the price; it counts towards what was agreed to.

    Raises:
        VoucherCoversLess: when the own part would be above `own_fen_max` (by default the quoted).
    """
    if quote.voucher_fen + quote.reimbursed_fen == 0:
        return Held(Parts(voucher_fen=0, own_fen=quote.total_fen), 0)
    taken, refusals = await _take_from_voucher(tx, order_id, quote)
    parts = Parts(voucher_fen=taken.paid_fen, own_fen=quote.total_fen - taken.paid_fen)
    quoted_fen = quote.own_fen - quote.reimbursed_fen
    left_fen = parts.own_fen - taken.reimbursed_fen
    if left_fen > (quoted_fen if own_fen_max is None else max(own_fen_max, quoted_fen)):
        quoted_voucher_fen = quote.total_fen - quoted_fen
        raise VoucherCoversLess(
            f"The voucher now covers {yuan(taken.total_fen)} CNY instead of "
            f"{yuan(quoted_voucher_fen)} CNY; agree to {yuan(left_fen)} CNY of your own.",
            reasons=refusals,
            alternatives=[{"own_fen_max": left_fen}],
            quoted_voucher_fen=quoted_voucher_fen,
            voucher_fen=taken.total_fen,
            quoted_own_fen=quoted_fen,
            own_fen=left_fen,
        )
    return Held(parts, taken.reimbursed_fen)


async def _take_from_voucher(
    tx: Tx, order_id: int, quote: Quote
) -> tuple[_Taken, Sequence[Reason]]:
    """What could be held of the voucher, and why it is less, or nothing, where that is so."""
    try:
        held = await vouchers.hold_voucher(
            tx,
            vouchers.HoldVoucher(
                order_id=order_id,
                organisation_id=quote.buyer_id,
                provider_id=quote.provider_id,
                instrument_id=quote.instrument_id,
                service_kind=quote.service_kind,
                service_value_fen=quote.total_fen,
                on=quote.served_on,
                grant_ids=quote.chosen_grants,
                persons=quote.persons,
            ),
        )
    except VoucherNotUsable as refusal:
        return _Taken(), refusal.reasons
    own_claims = await voucher_queries.reimbursing(tx, {each.grant_id for each in held.vouchers})
    reimbursed_fen = sum(each.amount_fen for each in held.vouchers if each.grant_id in own_claims)
    return _Taken(held.amount_fen - reimbursed_fen, reimbursed_fen), held.lacking


async def hold_own_money(
    tx: Tx,
    order_id: int,
    *,
    buyer_id: int,
    own_fen: int,
    line: credit_queries.LineInUse | None = None,
) -> int | None:
    """Hold the buyer's own part: on its wallet, or on the credit line of an order on account.

    Nothing is held where nothing is to be paid.

    Raises:
        WalletShort, CreditShort: with what is there and what is missing.
    """
    if own_fen == 0:
        return None
    # The account's row guards; these questions are for a better answer.
    if line is None:
        require_covered(own_fen, available_fen=await wallet_available(tx, buyer_id))
    else:
        credit.require_room(own_fen, available_fen=line.available_fen)
    return await _hold_own(
        tx,
        order_id,
        buyer_id=buyer_id,
        credit_line_id=None if line is None else line.line.id,
        amount_fen=own_fen,
        key=f"order-{order_id}-own",
    )


async def wallet_available(tx: Tx, buyer_id: int) -> int:
    """What the buyer's wallet has that is not held for anything; nothing before it is opened."""
    name = ledger_queries.AccountName(AccountType.WALLET, buyer_id)
    wallet = await ledger_queries.account_id(tx, name)
    return 0 if wallet is None else (await ledger_queries.balance(tx, wallet)).available_fen


def require_covered(own_fen: int, *, available_fen: int) -> None:
    """The wallet has what is to be held.

    Raises:
        WalletShort: with what is there and what is missing.
    """
    if available_fen < own_fen:
        raise WalletShort(
            f"The wallet has {yuan(available_fen)} CNY available; "
            f"{yuan(own_fen - available_fen)} CNY are missing.",
            reasons=[short_of(own_fen, available_fen=available_fen)],
            missing_fen=own_fen - available_fen,
        )


def short_of(own_fen: int, *, available_fen: int) -> Reason:
    """The reason why a wallet does not cover what is to be held."""
    return Reason(
        "wallet-available",
        f"The own part is {yuan(own_fen)} CNY.",
        limit=available_fen,
        asked=own_fen,
    )


async def _hold_own(
    tx: Tx,
    order_id: int,
    *,
    buyer_id: int,
    credit_line_id: int | None,
    amount_fen: int,
    key: str,
) -> int:
    if credit_line_id is not None:
        return await credit.hold_credit(
            tx, credit.HoldCredit(credit_line_id, amount_fen, order_id, key)
        )
    wallet = await ledger.open_account(tx, ledger.OpenAccount(AccountType.WALLET, buyer_id))
    return await ledger.place_hold(
        tx,
        ledger.PlaceHold(
            account_id=wallet,
            amount_fen=amount_fen,
            expires_at=None,
            key=key,
            source_kind=SOURCE,
            source_id=order_id,
        ),
    )


@dataclass(frozen=True, slots=True)
class HeldAnew:
    """What an order holds of the buyer's own money after it changed."""

    own_hold_id: int | None
    fee_hold_id: int | None


async def hold_anew(
    tx: Tx, found: Order, quote: Quote, *, fee_fen: int, amendment: int
) -> HeldAnew:
    """Let go what the order holds and hold what its new quote says; `fee_fen` comes on top.

    The fees for moving lie on a hold of their own: they stay due whatever becomes of the order.
    Policy: J.22b

    Raises:
        FiguresChanged: when the voucher pays another part than the quote says.
        WalletShort, CreditShort: with what is there and what is missing; nothing has changed.
    """
    await _hold_voucher_anew(tx, found, quote)
    own_hold_id, fee_hold_id = found.own_hold_id, found.fee_hold_id
    await _require_covered_anew(tx, found, quote.own_fen + fee_fen)
    if quote.own_fen != found.own_fen:
        own_hold_id = await _replace_hold(
            tx, found, own_hold_id, quote.own_fen, key=f"order-{found.id}-own-{amendment}"
        )
    if fee_fen:
        fees_fen = found.move_fee_fen + fee_fen
        fee_hold_id = await _replace_hold(
            tx, found, fee_hold_id, fees_fen, key=f"order-{found.id}-fee-{amendment}"
        )
    return HeldAnew(own_hold_id, fee_hold_id)


async def _hold_voucher_anew(tx: Tx, found: Order, quote: Quote) -> None:
    await _release_voucher(tx, found)
    if quote.voucher_fen + quote.reimbursed_fen == 0:
        return
    taken, refusals = await _take_from_voucher(tx, found.id, quote)
    if (taken.paid_fen, taken.reimbursed_fen) != (quote.voucher_fen, quote.reimbursed_fen):
        raise FiguresChanged(
            f"The voucher now covers {yuan(taken.total_fen)} CNY; look at the figures again.",
            reasons=refusals,
            voucher_fen=taken.total_fen,
        )


async def _release_voucher(tx: Tx, found: Order) -> None:
    """Free what vouchers hold for the order, if any does."""
    if await voucher_queries.held_orders(tx, [found.id]):
        await vouchers.release_voucher(tx, vouchers.ReleaseVoucher(found.id))


async def _require_covered_anew(tx: Tx, found: Order, due_fen: int) -> None:
    """The wallet, or the line of an order on account, covers it once the old hold is let go."""
    if found.credit_line_id is None:
        available_fen = await wallet_available(tx, found.buyer_id) + found.own_fen
        return require_covered(due_fen, available_fen=available_fen)
    line = await credit_queries.credit_line_by_id(tx, found.credit_line_id)
    credit.require_room(due_fen, available_fen=line.available_fen + found.own_fen)


async def _replace_hold(
    tx: Tx, found: Order, hold_id: int | None, amount_fen: int, *, key: str
) -> int | None:
    if hold_id is not None:
        await ledger.release_hold(tx, ledger.ReleaseHold(hold_id))
    if amount_fen == 0:
        return None
    return await _hold_own(
        tx,
        found.id,
        buyer_id=found.buyer_id,
        credit_line_id=found.credit_line_id,
        amount_fen=amount_fen,
        key=key,
    )


async def release_everything(tx: Tx, found: Order) -> None:
    """Give back what the order held for its price; fees for moving late are the provider's."""
    await _release_voucher(tx, found)
    if found.own_hold_id is not None:
        await ledger.release_hold(tx, ledger.ReleaseHold(found.own_hold_id))
    await _charge_move_fees(tx, found)


async def _charge_move_fees(tx: Tx, found: Order) -> None:
    """Let the provider have the fees for moving late, as a charge of their own."""
    if found.fee_hold_id is None:
        return
    await _settle_to_provider(
        tx,
        found,
        found.fee_hold_id,
        found.move_fee_fen,
        kind=EntryKind.ORDER_FEE,
        key=f"order-{found.id}-fee-settled",
    )
    await invoicing.record_charge(tx, move_fee_charge(found))


async def charge_fees(tx: Tx, found: Order, fees: Sequence[ItemValue]) -> Parts:
    """Let the provider have fees of the buyer's own money and give back everything else.

    The voucher is released whole: public money pays for services received, not for missed ones.
    Policy: J.22b
    """
    fee = Parts(voucher_fen=0, own_fen=sum(one.fee_fen for one in fees))
    if fee.own_fen == 0:
        await release_everything(tx, found)
        return NOTHING
    await _release_voucher(tx, found)
    await _pay_own(tx, found, fee.own_fen, kind=EntryKind.ORDER_FEE)
    await invoicing.record_charges(tx, fee_charges(found, fees))
    await _charge_move_fees(tx, found)
    return fee


async def pay_for_service(tx: Tx, found: Order, values: Sequence[ItemValue]) -> list[ItemPaid]:
    """Turn the holds into entries for what was used; the rest goes back. What each item paid.

    The voucher pays its part of the used value, recomputed; the buyer the rest, and the fees. Each
    item has a charge line of its own, which carries whether the two sides are affiliated: that
    keeps the service out of rewards.
    Policy: J.22b, J.30a
    """
    voucher_fen = await _settle_voucher(tx, found, sum(value.used_fen for value in values))
    payment = payment_of(found, values, voucher_fen=voucher_fen)
    await _pay_own(tx, found, payment.own_fen, kind=EntryKind.ORDER_SETTLED)
    await invoicing.record_charges(tx, payment.charges)
    await _charge_move_fees(tx, found)
    return payment.items


async def _settle_voucher(tx: Tx, found: Order, used_fen: int) -> int:
    """What vouchers pay to the provider; the buyer claims what they pay back to it."""
    if not await voucher_queries.held_orders(tx, [found.id]):
        return 0
    if used_fen == 0:
        await vouchers.release_voucher(tx, vouchers.ReleaseVoucher(found.id))
        return 0
    settled = await vouchers.settle_voucher(
        tx, vouchers.SettleVoucher(found.id, service_value_fen=used_fen, settled_on=tx.today)
    )
    back = await voucher_queries.reimbursed(tx, [found.id])
    return settled.amount_fen - back.get(found.id, 0)


async def _pay_own(tx: Tx, found: Order, amount_fen: int, *, kind: EntryKind) -> None:
    if found.own_hold_id is None:
        return
    if amount_fen == 0:
        await ledger.release_hold(tx, ledger.ReleaseHold(found.own_hold_id))
        return
    await _settle_to_provider(
        tx, found, found.own_hold_id, amount_fen, kind=kind, key=f"order-{found.id}-own-settled"
    )


async def _settle_to_provider(
    tx: Tx, found: Order, hold_id: int, amount_fen: int, *, kind: EntryKind, key: str
) -> None:
    if found.credit_line_id is not None:
        # Nothing is there to pass on yet: the buyer owes it, and the provider waits for it.
        owed = credit.OweForOrder(
            line_id=found.credit_line_id,
            provider_id=found.provider_id,
            buyer_id=found.buyer_id,
            order_id=found.id,
            hold_id=hold_id,
            amount_fen=amount_fen,
            what=Owing.FEE if kind == EntryKind.ORDER_FEE else Owing.SERVICE,
            key=key,
        )
        return await credit.owe_for_order(tx, owed)
    payable = await ledger.open_account(
        tx, ledger.OpenAccount(AccountType.PAYABLE, found.provider_id)
    )
    await ledger.settle_hold(
        tx,
        ledger.SettleHold(
            hold_id=hold_id,
            amount_fen=amount_fen,
            credit_account_id=payable,
            kind=kind,
            effective_on=tx.today,
            key=key,
            source_kind=SOURCE,
            source_id=found.id,
        ),
    )
