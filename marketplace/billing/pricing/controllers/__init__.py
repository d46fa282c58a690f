"""The JSON API of pricing: one topic a file."""

from litestar.types import ControllerRouterHandler

from marketplace.billing.pricing.controllers import files, filing, notices

routes: list[ControllerRouterHandler] = [*filing.routes, *files.routes, *notices.routes]
