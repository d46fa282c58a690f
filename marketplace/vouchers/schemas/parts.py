"""Answers: what vouchers would pay of a service, and why."""

from datetime import date
from typing import Any

import msgspec

from marketplace.kernel.wire import Out
from marketplace.vouchers.queries import LayerPart, VoucherPart


class LayerPartOut(Out):
    """What one funder would pay of a service."""

    layer_id: int
    funder: str
    ratio_basis_points: int
    amount_fen: int
    source: str

    @classmethod
    def of(cls, row: LayerPart) -> "LayerPartOut":
        """The answer for a layer."""
        return msgspec.convert(row, cls, from_attributes=True)


class RefusalOut(Out):
    """One reason why a voucher may not pay."""

    rule: str
    message: str
    limit: Any
    asked: Any
    source: str | None


class VoucherShareOut(Out):
    """What one of several vouchers would pay."""

    grant_id: int
    programme_name: str
    programme_name_en: str
    valid_until: date
    amount_fen: int


class VoucherPartOut(Out):
    """What a voucher would pay of a service, and why; 0 with every reason if it may not."""

    grant_id: int | None
    total_fen: int
    layers: list[LayerPartOut]
    explanation: list[str]
    refusals: list[RefusalOut]
    vouchers: list[VoucherShareOut]

    @classmethod
    def of(cls, row: VoucherPart) -> "VoucherPartOut":
        """The answer for a voucher's part."""
        return cls(
            grant_id=row.grant_id,
            total_fen=row.total_fen,
            layers=[LayerPartOut.of(layer) for layer in row.layers],
            explanation=list(row.explanation),
            refusals=[
                msgspec.convert(reason, RefusalOut, from_attributes=True) for reason in row.refusals
            ],
            vouchers=[
                msgspec.convert(each, VoucherShareOut, from_attributes=True)
                for each in row.vouchers
            ],
        )
