"""The legs of an order's money: held when it is placed, settled or released when it ends.

The voucher comes before the wallet everywhere (see `steps`).
"""

from __future__ import annotations

from collections.abc import Sequence

from marketplace.billing.invoicing import use_cases as invoicing
from marketplace.billing.invoicing.use_cases import ChargeKind
from marketplace.billing.ledger import queries as ledger_queries
from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import AccountType, EntryKind
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.money import yuan
from marketplace.orders.errors import VoucherCoversLess, WalletShort
from marketplace.orders.queries.orders import Order
from marketplace.orders.queries.quotes import Quote
from marketplace.orders.rules.settlement import NOTHING, Parts, settled_parts
from marketplace.vouchers import use_cases as vouchers
from marketplace.vouchers.errors import VoucherNotUsable

SOURCE = "service_order"


async def hold_voucher(tx: Tx, order_id: int, quote: Quote, *, own_fen_max: int | None) -> Parts:
    """Hold what the voucher pays and say what is left for the buyer.

    Between quote and order the voucher may have been spent or its rules changed. Then the buyer
    is asked anew: it agreed to an own part, and pays more only when it says so.

    Raises:
        VoucherCoversLess: when the own part would be above `own_fen_max` (by default the quoted).
    """
    if quote.voucher_fen == 0:
        return Parts(voucher_fen=0, own_fen=quote.total_fen)
    voucher_fen, refusals = await _take_from_voucher(tx, order_id, quote)
    parts = Parts(voucher_fen=voucher_fen, own_fen=quote.total_fen - voucher_fen)
    agreed_fen = quote.own_fen if own_fen_max is None else max(own_fen_max, quote.own_fen)
    if parts.own_fen > agreed_fen:
        raise VoucherCoversLess(
            f"The voucher now covers {yuan(parts.voucher_fen)} CNY instead of "
            f"{yuan(quote.voucher_fen)} CNY; agree to {yuan(parts.own_fen)} CNY of your own.",
            reasons=refusals,
            alternatives=[{"own_fen_max": parts.own_fen}],
            quoted_voucher_fen=quote.voucher_fen,
            voucher_fen=parts.voucher_fen,
            quoted_own_fen=quote.own_fen,
            own_fen=parts.own_fen,
        )
    return parts


async def _take_from_voucher(tx: Tx, order_id: int, quote: Quote) -> tuple[int, Sequence[Reason]]:
    """What could be held of the voucher; 0 with the reasons when it may not pay any more."""
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
            ),
        )
    except VoucherNotUsable as refusal:
        return 0, refusal.reasons
    return held.amount_fen, ()


async def hold_own_money(tx: Tx, order_id: int, *, buyer_id: int, own_fen: int) -> int | None:
    """Hold the buyer's own part on its wallet; nothing is held where nothing is to be paid.

    Raises:
        WalletShort: with what is there and what is missing.
    """
    if own_fen == 0:
        return None
    wallet = await ledger.open_account(tx, ledger.OpenAccount(AccountType.WALLET, buyer_id))
    # The check on the account's row is what guards; this question is asked for a better answer.
    available_fen = (await ledger_queries.balance(tx, wallet)).available_fen
    if available_fen < own_fen:
        raise WalletShort(
            f"The wallet has {yuan(available_fen)} CNY available; "
            f"{yuan(own_fen - available_fen)} CNY are missing.",
            reasons=[
                Reason(
                    "wallet-available",
                    f"The own part is {yuan(own_fen)} CNY.",
                    limit=available_fen,
                    asked=own_fen,
                )
            ],
            missing_fen=own_fen - available_fen,
        )
    return await ledger.place_hold(
        tx,
        ledger.PlaceHold(
            account_id=wallet,
            amount_fen=own_fen,
            expires_at=None,
            key=f"order-{order_id}-own",
            source_kind=SOURCE,
            source_id=order_id,
        ),
    )


async def release_everything(tx: Tx, found: Order) -> None:
    """Give back what the order held: the voucher's part and the buyer's own."""
    if found.voucher_fen:
        await vouchers.release_voucher(tx, vouchers.ReleaseVoucher(found.id))
    if found.own_hold_id is not None:
        await ledger.release_hold(tx, ledger.ReleaseHold(found.own_hold_id))


async def charge_fee(tx: Tx, found: Order, fee_fen: int, *, kind: ChargeKind) -> Parts:
    """Let the provider have a fee of the buyer's own money and give back everything else.

    The voucher is released whole: public money pays for services received, not for missed ones.
    Policy: J.22b
    """
    if fee_fen == 0:
        await release_everything(tx, found)
        return NOTHING
    if found.voucher_fen:
        await vouchers.release_voucher(tx, vouchers.ReleaseVoucher(found.id))
    fee = Parts(voucher_fen=0, own_fen=fee_fen)
    await _pay_own(tx, found, fee_fen, kind=EntryKind.ORDER_FEE)
    await _record_charge(tx, found, fee, kind=kind)
    return fee


async def pay_for_service(tx: Tx, found: Order, used_fen: int) -> Parts:
    """Turn the holds into entries for what was used; the rest goes back.

    The voucher pays its part of the used value, recomputed; the buyer the rest. The charge line
    carries whether the two sides are affiliated, which keeps the service out of rewards.
    Policy: J.22b, J.30a
    """
    voucher_fen = 0
    if found.voucher_fen:
        voucher_fen = await _settle_voucher(tx, found, used_fen)
    parts = settled_parts(used_fen, voucher_fen=voucher_fen, held=found.held)
    await _pay_own(tx, found, parts.own_fen, kind=EntryKind.ORDER_SETTLED)
    if parts.total_fen:
        await _record_charge(tx, found, parts, kind=ChargeKind.SERVICE)
    return parts


async def _settle_voucher(tx: Tx, found: Order, used_fen: int) -> int:
    if used_fen == 0:
        await vouchers.release_voucher(tx, vouchers.ReleaseVoucher(found.id))
        return 0
    settled = await vouchers.settle_voucher(
        tx, vouchers.SettleVoucher(found.id, service_value_fen=used_fen, settled_on=tx.today)
    )
    return settled.amount_fen


async def _pay_own(tx: Tx, found: Order, amount_fen: int, *, kind: EntryKind) -> None:
    if found.own_hold_id is None:
        return
    if amount_fen == 0:
        await ledger.release_hold(tx, ledger.ReleaseHold(found.own_hold_id))
        return
    payable = await ledger.open_account(
        tx, ledger.OpenAccount(AccountType.PAYABLE, found.provider_id)
    )
    await ledger.settle_hold(
        tx,
        ledger.SettleHold(
            hold_id=found.own_hold_id,
            amount_fen=amount_fen,
            credit_account_id=payable,
            kind=kind,
            effective_on=tx.today,
            key=f"order-{found.id}-own-settled",
            source_kind=SOURCE,
            source_id=found.id,
        ),
    )


async def _record_charge(tx: Tx, found: Order, parts: Parts, *, kind: ChargeKind) -> None:
    await invoicing.record_charge(
        tx,
        invoicing.RecordCharge(
            order_id=found.id,
            provider_id=found.provider_id,
            legal_entity_id=found.provider_legal_entity_id,
            instrument_id=found.instrument_id,
            buyer_id=found.buyer_id,
            buyer_legal_entity_id=found.buyer_legal_entity_id,
            voucher_fen=parts.voucher_fen,
            own_fen=parts.own_fen,
            affiliated=found.affiliated_because is not None,
            kind=kind,
        ),
    )
