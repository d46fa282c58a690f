"""The pages, area by area: each package has the handlers of one kind of work and its menu."""

from litestar.types import ControllerRouterHandler

from marketplace.web.areas import account, centre, finance, provider, public, sme
from marketplace.web.navigation import Area

# In the order of the menu.
_PACKAGES = (public, sme, provider, finance, centre, account)

AREAS: tuple[Area, ...] = tuple(area for package in _PACKAGES for area in package.areas)
ROUTES: tuple[ControllerRouterHandler, ...] = tuple(
    route for package in _PACKAGES for route in package.routes
)
