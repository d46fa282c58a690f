"""The JSON API of orders: finding and quoting, ordering, giving the service, ending it."""

from litestar.types import ControllerRouterHandler

from marketplace.orders.controllers import ending, ordering, quoting, serving

routes: list[ControllerRouterHandler] = [
    *quoting.routes,
    *ordering.routes,
    *serving.routes,
    *ending.routes,
]
