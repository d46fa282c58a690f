"""The roles that the demo's start page offers, each with three things to try."""

from __future__ import annotations

from marketplace.demo.world import MAIL_DOMAIN, PASSWORD
from marketplace.web.tour import Stop


def _stop(name: str, mail: str, names: tuple[str, str], *tasks: tuple[str, str]) -> Stop:
    return Stop(name, *names, f"{mail}@{MAIL_DOMAIN}", PASSWORD, tasks)


TOUR = (
    _stop(
        "sme",
        "sme1",
        ("科技型中小企业", "Technology SME"),
        (
            "找一台下周有空的仪器，看券后自付多少",
            "Find an instrument free next week, and your price",
        ),
        ("在日历上约机时，下单并签合同", "Book hours in its calendar, order and sign"),
        ("看创新券余额和每一笔变动", "See your vouchers and every movement"),
    ),
    _stop(
        "provider",
        "provider1",
        ("仪器管理单位", "Instrument provider"),
        ("处理新的预约和订单", "Answer new requests and orders"),
        ("在时间轴上调整各台仪器的安排", "Rearrange all instruments on one timeline"),
        ("看机时、收入和奖励", "See machine-hours, income and rewards"),
    ),
    _stop(
        "finance",
        "finance-maker",
        ("财务", "Finance"),
        ("用键盘核对银行流水（j/k/回车）", "Reconcile bank lines with j, k and Enter"),
        ("从一笔付款追到订单和规则", "Follow a payout to its orders and rules"),
        ("试算奖励：比例改成 4% 会怎样", "What would rewards be at 4 %?"),
    ),
    _stop(
        "centre",
        "administrator",
        ("平台服务中心", "Service centre"),
        ("审核单位、查看全部规则的出处", "Verify organisations; see where each rule comes from"),
        ("查看审计日志和后台任务", "Look through the audit trail and the jobs"),
        ("看全省的开放共享数据", "See the figures of the whole province"),
    ),
)
