"""The roles that the demo's start page offers, each with three things to try where they begin."""

from __future__ import annotations

from marketplace.demo.world import MAIL_DOMAIN, PASSWORD
from marketplace.web.tour import Stop, Task


def _stop(name: str, mail: str, names: tuple[str, str], *tasks: Task) -> Stop:
    return Stop(name, *names, f"{mail}@{MAIL_DOMAIN}", PASSWORD, tasks)


TOUR = (
    _stop(
        "sme",
        "sme1",
        ("科技型中小企业", "Technology SME"),
        Task(
            "找一台下周有空的仪器，看券后自付多少",
            "Find an instrument free next week, and your price",
            "/instruments",
        ),
        Task("看订单、待办和合同", "See orders, what waits for you, contracts", "/me"),
        Task("看创新券余额和每一笔变动", "See your vouchers and every movement", "/vouchers"),
    ),
    _stop(
        "provider",
        "provider1",
        ("仪器管理单位", "Instrument provider"),
        Task("处理新的预约和订单", "Answer new requests and orders", "/provider/requests"),
        Task(
            "在时间轴上调整各台仪器的安排",
            "Rearrange all instruments on one timeline",
            "/provider/schedule",
        ),
        Task("看奖励怎么算出来", "See how rewards are computed", "/provider/rewards"),
    ),
    _stop(
        "technician",
        "technician1",
        ("仪器技术员", "Technician"),
        Task("确认上机时间", "Confirm sessions", "/provider/usage"),
        Task("收样、测试、交付", "Receive samples, test, report", "/provider/samples"),
        Task("看仪器时间轴", "See the timeline of instruments", "/provider/schedule"),
    ),
    _stop(
        "finance",
        "finance-maker",
        ("财务经办", "Finance maker"),
        Task(
            "用键盘核对银行流水（j/k/回车）",
            "Reconcile bank lines with j, k and Enter",
            "/finance/reconciliation",
        ),
        Task(
            "从一笔付款追到订单和规则",
            "Follow a payout to its orders and rules",
            "/finance/payouts",
        ),
        Task(
            "试算奖励：比例改成 4% 会怎样",
            "What would rewards be at 4 %?",
            "/finance/rewards/what-if",
        ),
    ),
    _stop(
        "checker",
        "finance-checker",
        ("财务复核", "Finance checker"),
        Task("看结账清单还差什么", "See what the close still waits for", "/finance/periods"),
        Task("看每分钱在哪个账户", "See where each fen lies", "/finance/trial-balance"),
        Task("看一次奖励的全部份额", "See every share of a reward run", "/finance/rewards"),
    ),
    _stop(
        "officer",
        "voucher-officer",
        ("创新券专员", "Voucher officer"),
        Task("审批三份创新券申请", "Decide three applications", "/ops/applications"),
        Task("用以往订单试算新条款", "Try other terms on past orders", "/ops/programmes"),
        Task("核实价格异常", "Look into unusual prices", "/ops/anomalies"),
    ),
    _stop(
        "evaluator",
        "evaluator",
        ("评价员", "Evaluator"),
        Task("看各单位评价得分", "See every provider's points", "/ops/evaluations"),
        Task("看等级如何变成奖励", "See how grades become rewards", "/finance/rewards"),
        Task("看规则的出处", "See where rules come from", "/rules"),
    ),
    _stop(
        "centre",
        "administrator",
        ("平台管理员", "Administrator"),
        Task("核验新登记的法人", "Verify new legal entities", "/ops/verification"),
        Task("以别人的身份查看（只读）", "Look as somebody else, reading only", "/ops/users"),
        Task("看后台任务和审计日志", "See the jobs and the audit trail", "/ops/jobs"),
    ),
    _stop(
        "auditor",
        "auditor",
        ("审计", "Auditor"),
        Task("追一张券的资金路径", "Follow the money of a voucher", "/ops/audit-paths"),
        Task("核对账簿封存", "Check the seals of the books", "/finance/periods/anchor"),
        Task("查谁在何时做了什么", "See who did what, and when", "/ops/audit"),
    ),
)
