"""The JSON API of booking."""

from litestar.types import ControllerRouterHandler

from marketplace.booking.controllers import (
    availability,
    feeds,
    groups,
    hours,
    live,
    machine_hours,
    moving,
    operators,
    outside_busy,
    qualifications,
    quotas,
    readings,
    repairs,
    requests,
    reservations,
    series,
    sessions,
    statements,
    strikes,
    waitlist,
)

routes: list[ControllerRouterHandler] = [
    *availability.routes,
    *hours.routes,
    *live.routes,
    *feeds.routes,
    *outside_busy.routes,
    *reservations.routes,
    *moving.routes,
    *requests.routes,
    *groups.routes,
    *series.routes,
    *sessions.routes,
    *repairs.routes,
    *readings.routes,
    *machine_hours.routes,
    *quotas.routes,
    *qualifications.routes,
    *operators.routes,
    *statements.routes,
    *waitlist.routes,
    *strikes.routes,
]
