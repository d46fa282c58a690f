"""The JSON API of the catalogue."""

from litestar.types import ControllerRouterHandler

from marketplace.catalogue.controllers import instruments, opening

routes: list[ControllerRouterHandler] = [*instruments.routes, *opening.routes]
