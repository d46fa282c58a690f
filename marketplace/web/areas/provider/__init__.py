"""What providers do: answer, plan, serve, price, and see what it comes to."""

from litestar.types import ControllerRouterHandler

from marketplace.web.areas.provider import (
    availability,
    claim_steps,
    claims,
    credit,
    credit_owed,
    credit_terms,
    instruments,
    moving,
    order_steps,
    price_files,
    prices,
    reports,
    requests,
    reward_uses,
    rewards,
    samples,
    schedule,
    systems,
    today,
    training,
    usage,
    usage_steps,
)
from marketplace.web.areas.provider.roles import MANAGER, STAFF
from marketplace.web.navigation import Area, link

areas = (
    Area(
        "管理单位",
        "Provider",
        (
            link("/provider", "今日", "Today", *STAFF),
            link("/provider/requests", "待答复", "Requests", *STAFF),
            link("/enquiries", "询价", "Enquiries", *STAFF),
            link("/provider/schedule", "时间轴", "Timeline", *STAFF),
            link("/provider/usage", "上机", "Sessions", *STAFF),
            link("/provider/samples", "样品", "Samples", *STAFF),
            link("/provider/instruments", "本单位仪器", "Own instruments", *STAFF),
            link("/provider/training", "培训与资格", "Training", *STAFF),
            link("/provider/reports", "机时统计", "Machine-hours", *STAFF),
            link("/provider/systems", "校内系统", "Campus systems", *STAFF),
            link("/credit", "客户授信", "Credit", *MANAGER),
            link("/claims", "创新券兑付", "Voucher claims", *MANAGER),
            link("/corrections", "结算更正", "Corrections", *MANAGER),
            link("/provider/rewards", "奖励与兑付", "Rewards and claims", *MANAGER),
            link("/org", "本单位", "Our organisation", *MANAGER),
        ),
    ),
)
routes: list[ControllerRouterHandler] = [
    *today.routes,
    *requests.routes,
    *schedule.routes,
    *moving.routes,
    *usage.routes,
    *usage_steps.routes,
    *order_steps.routes,
    *samples.routes,
    *instruments.routes,
    *availability.routes,
    *prices.routes,
    *price_files.routes,
    *training.routes,
    *reports.routes,
    *systems.routes,
    *claims.routes,
    *credit.routes,
    *credit_owed.routes,
    *credit_terms.routes,
    *claim_steps.routes,
    *rewards.routes,
    *reward_uses.routes,
]
