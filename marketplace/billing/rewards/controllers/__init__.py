"""The JSON API of rewards."""

from litestar.types import ControllerRouterHandler

from marketplace.billing.rewards.controllers import clawbacks, notices, runs, uses

routes: list[ControllerRouterHandler] = [
    *runs.routes,
    *notices.routes,
    *uses.routes,
    *clawbacks.routes,
]
