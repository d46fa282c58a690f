"""Names of states and kinds in both languages, and the tone in which pages show them."""

from __future__ import annotations

from typing import Final

from marketplace.web.words.buyer_labels import BUYER
from marketplace.web.words.finance_labels import FINANCE
from marketplace.web.words.naming import Label, Tone

__all__ = ["LABELS", "Label", "Tone", "label"]

LABELS: Final[dict[str, dict[str, Label]]] = {
    **BUYER,
    **FINANCE,
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
    "customer_class": {
        "own_unit": Label("本单位", "Own unit"),
        "academic": Label("高校院所", "Academic"),
        "sme": Label("科技型中小企业", "Technology SME"),
        "enterprise": Label("其他企业", "Other company"),
    },
    "unit": {
        "hour": Label("小时", "hour"),
        "day": Label("天", "day"),
        "session": Label("次", "session"),
        "sample": Label("样", "sample"),
        "element": Label("项", "element"),
        "run": Label("批", "run"),
        "charge": Label("项", "charge"),
    },
    "price_line": {
        "service": Label("服务费", "Service"),
        "minimum": Label("最低收费补足", "Up to the minimum charge"),
        "urgent": Label("加急费", "Urgent"),
        "extra": Label("协助与耗材", "Help and material"),
        "free_purpose": Label("公益用途免费", "Free for a public purpose"),
    },
    "order_event": {
        "place": Label("下单并签署合同", "Ordered and signed"),
        "confirm": Label("服务方已确认", "Confirmed by the provider"),
        "reject": Label("服务方已拒绝", "Declined by the provider"),
        "cancel": Label("已取消", "Cancelled"),
        "expire": Label("超时未确认，已过期", "Nobody answered in time"),
        "miss": Label("未到场", "Nobody came"),
        "open": Label("开始服务", "Service began"),
        "item_open": Label("其中一项开始", "One item began"),
        "close": Label("服务结束", "Service ended"),
        "receive": Label("已收到样品", "Samples received"),
        "test": Label("测试完成", "Testing finished"),
        "item_delivered": Label("交付了一项", "One item delivered"),
        "deliver": Label("已交付结果", "Results delivered"),
        "accept": Label("已验收", "Accepted"),
        "dispute": Label("买方提出异议", "The buyer objected"),
        "answer": Label("服务方已答复", "The provider answered"),
        "rule": Label("平台已裁定", "The centre ruled"),
        "settle": Label("已结算", "Settled"),
        "invoice": Label("已开具发票", "Invoiced"),
        "upload": Label("上传了结果文件", "A result was uploaded"),
        "download": Label("下载了结果文件", "A result was downloaded"),
        "review": Label("已评价", "Reviewed"),
        "review_reply": Label("服务方回复了评价", "The provider replied to the review"),
        "declare_samples": Label("已申报样品", "Samples declared"),
        "write": Label("发来消息", "A message"),
        "attach": Label("添加了附件", "A file was attached"),
    },
    "purpose": {
        "external": Label("对外服务", "For others"),
        "own_research": Label("本单位科研", "Own research"),
        "teaching": Label("教学", "Teaching"),
        "maintenance": Label("维护", "Upkeep"),
        "test_run": Label("试运行", "Test run"),
    },
    "user_class": {
        "own_unit": Label("本单位", "Own unit"),
        "academic": Label("高校院所", "Academic"),
        "enterprise": Label("企业", "Companies"),
    },
    "problem": {
        "never-closed": Label("未结束上机", "Never closed", "error"),
        "overrun": Label("超时占用", "Ran over", "warning"),
        "log-differs": Label("与设备记录不符", "Unlike the log", "warning"),
    },
    "severity": {
        "minor": Label("轻微", "Minor", "info"),
        "major": Label("严重", "Major", "warning"),
        "breakdown": Label("停机", "Broken down", "error"),
    },
    "bench": {
        "awaited": Label("待收样", "Awaited", "info"),
        "to_test": Label("待测试", "To test", "warning"),
        "to_report": Label("待交付结果", "To report", "warning"),
        "to_clear": Label("待归还", "To give back", "info"),
    },
    "instrument_status": {
        "listed": Label("开放", "Listed", "success"),
        "unlisted": Label("未开放", "Not listed"),
        "withdrawn": Label("已撤下", "Withdrawn", "warning"),
        "disposed": Label("已处置", "Disposed of"),
    },
    "closure": {
        "closed": Label("停用", "Closed"),
        "maintenance": Label("维护", "Upkeep", "info"),
        "breakdown": Label("故障", "Broken down", "error"),
        "outside": Label("校内占用", "Taken outside"),
    },
    "training": {
        "asked": Label("已申请", "Asked for", "warning"),
        "scheduled": Label("已排期", "Planned", "info"),
        "passed": Label("通过", "Passed", "success"),
        "failed": Label("未通过", "Not passed", "error"),
        "declined": Label("已谢绝", "Declined"),
        "withdrawn": Label("已撤回", "Withdrawn"),
    },
    "cost": {
        "consumables": Label("耗材", "Consumables"),
        "water_electricity": Label("水电", "Water and electricity"),
        "labour": Label("人工", "Labour"),
        "maintenance": Label("维护维修", "Maintenance"),
        "depreciation": Label("折旧", "Depreciation"),
        "other": Label("其他", "Other"),
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
