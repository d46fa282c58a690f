"""Names of what companies work with: changes, disputes, samples, enquiries, vouchers."""

from __future__ import annotations

from typing import Final

from marketplace.web.words.naming import Label

BUYER: Final[dict[str, dict[str, Label]]] = {
    "item": {
        "ordered": Label("待服务", "To be served", "info"),
        "in_service": Label("服务中", "In service", "info"),
        "delivered": Label("已交付", "Delivered", "success"),
        "undeliverable": Label("无法交付", "Cannot be delivered", "error"),
        "cancelled": Label("已取消", "Cancelled"),
        "missed": Label("未到场", "Missed", "error"),
    },
    "change": {
        "reschedule": Label("改期", "Another time"),
        "extend": Label("延长", "A later end"),
    },
    "change_status": {
        "proposed": Label("待答复", "Waits for an answer", "warning"),
        "agreed": Label("已同意", "Agreed", "success"),
        "declined": Label("已谢绝", "Declined"),
        "withdrawn": Label("已撤回", "Taken back"),
        "lapsed": Label("已过期", "Lapsed"),
    },
    "side": {
        "buyer": Label("委托方", "Buyer"),
        "provider": Label("服务方", "Provider"),
        "agent": Label("服务站", "Service station"),
        "centre": Label("平台", "Centre"),
    },
    "dispute_end": {
        "ruled": Label("平台裁定", "Ruled by the centre", "info"),
        "agreed": Label("双方达成一致", "Agreed", "success"),
        "conceded": Label("服务方认可异议", "Conceded by the provider", "success"),
        "withdrawn": Label("已撤回", "Taken back"),
    },
    "correction": {
        "proposed": Label("待批准", "Awaits approval", "warning"),
        "approved": Label("已退款", "Refunded", "success"),
        "refused": Label("未批准", "Not approved", "error"),
        "withdrawn": Label("已撤回", "Taken back"),
    },
    "stars": {
        "5": Label("非常满意", "Very satisfied", "success"),
        "4": Label("基本满意", "Mostly satisfied", "success"),
        "3": Label("一般", "Average"),
        "2": Label("不满意", "Dissatisfied", "warning"),
        "1": Label("极差", "Very poor", "error"),
    },
    "disposal": {
        "return": Label("退回", "Return them"),
        "destroy": Label("销毁", "Destroy them"),
        "keep": Label("留存", "Keep them"),
    },
    "storage": {
        "room": Label("室温", "Room temperature"),
        "cool": Label("冷藏 2–8 ℃", "Cool, 2–8 ℃"),
        "frozen": Label("冷冻 −20 ℃", "Frozen, −20 ℃"),
        "deep_frozen": Label("超低温 −80 ℃", "Deep frozen, −80 ℃"),
        "special": Label("其他（请说明）", "Other, as described"),
    },
    "hazard": {
        "GHS01": Label("爆炸物", "Explosive"),
        "GHS02": Label("易燃", "Flammable"),
        "GHS03": Label("氧化性", "Oxidising"),
        "GHS04": Label("高压气体", "Gas under pressure"),
        "GHS05": Label("腐蚀性", "Corrosive"),
        "GHS06": Label("急性毒性", "Toxic"),
        "GHS07": Label("刺激性或有害", "Harmful"),
        "GHS08": Label("健康危害", "Health hazard"),
        "GHS09": Label("危害环境", "Harmful to the environment"),
    },
    "direction": {
        "out": Label("寄往服务方", "To the provider"),
        "back": Label("寄回", "Back to the buyer"),
    },
    "condition": {
        "intact": Label("完好", "Intact", "success"),
        "damaged": Label("破损", "Damaged", "error"),
        "leaking": Label("渗漏", "Leaking", "error"),
        "too_warm": Label("温度超标", "Too warm", "warning"),
        "incomplete": Label("数量不足", "Incomplete", "warning"),
    },
    "enquiry": {
        "open": Label("待答复", "Awaits an answer", "warning"),
        "answered": Label("已答复", "Answered", "info"),
        "offered": Label("有报价", "An offer stands", "warning"),
        "accepted": Label("已接受报价", "Offer accepted", "success"),
        "declined": Label("未成", "Came to nothing"),
        "lapsed": Label("已过期", "Lapsed"),
        "withdrawn": Label("已撤回", "Taken back"),
    },
    "offer": {
        "awaiting_approval": Label("待单位批准", "Awaits approval", "warning"),
        "refused": Label("未批准", "Not approved"),
        "standing": Label("待您决定", "You decide", "warning"),
        "accepted": Label("已接受", "Accepted", "success"),
        "declined": Label("已谢绝", "Turned down"),
        "superseded": Label("被新报价替代", "Replaced by a later one"),
        "lapsed": Label("已过期", "Lapsed"),
        "withdrawn": Label("已撤回", "Taken back"),
    },
    "grant": {
        "active": Label("可使用", "Usable", "success"),
        "exhausted": Label("已用完", "Used up"),
        "expired": Label("已到期", "Expired"),
        "revoked": Label("已撤销", "Revoked", "error"),
    },
    "voucher_hold": {
        "held": Label("冻结中", "Held", "info"),
        "settled": Label("已使用", "Used", "success"),
        "released": Label("已退回", "Given back"),
    },
    "application": {
        "draft": Label("草稿", "Draft", "warning"),
        "submitted": Label("审核中", "Being decided", "info"),
        "returned": Label("退回补正", "Returned to be amended", "warning"),
        "waiting": Label("排队等候额度", "Waiting for budget", "info"),
        "granted": Label("已发放", "Granted", "success"),
        "refused": Label("未通过", "Refused", "error"),
        "withdrawn": Label("已撤回", "Taken back"),
        "lapsed": Label("已失效", "Lapsed"),
    },
    "programme": {
        "draft": Label("筹备中", "In preparation"),
        "open": Label("开放申请", "Open", "success"),
        "closed": Label("已截止", "Closed"),
    },
    "funder": {
        "province": Label("省级", "Province"),
        "city": Label("市县", "City or county"),
        "zone": Label("高新区", "High-tech zone"),
    },
    "eligibility": {
        "programme-open": Label("申请期内", "Within the programme's days"),
        "sme-profile": Label("年度企业信息", "Profile of the year"),
        "registration-number": Label("入库登记编号", "Register number"),
        "staff": Label("职工人数", "Staff"),
        "sales": Label("年销售收入", "Yearly sales"),
        "assets": Label("资产总额", "Assets"),
        "region": Label("所在地区", "Place"),
        "year-cap": Label("年度额度", "Cap of the year"),
        "budget": Label("资金余额", "Budget left"),
    },
    "waiting": {
        "waiting": Label("排队中", "Waiting", "info"),
        "offered": Label("有空位，待您确认", "A time is kept for you", "warning"),
        "taken": Label("已预约", "Taken", "success"),
        "withdrawn": Label("已退出", "Left the list"),
        "lapsed": Label("已过期", "Lapsed"),
    },
    "feed": {
        "person": Label("我的预约", "My reservations"),
        "instrument": Label("一台仪器", "An instrument"),
        "provider": Label("整个单位", "The whole provider"),
    },
}
