"""The words of the pages, Chinese first and English complete."""

from __future__ import annotations

from typing import Final

LANGUAGES: Final = ("zh", "en")

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "title": ("大型科研仪器共享与创新券平台", "Shared instruments and innovation vouchers"),
    "lead": (
        "高校、院所和专业机构开放仪器，科技型中小企业找仪器、约机时、送样品，用创新券抵扣一部分费用。",
        "Universities, institutes and agencies open their instruments. Technology SMEs find one, "
        "book hours or send samples, and pay partly with innovation vouchers.",
    ),
    "today": ("平台现状", "The platform today"),
    "instruments": ("在册仪器（台套）", "Instruments listed"),
    "providers": ("管理单位与专业机构", "Providers"),
    "companies": ("科技型中小企业", "Technology SMEs"),
    "value": ("仪器原值", "Original value"),
    "find": ("找仪器", "Find an instrument"),
    "find_hint": ("例如：扫描电镜、XRD、质谱", "For instance: SEM, XRD, mass spectrometry"),
    "search": ("搜索", "Search"),
    "hits": ("条结果", "results"),
    "none": (
        "没有找到。换一个方法名称，或者用英文缩写再试。",
        "Nothing found. Try the name of a method, or its English abbreviation.",
    ),
    "rules": ("钱的规则", "The rules of the money"),
    "clause": ("依据", "Source"),
    "value_column": ("数值", "Value"),
    "rule": ("规则", "Rule"),
    "share_cap": (
        "服务奖励不超过实际服务总额的比例",
        "Reward: at most this share of the actual service total",
    ),
    "entity_cap": (
        "同一法人单位全年累计奖励上限",
        "Reward: at most this much per legal entity and year",
    ),
    "sme_cap": ("每家企业每年创新券额度（每级）", "Vouchers per SME and year (each layer)"),
    "layers": ("创新券抵扣比例", "Voucher share of a service"),
    "notice": ("价格公示期", "Public notice of prices"),
    "working_days": ("个工作日", "working days"),
    "province": ("省级", "province"),
    "city": ("市县", "city"),
    "zone": ("高新区", "zone"),
    "steps": ("三步开始", "Three steps to begin"),
    "step_1": (
        "在 API 浏览器里用 POST /api/v1/sign-in 登录，复制 access_token。",
        "In the API browser sign in with POST /api/v1/sign-in and copy the access_token.",
    ),
    "step_2": (
        "用 GET /api/v1/offers 查找某个时段空闲的仪器和自己要付的价格。",
        "Use GET /api/v1/offers to find what is free in a window and what you would pay.",
    ),
    "step_3": (
        "POST /api/v1/quotes 要报价，POST /api/v1/orders 下单：机时、创新券和自有资金一次锁定。",
        "Ask POST /api/v1/quotes for a quote; POST /api/v1/orders holds the machine time, the "
        "voucher and your own money in one step.",
    ),
    "api": ("打开 API 浏览器", "Open the API browser"),
    "other_language": ("English", "中文"),
    "practice": ("政策未定，按惯例", "left open; by practice"),
    "yuan_suffix": ("元", "CNY"),
    "large_suffix": ("万元", "million CNY"),
}


def texts(language: str) -> dict[str, str]:
    """Every text in `language`."""
    index = LANGUAGES.index(language)
    return {name: both[index] for name, both in _TEXTS.items()}
