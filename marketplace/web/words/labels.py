"""Names of states and kinds in both languages, and the tone in which pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Tone = Literal["neutral", "info", "success", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Label:
    """A state or a kind as people name it."""

    chinese: str
    english: str
    tone: Tone = "neutral"


LABELS: Final[dict[str, dict[str, Label]]] = {
    "order": {
        "placed": Label("待确认", "Awaiting confirmation", "warning"),
        "confirmed": Label("已确认", "Confirmed", "info"),
        "in_service": Label("服务中", "In service", "info"),
        "delivered": Label("待验收", "To be accepted", "warning"),
        "disputed": Label("争议处理中", "In dispute", "error"),
        "settled": Label("已结算", "Settled", "success"),
        "rejected": Label("已拒绝", "Rejected"),
        "cancelled": Label("已取消", "Cancelled"),
        "expired": Label("已过期", "Expired"),
        "no_show": Label("爽约", "No-show", "error"),
    },
    "reservation": {
        "held": Label("暂留", "Held", "warning"),
        "offered": Label("候补保留", "Offered", "warning"),
        "requested": Label("待审批", "Awaiting approval", "warning"),
        "confirmed": Label("已确认", "Confirmed", "info"),
        "in_use": Label("使用中", "In use", "info"),
        "used": Label("已使用", "Used", "success"),
        "cancelled": Label("已取消", "Cancelled"),
        "late_cancelled": Label("临时取消", "Cancelled late", "error"),
        "no_show": Label("爽约", "No-show", "error"),
        "rejected": Label("已拒绝", "Rejected"),
        "expired": Label("已过期", "Expired"),
    },
    "mode": {
        "machine_time": Label("自主上机", "Machine time"),
        "samples": Label("送样检测", "Send-in samples"),
    },
    "role": {
        "buyer": Label("采购员", "Buyer"),
        "sme_administrator": Label("企业管理员", "SME administrator"),
        "technician": Label("仪器技术员", "Technician"),
        "provider_manager": Label("管理单位负责人", "Provider manager"),
        "finance_maker": Label("财务经办", "Finance maker"),
        "finance_checker": Label("财务复核", "Finance checker"),
        "voucher_officer": Label("创新券专员", "Voucher officer"),
        "evaluator": Label("评价员", "Evaluator"),
        "expert": Label("评审专家", "Expert"),
        "station_agent": Label("服务站代办员", "Station agent"),
        "regulator": Label("主管部门", "Regulator"),
        "auditor": Label("审计", "Auditor"),
        "administrator": Label("平台管理员", "Administrator"),
    },
}


def label(group: str, value: object) -> Label:
    """The name of `value`; the value itself where nobody gave it a name."""
    found = LABELS.get(group, {}).get(str(value))
    return found or Label(str(value), str(value).replace("_", " "))
