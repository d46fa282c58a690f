"""The pages, area by area: each package has the handlers of one kind of work and its menu."""

from litestar.types import ControllerRouterHandler

from marketplace.web.areas import account, centre, finance, provider, public, sme

AREAS: tuple[Area, ...] = tuple(area for package in _PACKAGES for area in package.areas)
ROUTES: tuple[ControllerRouterHandler, ...] = tuple(
    route for package in _PACKAGES for route in package.routes
)
