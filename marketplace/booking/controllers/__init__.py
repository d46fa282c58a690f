"""The JSON API of booking."""

from litestar.types import ControllerRouterHandler

from marketplace.booking.controllers import (
    availability,
    machine_hours,
    reservations,
    sessions,
)

routes: list[ControllerRouterHandler] = [
    *availability.routes,
    *reservations.routes,
    *sessions.routes,
    *machine_hours.routes,
]
