"""What everybody may see: the start page, instruments, the rules of the money."""

from litestar.types import ControllerRouterHandler

from marketplace.web.areas.public import (
    claim_notices,
    entering,
    home,
    instrument,
    instruments,
    price_list,
    providers,
    reward_notices,
    voucher_terms,
)
from marketplace.web.navigation import Area, link

areas = (
    Area(
        "找仪器",
        "Find",
        (
            link("/instruments", "仪器", "Instruments"),
            link("/vouchers/rules", "创新券规则", "Voucher rules"),
            link("/claim-notices", "兑付公示", "Claim notices"),
            link("/reward-notices", "奖励公示", "Reward notices"),
            link("/figures", "用量与资金", "Use and money"),
            link("/help", "帮助", "Help"),
        ),
    ),
)
routes: list[ControllerRouterHandler] = [
    *home.routes,
    *instruments.routes,
    *instrument.routes,
    *price_list.routes,
    *entering.routes,
    *providers.routes,
    *voucher_terms.routes,
    *claim_notices.routes,
    *reward_notices.routes,
]
