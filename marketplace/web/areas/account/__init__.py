"""Signing in and out, acting for another organisation, language and theme."""

from litestar.types import ControllerRouterHandler

from marketplace.web.areas.account import password, prefs, sign_in
from marketplace.web.navigation import Area

areas: tuple[Area, ...] = ()
routes: list[ControllerRouterHandler] = [*sign_in.routes, *prefs.routes, *password.routes]
