"""The JSON API of orders: finding and quoting, ordering, giving the service, ending it."""

from litestar.types import ControllerRouterHandler

from marketplace.orders.controllers import (
    contracts,
    corrections,
    custody,
    disputes,
    ending,
    enquiries,
    enquiry_offers,
    favourites,
    free_use,
    items,
    ordering,
    quoting,
    rescheduling,
    reviews,
    serving,
)

routes: list[ControllerRouterHandler] = [
    *quoting.routes,
    *favourites.routes,
    *free_use.routes,
    *enquiries.routes,
    *enquiry_offers.routes,
    *ordering.routes,
    *rescheduling.routes,
    *serving.routes,
    *items.routes,
    *custody.routes,
    *ending.routes,
    *disputes.routes,
    *corrections.routes,
    *contracts.routes,
    *reviews.routes,
]
