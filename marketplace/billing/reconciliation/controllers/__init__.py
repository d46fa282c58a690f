"""The JSON API of reconciliation."""

from litestar.types import ControllerRouterHandler

from marketplace.billing.reconciliation.controllers import open_lines, statements

routes: list[ControllerRouterHandler] = [*statements.routes, *open_lines.routes]
