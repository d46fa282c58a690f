"""The JSON API of payouts."""

from litestar.types import ControllerRouterHandler

from marketplace.billing.payouts.controllers import accounts, batches, payouts, refunds

routes: list[ControllerRouterHandler] = [
    *accounts.routes,
    *payouts.routes,
    *batches.routes,
    *refunds.routes,
]
