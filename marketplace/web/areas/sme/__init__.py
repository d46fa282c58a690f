"""What companies do: find their way, order, sign, accept, pay, and see their vouchers."""

from litestar.types import ControllerRouterHandler

from marketplace.parties.roles import Role
from marketplace.web.areas.sme import (
    account,
    applying,
    booking,
    enquiries,
    facts,
    order_disputes,
    order_pages,
    order_papers,
    order_samples,
    order_time,
    order_use,
    organisation,
    refunds,
    saved,
    standing,
    start,
    strikes,
    training,
    vouchers,
    waiting,
)
from marketplace.web.areas.sme.roles import BUYERS
from marketplace.web.navigation import Area, link

areas = (
    Area(
        "企业",
        "My company",
        (
            link("/me", "工作台", "Start", *BUYERS),
            link("/orders", "订单", "Orders", *BUYERS),
            link("/enquiries", "询价", "Enquiries", *BUYERS),
            link("/saved", "收藏", "Saved", *BUYERS),
            link("/vouchers", "创新券", "Vouchers", *vouchers.HOLDERS),
            link("/claims", "报销申请", "Claims", Role.SME_ADMINISTRATOR),
            link("/account", "账户", "Account", *account.HOLDERS),
            link("/standing", "资格与限额", "Booking rights", *BUYERS),
            link("/strikes", "违约记录", "Strikes", *BUYERS),
            link("/org", "本单位", "Our organisation", *account.HOLDERS),
        ),
    ),
)
routes: list[ControllerRouterHandler] = [
    *start.routes,
    *booking.routes,
    *order_pages.routes,
    *order_time.routes,
    *order_use.routes,
    *order_disputes.routes,
    *order_samples.routes,
    *order_papers.routes,
    *vouchers.routes,
    *applying.routes,
    *facts.routes,
    *account.routes,
    *refunds.routes,
    *organisation.routes,
    *enquiries.routes,
    *saved.routes,
    *waiting.routes,
    *strikes.routes,
    *training.routes,
    *standing.routes,
]
