"""What SMEs do: book, order, sign, accept, pay, and see their vouchers."""

from litestar.types import ControllerRouterHandler

from marketplace.parties.roles import Role
from marketplace.web.areas.sme import booking, order_pages
from marketplace.web.navigation import Area, link

BUYERS = (Role.BUYER, Role.SME_ADMINISTRATOR, Role.STATION_AGENT)

areas = (
    Area(
        "企业",
        "My company",
        (link("/orders", "订单", "Orders", *BUYERS),),
    ),
)
routes: list[ControllerRouterHandler] = [*booking.routes, *order_pages.routes]
