"""The JSON API of parties: signing in, the register, people and their roles."""

from litestar.types import ControllerRouterHandler

from marketplace.parties.controllers import api_keys, ownership, people, register, sign_in

routes: list[ControllerRouterHandler] = [
    *sign_in.routes,
    *register.routes,
    *ownership.routes,
    *people.routes,
    *api_keys.routes,
]
