"""The JSON API of booking."""

from litestar.types import ControllerRouterHandler

from marketplace.booking.controllers import (
    availability,
    feeds,
    hours,
    live,
    machine_hours,
    outside_busy,
    repairs,
    reservations,
    sessions,
    statements,
)

routes: list[ControllerRouterHandler] = [
    *availability.routes,
    *hours.routes,
    *live.routes,
    *feeds.routes,
    *outside_busy.routes,
    *reservations.routes,
    *sessions.routes,
    *repairs.routes,
    *machine_hours.routes,
    *statements.routes,
]
